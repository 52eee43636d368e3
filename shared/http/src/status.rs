use http::StatusCode;
use icegate_model::ErrorKind;

/// What `Retry-After` says where it is sent.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// The HTTP status of an error.
///
/// A bound that the request itself goes over is 400, as in Loki and Prometheus; an endpoint that means "too many at once" or "too
/// large a body" says 429 or 413 itself.
#[must_use]
pub const fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid | ErrorKind::LimitExceeded => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // A conflict that reaches a client was retried inside; the client's retry may win.
        ErrorKind::Conflict | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The `Retry-After` that goes with a status, where the client should come again by itself.
#[must_use]
pub fn retry_after(status: StatusCode) -> Option<u64> {
    let again = status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS;
    again.then_some(RETRY_AFTER_SECONDS)
}

/// The `WWW-Authenticate` that goes with a status, where the client should come again with credentials.
#[must_use]
pub fn challenge(status: StatusCode) -> Option<&'static str> {
    (status == StatusCode::UNAUTHORIZED).then_some(r#"Bearer realm="icegate", Basic realm="icegate", charset="UTF-8""#)
}

/// What Loki's and Prometheus's JSON errors call the kind of an error, by its status.
#[must_use]
pub fn error_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::NOT_IMPLEMENTED => "not_implemented",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        StatusCode::GATEWAY_TIMEOUT => "timeout",
        status if status.is_server_error() => "internal",
        _ => "bad_data",
    }
}
