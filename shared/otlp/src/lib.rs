//! OTLP bytes to Arrow rows, and rows back to OTLP messages.
//!
//! Row 2, above `model` and `schema`. A receiver hands a decompressed request body to [`decode`] and gets one batch a table,
//! ready for the WAL; [`response`] and [`status_body`] make the answer's body. [`rebuild`] is the inverse for query APIs that
//! speak OTLP. [`log_streams`] makes the rows of what Loki's agents push, [`remote_write()`] of what Prometheus' do. No I/O, no clock, nothing asynchronous, and nothing here
//! knows HTTP or gRPC.
//!
//! - **LOSSLESS-1** rows rebuild to equal OTLP. What is not kept: attributes that repeat a key of the same list (the first is
//!   kept), log ids and parent ids of only zeros (they mean "absent"), and messages that hold no record at all.
//! - **PARTIAL-1** one bad record refuses itself, never its neighbours; a body that isn't OTLP refuses the whole request.
//! - **BOUND-1** a record is at most [`Limits::record_bytes`], a request's rows at most [`Limits::rows_bytes`], values nest at
//!   most [`Limits::attribute_depth`] deep.
//!
//! Keys and values that refer to a string table (`keyStrindex`, `stringValueStrindex`) come without the table in these
//! requests. They are kept as sent: the key reads `strindex:<n>`, the value reads as its index, and the type column holds the
//! exact OTLP/JSON.
//!
//! ```
//! use icegate_model::{Signal, TenantId, Timestamp};
//! use icegate_otlp::{Encoding, Limits, Origin, decode};
//!
//! let origin = Origin { tenant: TenantId::default_tenant(), account: None, ingested: Timestamp::from_secs(1) };
//! let body = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"up"}}]}]}]}"#;
//! let rows = decode(Signal::Logs, Encoding::Json, body, &origin, &Limits::default())?;
//! assert_eq!((rows.accepted, rows.rejected.count), (1, 0));
//! # Ok::<(), icegate_otlp::OtlpError>(())
//! ```

mod answer;
mod attributes;
mod batch;
mod cells;
mod check;
mod error;
mod events;
mod group;
mod json;
mod level;
mod limits;
mod line;
mod lists;
mod logs;
mod metrics;
mod parts;
mod point_lists;
mod points;
mod prometheus_columns;
pub mod rebuild;
mod rejected;
mod remote_write;
mod span_lists;
mod spans;
mod stream;
mod streams;
mod value;

use arrow::array::RecordBatch;
use icegate_model::{AccountId, Signal, Table, TenantId, Timestamp};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;

pub use answer::{response, status_body};
pub use error::OtlpError;
pub use limits::Limits;
pub use rejected::Rejected;
pub use remote_write::{WireError, WriteVersion, Written, remote_write};
pub use streams::{LogEntry, LogStream, log_streams};

/// How a request's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Binary protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

/// Whose request it is and when it was taken in.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Owner of every row.
    pub tenant: TenantId,
    /// The owner's part, if the request names one.
    pub account: Option<AccountId>,
    /// When the request was taken in; the time of log records that have none.
    pub ingested: Timestamp,
}

/// A request as rows.
#[derive(Debug, Default)]
pub struct Rows {
    /// Batches with the columns of [`icegate_schema::arrow_schema`], none of them empty.
    pub batches: Vec<(Table, RecordBatch)>,
    /// Log records, spans or points that became rows.
    pub accepted: u64,
    /// Those that didn't, and why.
    pub rejected: Rejected,
}

/// Makes the rows of an export request from its decompressed body.
///
/// An empty protobuf body is a request without records and makes no batches.
///
/// # Errors
/// [`OtlpError::Protobuf`] or [`OtlpError::Json`] for a body that isn't the signal's request,
/// [`OtlpError::RowsTooLarge`] for one whose rows exceed the limit.
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8], origin: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    match signal {
        Signal::Logs => logs::rows(&message(encoding, body)?, origin, limits),
        Signal::Traces => spans::rows(&message(encoding, body)?, origin, limits),
        Signal::Metrics => metrics::rows(&message(encoding, body)?, origin, limits),
    }
}

/// Makes the rows of metrics that were made by this system itself, as [`decode`] does of those that were sent.
///
/// # Errors
/// [`OtlpError::RowsTooLarge`].
pub fn metric_rows(request: &ExportMetricsServiceRequest, origin: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    metrics::rows(request, origin, limits)
}

fn message<T: Message + Default>(encoding: Encoding, body: &[u8]) -> Result<T, OtlpError>
where
    json::Json<T>: DeserializeOwned,
{
    match encoding {
        Encoding::Protobuf => T::decode(body).map_err(|source| OtlpError::Protobuf { source }),
        Encoding::Json => json::read(body),
    }
}
