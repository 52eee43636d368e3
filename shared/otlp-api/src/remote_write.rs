//! `POST /api/v1/write`: what a Prometheus, or an agent like one, writes to another. Remote write 1.0 and 2.0.
//!
//! The message is told by the content type, as both specifications say; the header with the protocol's version decides nothing. An
//! answer is 204 when all that was sent is durable. What is refused for its content never refuses the rest: that is durable too, and the
//! answer 400 names what was refused, so that its sender doesn't send it again. Answers to 2.0 say how much was written.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use icegate_http::TenantScope;
use icegate_model::{ErrorKind, Signal};
use icegate_otlp::{WriteVersion, Written};

use crate::content::{self, Compression};
use crate::metrics::Transport;
use crate::{Ingest, IngestError, push, receive};

/// Where senders write to.
pub(crate) const PATH: &str = "/api/v1/write";

const ALLOWED: &str =
    "application/x-protobuf with proto=prometheus.WriteRequest, which is the default, or proto=io.prometheus.write.v2.Request";
const SNAPPY: &str = "allowed is snappy, in its block format";

const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// Takes a write in and answers when it is durable.
pub(crate) async fn write(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let began = Instant::now();
    let version = version(request.headers());
    let counts_written = matches!(version, Ok(WriteVersion::V2));
    let taken = match version {
        Ok(version) => take(&ingest, version, request).await,
        Err(error) => Err(error),
    };
    let (written, outcome) = match taken {
        Ok(written) => {
            let refused = whole(&written);
            (written, refused)
        }
        Err(error) => (Written::default(), Err(error)),
    };
    let mut response = match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Unavailable) {
                tracing::warn!(%error, "remote write was not taken");
            }
            push::refused(error.status(), &error.to_string(), false)
        }
    };
    if counts_written {
        count(&written, response.headers_mut());
    }
    ingest.metrics().answered(Signal::Metrics, Transport::RemoteWrite, response.status().as_str(), began.elapsed());
    response
}

async fn take(ingest: &Ingest, version: WriteVersion, request: Request) -> Result<Written, IngestError> {
    let _admitted = ingest.admit()?;
    let (head, sent) = request.into_parts();
    let scope = TenantScope::of(&head.headers)?;
    check_encoding(&head.headers)?;
    let block = receive::body(ingest, &head.headers, Compression::Identity, sent).await?;
    ingest.take_remote_write(&scope, version, block).await
}

/// Whether nothing was refused.
fn whole(written: &Written) -> Result<(), IngestError> {
    let rejected = &written.rows.rejected;
    if rejected.count == 0 {
        return Ok(());
    }
    Err(IngestError::Refused { refused: rejected.count, parts: "points", reasons: rejected.message() })
}

fn count(written: &Written, headers: &mut HeaderMap) {
    headers.insert(SAMPLES_WRITTEN, written.samples.into());
    headers.insert(HISTOGRAMS_WRITTEN, written.histograms.into());
    headers.insert(EXEMPLARS_WRITTEN, written.exemplars.into());
}

/// The message that the content type names; that of 1.0 where it names none.
fn version(headers: &HeaderMap) -> Result<WriteVersion, IngestError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(WriteVersion::V1) };
    let given = String::from_utf8_lossy(value.as_bytes());
    let refused = || IngestError::ContentType { given: content::shown(&given), allowed: ALLOWED };
    let mut parts = given.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if media_type.is_empty() {
        return Ok(WriteVersion::V1);
    }
    if !media_type.eq_ignore_ascii_case("application/x-protobuf") {
        return Err(refused());
    }
    let mut version = WriteVersion::V1;
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        if name.trim().eq_ignore_ascii_case("proto") {
            let named = value.trim().trim_matches('"');
            let known = [WriteVersion::V1, WriteVersion::V2].into_iter().find(|version| version.message() == named);
            version = known.ok_or_else(refused)?;
        }
    }
    Ok(version)
}

/// Snappy, whether it is named or not, as Prometheus takes it.
fn check_encoding(headers: &HeaderMap) -> Result<(), IngestError> {
    let values: Vec<_> =
        headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let given = values.join(", ");
    if given.trim().is_empty() || given.trim().eq_ignore_ascii_case("snappy") {
        return Ok(());
    }
    Err(IngestError::ContentEncoding { given: content::shown(&given), allowed: SNAPPY })
}
