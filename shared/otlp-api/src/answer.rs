use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use icegate_http::retry_after;
use icegate_model::{ErrorKind, Signal};
use icegate_otlp::Encoding;

use crate::content::media_type;
use crate::{IngestError, Taken};

/// `google.rpc.Code` of an error, which OTLP's error body carries.
const fn rpc_code(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::Invalid => 3,
        ErrorKind::NotFound => 5,
        ErrorKind::Forbidden => 7,
        ErrorKind::LimitExceeded => 8,
        ErrorKind::Conflict => 10,
        ErrorKind::Unsupported => 12,
        ErrorKind::Internal => 13,
        ErrorKind::Unavailable => 14,
        ErrorKind::Corrupt => 15,
        ErrorKind::Unauthenticated => 16,
    }
}

pub(crate) fn taken(signal: Signal, encoding: Encoding, taken: &Taken) -> Response {
    let body = icegate_otlp::response(signal, encoding, &taken.rejected);
    (StatusCode::OK, [(CONTENT_TYPE, media_type(encoding))], body).into_response()
}

/// A `google.rpc.Status` in the request's encoding.
pub(crate) fn failed(encoding: Encoding, error: &IngestError) -> Response {
    refused(encoding, error.status(), error.kind(), &error.to_string())
}

/// The same for what a host refuses.
pub(crate) fn refused(encoding: Encoding, status: StatusCode, kind: ErrorKind, message: &str) -> Response {
    let body = icegate_otlp::status_body(encoding, rpc_code(kind), message);
    let mut response = (status, [(CONTENT_TYPE, media_type(encoding))], body).into_response();
    if let Some(seconds) = retry_after(status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
