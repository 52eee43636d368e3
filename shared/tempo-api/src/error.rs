use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use datafusion::error::DataFusionError;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use icegate_engine::{Engine, EngineError, is_out_of_memory, is_stale, kind_of};
use icegate_http::HttpError;
use icegate_model::ErrorKind;
use icegate_otlp::OtlpError;
use icegate_traceql::TraceqlError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TempoError {
    /// A header or parameter that isn't allowed.
    #[error(transparent)]
    Request(#[from] HttpError),
    /// Parameters that don't go together, or a value in Tempo's words.
    #[error("{0}")]
    Parameters(String),
    /// The query isn't TraceQL.
    #[error("invalid TraceQL query: {0}")]
    Parse(#[source] TraceqlError),
    /// The query has no answer.
    #[error(transparent)]
    Query(#[from] TraceqlError),
    /// The name of a tag isn't one of TraceQL.
    #[error("please provide a valid tagName: failed to parse identifier {tag}: {source}")]
    Tag {
        /// As asked for.
        tag: String,
        /// What is wrong.
        source: TraceqlError,
    },
    /// The rows can't be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The rows can't be read.
    #[error("can't read the spans: {0}")]
    Rows(#[from] DataFusionError),
    /// A row that doesn't hold a span.
    #[error("a stored span can't be read: {0}")]
    Span(#[from] OtlpError),
    /// A column that isn't as the table's definition says.
    #[error("column {column} of spans is missing or has another type than {expected}")]
    Column {
        /// The column.
        column: &'static str,
        /// Its type.
        expected: &'static str,
    },
    /// An attribute whose text isn't of its type.
    #[error("attribute {key} in {column} of a stored span is not of the type that is stored for it")]
    Value {
        /// The column.
        column: &'static str,
        /// The attribute.
        key: String,
    },
    /// All queries together need more memory than they may have.
    #[error(
        "running queries need more memory than engine.memory_size_mb, which is {}: ask for fewer traces or a shorter range",
        *max >> 20
    )]
    Memory {
        /// The bound in bytes.
        max: usize,
    },
    /// No trace has the id.
    #[error("trace not found")]
    NoSuchTrace,
    /// A trace that is larger than the bound.
    #[error("trace exceeds max size (max bytes: {max}): tempo.max_trace_bytes")]
    TraceTooLarge {
        /// [`crate::TempoConfig::max_trace_bytes`].
        max: usize,
    },
    /// More names or values than an answer may have.
    #[error("more than {max} names or values are found, which is how many an answer may have: ask for a shorter range")]
    TooManyNames {
        /// The bound.
        max: usize,
    },
    /// An answer that is larger than the bound.
    #[error("the answer is larger than {max} bytes, which are allowed: lower the limit or aggregate more")]
    AnswerTooLarge {
        /// The bound.
        max: usize,
    },
    /// A form that is larger than the bound or didn't arrive.
    #[error("can't read the form, which may have {max} bytes: {source}")]
    Form {
        /// The bound.
        max: usize,
        /// Why.
        source: axum::Error,
    },
    /// As many queries run as may.
    #[error("too many queries at once: tempo.max_concurrent_queries is {max}")]
    Busy {
        /// [`crate::TempoConfig::max_concurrent_queries`].
        max: usize,
    },
    /// The query took too long.
    #[error("the query took longer than tempo.query_timeout_secs, which is {}s: narrow the time range or the query", max.as_secs_f64())]
    Timeout {
        /// [`crate::TempoConfig::query_timeout`].
        max: Duration,
    },
    /// The query's task ended without an answer.
    #[error("the query failed by a defect of the server")]
    Panicked,
    /// A part of Tempo's API that isn't there.
    #[error("{0} is not supported")]
    NotServed(String),
    /// No endpoint has this path.
    #[error("404 page not found")]
    NoSuchPath,
}

/// What [`crate::observe`] needs to log an error.
#[derive(Clone)]
pub(crate) struct Failure(pub(crate) Arc<str>);

impl TempoError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Request(error) => error.kind(),
            Self::Parameters(_) | Self::Parse(_) | Self::Tag { .. } | Self::Form { .. } => ErrorKind::Invalid,
            Self::Query(error) => error.kind(),
            Self::Engine(error) => of_rows(error.kind()),
            Self::Rows(error) if is_stale(error) => ErrorKind::Conflict,
            Self::Rows(error) => of_rows(kind_of(error)),
            Self::Span(_) | Self::Column { .. } | Self::Value { .. } => ErrorKind::Corrupt,
            Self::Memory { .. }
            | Self::TraceTooLarge { .. }
            | Self::TooManyNames { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Timeout { .. } => ErrorKind::LimitExceeded,
            Self::NoSuchTrace | Self::NoSuchPath => ErrorKind::NotFound,
            Self::Busy { .. } => ErrorKind::Unavailable,
            Self::Panicked => ErrorKind::Internal,
            Self::NotServed(_) => ErrorKind::Unsupported,
        }
    }

    /// Names the bound where memory ran out: the operator that met it may not know it.
    pub(crate) fn named(self, engine: &Engine) -> Self {
        if is_out_of_memory(&self) { Self::Memory { max: engine.memory_bytes() } } else { self }
    }

    /// The HTTP status: by kind, but for those that have their own.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            // What spans carry makes the query fail: Tempo says so by 500.
            Self::Query(error) if error.is_of_evaluation() => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TraceTooLarge { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => icegate_http::status(self.kind()),
        }
    }
}

/// What is missing below the API, a table that nobody has created yet, isn't what the client asked for.
const fn of_rows(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::NotFound => ErrorKind::Unavailable,
        kind => kind,
    }
}

impl IntoResponse for TempoError {
    fn into_response(self) -> Response {
        let (status, message) = (self.status(), self.to_string());
        let mut response = match self {
            // Tempo's 404 of a trace has no body, and its 400 no line break.
            Self::NoSuchTrace => status.into_response(),
            _ if status == StatusCode::BAD_REQUEST => (status, [(CONTENT_TYPE, crate::TEXT)], message.clone()).into_response(),
            _ => crate::refuse(status, &message),
        };
        response.extensions_mut().insert(Failure(Arc::from(message)));
        response
    }
}
