//! Prometheus' HTTP API, as far as it is served: that there is a server, and which.
//!
//! Row 4. [`router`] is what a host serves on the Prometheus port. Knows no server. Metrics are taken in and lie in the table `metrics`;
//! this API doesn't read them, and each documented path that would says so with 501 rather than with an empty answer (READ-2).
//!
//! Errors are `{"status":"error","errorType":…,"error":…}`, as Prometheus'.
//!
//! ```
//! let router: axum::Router = icegate_prometheus_api::router(&icegate_prometheus_api::BuildInfo::default());
//! ```

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

const TEXT: &str = "text/plain; charset=utf-8";

/// Documented paths that aren't served.
const UNSERVED: [&str; 24] = [
    "/api/v1/query",
    "/api/v1/query_range",
    "/api/v1/query_exemplars",
    "/api/v1/format_query",
    "/api/v1/parse_query",
    "/api/v1/labels",
    "/api/v1/label/{name}/values",
    "/api/v1/series",
    "/api/v1/metadata",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/alertmanagers",
    "/api/v1/targets",
    "/api/v1/targets/metadata",
    "/api/v1/scrape_pools",
    "/api/v1/status/runtimeinfo",
    "/api/v1/status/flags",
    "/api/v1/status/config",
    "/api/v1/status/tsdb",
    "/api/v1/status/walreplay",
    "/api/v1/features",
    "/api/v1/write",
    "/api/v1/read",
    "/api/v1/otlp/v1/metrics",
];

/// Which build serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// Its version.
    pub version: String,
    /// The commit that it was built from; may be empty.
    pub revision: String,
}

/// Every documented path; any other is 404.
pub fn router(build: &BuildInfo) -> Router {
    let unserved = UNSERVED.into_iter().fold(Router::new(), |router, path| router.route(path, any(move || unserved(path))));
    let build = buildinfo(build);
    unserved
        .route("/-/ready", get(|| text("IceGate is ready.\n")))
        .route("/-/healthy", get(|| text("IceGate is healthy.\n")))
        .route("/api/v1/status/buildinfo", get(move || std::future::ready(json(StatusCode::OK, build.clone()))))
        .fallback(|| std::future::ready((StatusCode::NOT_FOUND, [(CONTENT_TYPE, TEXT)], "404 page not found\n").into_response()))
}

/// An error as this API writes it, also for what a host refuses before a request reaches the routes.
#[must_use]
pub fn refuse(status: StatusCode, message: &str) -> Response {
    let kind = icegate_http::error_type(status);
    let mut response = json(status, serde_json::json!({ "status": "error", "errorType": kind, "error": message }).to_string());
    if let Some(seconds) = icegate_http::retry_after(status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

async fn unserved(path: &'static str) -> Response {
    refuse(StatusCode::NOT_IMPLEMENTED, &format!("{path} is not supported: this build stores metrics and does not query them"))
}

async fn text(body: &'static str) -> Response {
    ([(CONTENT_TYPE, TEXT)], body).into_response()
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Prometheus' fields; those that this build doesn't have are empty.
fn buildinfo(build: &BuildInfo) -> String {
    let BuildInfo { version, revision } = build;
    let data = serde_json::json!({
        "version": version, "revision": revision, "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
    });
    serde_json::json!({ "status": "success", "data": data }).to_string()
}
