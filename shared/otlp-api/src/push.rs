//! `POST /loki/api/v1/push`: lines of Loki's agents, JSON or snappy protobuf.
//!
//! They become the rows that the same lines would make as OTLP, take the same way into the WAL, and are acknowledged when they
//! are durable. Loki's answers: 204 without a body, and errors as text, or as JSON where `Accept` names it.

mod json;
mod labels;
mod protobuf;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use icegate_http::{TenantScope, accepts, error_type, retry_after};
use icegate_model::{ErrorKind, Signal};
use icegate_otlp::LogStream;

use crate::content::{self, Compression};
use crate::metrics::Transport;
use crate::{Ingest, IngestError, receive};

/// Where agents push to.
pub(crate) const PATHS: [&str; 2] = ["/loki/api/v1/push", "/api/prom/push"];

/// How a push is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Protobuf,
}

/// Takes a push in and answers when its lines are durable.
pub(crate) async fn push(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let began = Instant::now();
    let json = accepts(request.headers(), "application/json");
    let response = match take(&ingest, request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Unavailable) {
                tracing::warn!(%error, "push was not taken");
            }
            failed(&error, json)
        }
    };
    ingest.metrics().answered(Signal::Logs, Transport::Push, response.status().as_str(), began.elapsed());
    response
}

async fn take(ingest: &Ingest, request: Request) -> Result<(), IngestError> {
    let _admitted = ingest.admit()?;
    let (head, sent) = request.into_parts();
    let scope = TenantScope::of(&head.headers)?;
    let format = format(&head.headers)?;
    let compression = compression(&head.headers, format)?;
    let body = receive::body(ingest, &head.headers, compression, sent).await?;
    let limit = ingest.bounds().decoded_bytes;
    let taken = ingest.take_streams(&scope, body, move |body| decode(format, body, limit)).await?;
    if taken.rejected.count > 0 {
        let (refused, reasons) = (taken.rejected.count, taken.rejected.message());
        return Err(IngestError::Refused { refused, parts: "entries", reasons });
    }
    Ok(())
}

/// Protobuf where the request doesn't say, as Loki.
fn format(headers: &HeaderMap) -> Result<Format, IngestError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Format::Protobuf) };
    let given = String::from_utf8_lossy(value.as_bytes());
    match given.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-protobuf" => Ok(Format::Protobuf),
        _ => Err(IngestError::ContentType { given: content::shown(&given), allowed: content::PROTOBUF_OR_JSON }),
    }
}

/// The compression around the body; snappy is part of the protobuf format, whether it is named or not.
fn compression(headers: &HeaderMap, format: Format) -> Result<Compression, IngestError> {
    let named = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if format == Format::Protobuf && named.trim().eq_ignore_ascii_case("snappy") {
        return Ok(Compression::Identity);
    }
    content::compression(headers)
}

fn decode(format: Format, body: &Bytes, limit: usize) -> Result<Vec<LogStream>, IngestError> {
    match format {
        Format::Json => json::streams(body),
        Format::Protobuf => protobuf::streams(body, limit),
    }
}

fn failed(error: &IngestError, json: bool) -> Response {
    refused(error.status(), &error.to_string(), json)
}

/// An error as Loki writes it.
pub(crate) fn refused(status: StatusCode, message: &str, json: bool) -> Response {
    let (content_type, body) = if json {
        let kind = error_type(status);
        let body = serde_json::json!({ "status": "error", "errorType": kind, "error": message, "message": message });
        ("application/json", body.to_string())
    } else {
        ("text/plain; charset=utf-8", message.to_owned())
    };
    let mut response = (status, [(CONTENT_TYPE, content_type)], body).into_response();
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(seconds) = retry_after(status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
