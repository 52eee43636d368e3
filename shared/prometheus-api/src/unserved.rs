use axum::response::Response;
use http::StatusCode;

use crate::respond;

/// Documented paths that aren't served, and why.
pub(crate) const UNSERVED: [(&str, &str); 7] = [
    ("/api/v1/write", "metrics are taken in as OTLP"),
    ("/api/v1/read", "series are read with queries"),
    ("/api/v1/otlp/v1/metrics", "OTLP is taken in at the OTLP port, /v1/metrics"),
    ("/api/v1/status/tsdb", "there is no head of series in memory"),
    ("/api/v1/status/walreplay", "nothing is replayed at the start"),
    ("/api/v1/features", "there is no list of features"),
    ("/api/v1/notifications", "there are no notifications"),
];

pub(crate) async fn unserved(path: &'static str, why: &'static str) -> Response {
    respond::error(StatusCode::NOT_IMPLEMENTED, "not_implemented", &format!("{path} is not supported: {why}"))
}
