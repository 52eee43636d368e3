//! Tempo's HTTP API, as far as it is served: that there is a server, and which.
//!
//! Row 4. [`router`] is what a host serves on the Tempo port. Knows no server. Traces are taken in and lie in the table `spans`; this API
//! doesn't read them, and each documented path that would says so with 501 rather than with an empty answer (READ-2).
//!
//! Errors are text, as Tempo's.
//!
//! ```
//! let router: axum::Router = icegate_tempo_api::router(&icegate_tempo_api::BuildInfo::default());
//! ```

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

const TEXT: &str = "text/plain; charset=utf-8";

/// Documented paths that aren't served.
const UNSERVED: [&str; 13] = [
    "/api/traces/{id}",
    "/api/v2/traces/{id}",
    "/api/v2/traces/diff",
    "/api/search",
    "/api/search/tags",
    "/api/search/tag/{name}/values",
    "/api/v2/search/tags",
    "/api/v2/search/tag/{name}/values",
    "/api/metrics/query_range",
    "/api/metrics/query",
    "/api/mcp",
    "/status",
    "/status/{part}",
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
        .route("/ready", get(|| text("ready\n")))
        .route("/api/echo", get(|| text("echo\n")))
        .route("/api/status/buildinfo", get(move || std::future::ready(json(build.clone()))))
        .fallback(|| std::future::ready(refuse(StatusCode::NOT_FOUND, "404 page not found")))
}

/// An error as this API writes it, also for what a host refuses before a request reaches the routes.
#[must_use]
pub fn refuse(status: StatusCode, message: &str) -> Response {
    let mut response = (status, [(CONTENT_TYPE, TEXT)], format!("{message}\n")).into_response();
    if let Some(seconds) = icegate_http::retry_after(status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

async fn unserved(path: &'static str) -> Response {
    refuse(StatusCode::NOT_IMPLEMENTED, &format!("{path} is not supported: this build stores traces and does not query them"))
}

async fn text(body: &'static str) -> Response {
    ([(CONTENT_TYPE, TEXT)], body).into_response()
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Tempo's fields; those that this build doesn't have are empty.
fn buildinfo(build: &BuildInfo) -> String {
    let BuildInfo { version, revision } = build;
    serde_json::json!({
        "version": version, "revision": revision, "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
    })
    .to_string()
}
