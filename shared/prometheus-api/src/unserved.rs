use axum::response::Response;
use http::{StatusCode, Uri};

use crate::respond;

/// Where a host that takes metrics in has a route of its own.
const WRITES: [&str; 2] = ["/api/v1/write", "/api/v1/otlp/v1/metrics"];
const TAKES_NO_METRICS: &str =
    "this server answers queries only: send metrics to one that takes them in (icegate run or icegate ingest run)";

/// Documented paths that aren't served, and why.
pub(crate) const UNSERVED: [(&str, &str); 5] = [
    ("/api/v1/read", "series are read with queries"),
    ("/api/v1/status/tsdb", "there is no head of series in memory"),
    ("/api/v1/status/walreplay", "nothing is replayed at the start"),
    ("/api/v1/features", "there is no list of features"),
    ("/api/v1/notifications", "there are no notifications"),
];

pub(crate) async fn unserved(path: &'static str, why: &'static str) -> Response {
    respond::error(StatusCode::NOT_IMPLEMENTED, "not_implemented", &format!("{path} is not supported: {why}"))
}

/// Any path that has no route.
pub(crate) async fn no_such_path(uri: Uri) -> Response {
    if WRITES.contains(&uri.path()) {
        return respond::text(StatusCode::NOT_IMPLEMENTED, TAKES_NO_METRICS);
    }
    respond::text(StatusCode::NOT_FOUND, "404 page not found\n")
}
