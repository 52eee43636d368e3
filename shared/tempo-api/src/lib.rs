//! Tempo's HTTP API over one tenant's traces, as Grafana and curl speak it.
//!
//! Row 4, above `engine` and `traceql`. [`router`] is what a host serves on the Tempo port; it reads parameters, makes spans and traces of
//! the rows that `engine` opens for the request's tenant, lets `traceql` answer over them, and writes Tempo's JSON. Knows no server and no
//! file.
//!
//! - **TENANT-1** the tenant comes from the headers alone and goes to the engine alone; no parameter and no query reaches it.
//! - **READ-1** a search reads one view of tables and WAL, so that a trace is whole wherever its spans lie.
//! - **READ-2** a query that can't be answered fully is an error. What the engine warns of is in the answer: `status` and `message` where
//!   Tempo has them, else a member `warnings`; and in the header `Warning`.
//! - **LOSSLESS-1** a trace by its id has every span, resource and scope as it was sent.
//! - **BOUND-1** running queries, time, memory, bytes of a trace and of an answer are bounded ([`TempoConfig`], the engine's memory); each
//!   error names its bound.
//!
//! | status | when |
//! |---|---|
//! | 400 | a parameter, tenant or query that isn't allowed, or a bound of the query that is reached |
//! | 404 | no such trace (v1 alone, without a body), no such path |
//! | 422 | a trace that is larger than it may be |
//! | 429 | too many queries at once; `Retry-After` |
//! | 500 | what spans carry makes the query fail, as a division by zero does |
//! | 501 | parts of Tempo's API that aren't served |
//! | 503 | storage doesn't answer; `Retry-After` |
//! | 504 | a query that takes too long |
//!
//! Where Tempo departs from its documents or leaves open, this API says:
//!
//! - A trace that is searched for is made of the spans that start within [`TempoConfig::trace_reach`] of the time that is searched; a trace by
//!   its id, without `start` and `end`, of all.
//! - Searches give the newest traces, whether `with(most_recent=true)` is said or not. Without `start` and `end` searches, tags and values look
//!   at the last hour.
//! - Of several spans without a parent the one of the last service, then the latest, is the root.
//! - `minDuration` and `maxDuration` hold for `q` too. Each of several `tags` may be on another span of the trace.
//! - Traces, searches, tags and values are JSON or protobuf, as `Accept` says, and traces OTLP/JSON for `application/json;format=otlp`.
//!   Metrics are JSON.
//! - Searches, tags, values and metrics are streams, too ([`Streams`]).
//! - Parameters that Tempo doesn't know are ignored, as there. Those of `/api/v2/traces/{id}` that ask for a part of the trace are 501.
//!
//! Errors are the bare text, as Tempo's.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_tempo_api::{BuildInfo, Metrics, TempoConfig, TempoState, router};
//! # fn example(engine: Arc<icegate_engine::Engine>, registry: &mut prometheus_client::registry::Registry) -> axum::Router {
//! let clock = Arc::new(icegate_model::SystemClock);
//! let build = BuildInfo { version: "0.1.0".to_owned(), revision: "a619039".to_owned() };
//! router(TempoState { engine, clock, config: TempoConfig::default(), metrics: Metrics::register(registry), build })
//! # }
//! ```

mod call;
mod config;
mod error;
mod find;
mod look;
mod measure;
mod message;
mod metrics;
mod metrics_query;
mod observe;
mod params;
mod render;
mod run;
mod search;
mod spans;
mod state;
mod streams;
mod tag_search;
mod tag_values;
mod tags;
mod trace_by_id;
mod whole_trace;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

pub use config::TempoConfig;
pub use error::TempoError;
pub use icegate_http::BuildInfo;
pub use metrics::Metrics;
pub use state::TempoState;
pub use streams::{Messages, Method, Streams};

use state::Shared;

const TEXT: &str = "text/plain; charset=utf-8";

/// Documented paths that aren't served.
const UNSERVED: [&str; 4] = ["/api/v2/traces/diff", "/api/mcp", "/status", "/status/{part}"];

/// Every documented path; any other is 404.
pub fn router(state: TempoState) -> Router {
    router_and_streams(state).0
}

/// The same, and its answers as streams, for hosts that serve gRPC.
pub fn router_and_streams(state: TempoState) -> (Router, Streams) {
    let shared = Arc::new(Shared::new(state));
    (routes(&shared), Streams(shared))
}

fn routes(shared: &Arc<Shared>) -> Router {
    let build = buildinfo(&shared.build);
    let unserved = UNSERVED.into_iter().fold(Router::new(), |router, path| router.route(path, any(move || unserved(path))));
    unserved
        .route("/api/traces/{id}", form(trace_by_id::v1))
        .route("/api/v2/traces/{id}", form(trace_by_id::v2))
        .route("/api/search", form(search::search))
        .route("/api/search/tags", form(tags::v1))
        .route("/api/v2/search/tags", form(tags::v2))
        .route("/api/search/tag/{*name}", form(tag_values::v1))
        .route("/api/v2/search/tag/{*name}", form(tag_values::v2))
        .route("/api/metrics/query_range", form(metrics_query::query_range))
        .route("/api/metrics/query", form(metrics_query::query_instant))
        .route("/ready", get(|| text("ready\n")))
        .route("/api/echo", get(|| text("echo\n")))
        .route("/api/status/buildinfo", get(move || std::future::ready(json(build.clone()))))
        .fallback(|| std::future::ready(TempoError::NoSuchPath))
        .layer(from_fn_with_state(Arc::clone(shared), observe::observe))
        .with_state(Arc::clone(shared))
}

/// Parameters come in the query string or in a form.
fn form<H: Handler<T, Arc<Shared>>, T: 'static>(handler: H) -> MethodRouter<Arc<Shared>> {
    get(handler.clone()).post(handler)
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

async fn unserved(path: &'static str) -> TempoError {
    TempoError::NotServed(path.to_owned())
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
