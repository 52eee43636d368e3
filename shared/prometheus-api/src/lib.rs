//! Prometheus' HTTP API over one tenant's metrics, as Grafana, promtool and curl speak it.
//!
//! Row 4, above `engine` and `promql`. [`router`] is what a host serves on the Prometheus port; it reads parameters, lets `promql`
//! evaluate over the series that it makes of the tenant's rows, and writes Prometheus' JSON. Knows no server.
//!
//! ```text
//!  request ─▶ parameters ─▶ promql ──select──▶ series ◀─translate── rows of metrics ◀── engine
//!                             │                (a thread that may wait)   (tables and WAL)
//!                             └─ answer, warnings, infos ─▶ JSON
//! ```
//!
//! - **TENANT-1** the tenant comes from the headers alone and goes to the engine alone; no parameter and no query reaches it.
//! - **READ-2** a query that can't be answered fully is an error or says so in its warnings.
//! - **BOUND-1** form, running queries, time, samples, bytes, steps and answer are bounded ([`PrometheusConfig`]); each error names
//!   its bound.
//!
//! Rows of OTLP become series when they are read ([`Translation`]), so that another strategy holds for what is stored already. Rows of
//! remote write are series already, with the names and labels that they were written with.
//!
//! | status | `errorType` | when |
//! |---|---|---|
//! | 400 | `bad_data` | a parameter, tenant or query that isn't allowed |
//! | 413, 429 | `bad_data`, `too_many_requests` | a form that is too large; too many queries at once |
//! | 422 | `execution` | a query that can't be evaluated, or goes over a bound |
//! | 501 | `not_implemented` | documented parts of the API that aren't served |
//! | 503 | `timeout`, `unavailable` | a query that takes too long; storage doesn't answer |
//!
//! Where this API differs from Prometheus:
//!
//! - `target_info` has a sample wherever its resource has a point.
//! - `metadata` has what OTLP and remote writes say of type, description and unit, whoever scraped it; a unit of OTLP's is in Prometheus'
//!   words.
//! - An exemplar is found by points up to an hour after it.
//! - `stats` has the time of evaluation and the samples that were read.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_prometheus_api::{BuildInfo, PrometheusConfig, PrometheusState, router};
//! # fn example(engine: Arc<icegate_engine::Engine>) -> axum::Router {
//! let clock = Arc::new(icegate_model::SystemClock);
//! router(PrometheusState { engine, clock, config: PrometheusConfig::default(), build: BuildInfo::default() })
//! # }
//! ```

mod call;
mod config;
mod discovery;
mod error;
mod language;
mod metadata;
mod params;
mod query;
mod query_exemplars;
mod render;
mod respond;
mod run;
mod scan;
mod state;
mod status;
mod translate;
mod unserved;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use http::{HeaderValue, Method, StatusCode, header};

pub use config::PrometheusConfig;
pub use error::PrometheusError;
pub use icegate_http::BuildInfo;
pub use icegate_promql::{Limits, ParseOptions};
pub use state::PrometheusState;
pub use translate::{Promotion, Strategy, Translation};

use respond::Notes;
use state::Shared;
use unserved::{UNSERVED, no_such_path, unserved};

/// All endpoints that read; a host that takes metrics in merges routes for those. Any other path is 404.
pub fn router(state: PrometheusState) -> Router {
    let shared = Arc::new(Shared::new(state));
    let unserved =
        UNSERVED.into_iter().fold(Router::new(), |router, (path, why)| router.route(path, any(move || unserved(path, why))));
    let fixed = status::fixed().into_iter().fold(unserved, |router, (path, data)| {
        router.route(path, get(move || std::future::ready(respond::data(&data, Notes::default()))))
    });
    fixed
        .route("/api/v1/query", form(query::query))
        .route("/api/v1/query_range", form(query::query_range))
        .route("/api/v1/query_exemplars", form(query_exemplars::query_exemplars))
        .route("/api/v1/format_query", form(language::format_query))
        .route("/api/v1/parse_query", form(language::parse_query))
        .route("/api/v1/labels", form(discovery::labels))
        .route("/api/v1/label/{name}/values", get(discovery::label_values))
        .route("/api/v1/series", form(discovery::series))
        .route("/api/v1/metadata", get(metadata::metadata))
        .route("/api/v1/status/buildinfo", get(status::buildinfo))
        .route("/-/ready", get(|| std::future::ready(respond::text(StatusCode::OK, "IceGate is ready.\n"))))
        .route("/-/healthy", get(|| std::future::ready(respond::text(StatusCode::OK, "IceGate is healthy.\n"))))
        .fallback(no_such_path)
        .method_not_allowed_fallback(|| std::future::ready(respond::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n")))
        .layer(from_fn(cross_origin))
        .with_state(shared)
}

/// Parameters come in the query string or in a form.
fn form<H: Handler<T, Arc<Shared>>, T: 'static>(handler: H) -> MethodRouter<Arc<Shared>> {
    get(handler.clone()).post(handler)
}

/// Answers browsers that ask whether they may call from elsewhere.
async fn cross_origin(request: Request, next: Next) -> Response {
    let is_question = request.method() == Method::OPTIONS;
    let mut response = if is_question { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if is_question {
        let allowed = "Accept, Authorization, Content-Type, Origin, X-Scope-OrgID";
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding, Origin"));
    response
}

/// An error as this API writes it, also for what a host refuses before a request reaches the routes.
#[must_use]
pub fn refuse(status: StatusCode, message: &str) -> Response {
    respond::error(status, icegate_http::error_type(status), message)
}
