//! Loki's HTTP API over one tenant's logs, as Grafana, logcli and curl speak it.
//!
//! Row 4, above `engine` and `logql`. [`router`] is what a host serves on the Loki port; it reads parameters, lets `logql` answer
//! over the rows that `engine` opens for the request's tenant, and writes Loki's JSON. Knows no server, no column and no file.
//!
//! - **TENANT-1** the tenant comes from the headers alone and goes to the engine alone; no parameter and no query reaches it.
//! - **READ-2** a query that can't be answered fully is an error; no answer is cut short silently. A scan whose objects vanish is
//!   planned once more.
//! - **BOUND-1** body, running queries, time, lines, series and bytes of an answer are bounded ([`LokiConfig`]); each error names
//!   its bound.
//!
//! | status | when |
//! |---|---|
//! | 400 | a parameter, tenant or query that isn't allowed, or a bound of the query that is reached |
//! | 413 | a form that is too large |
//! | 429 | too many queries at once; `Retry-After` |
//! | 501 | LogQL that isn't evaluated, parts of Loki's API that aren't served; logs to take in, on a host that takes none in |
//! | 503 | storage doesn't answer; `Retry-After` |
//! | 504 | a query that takes too long |
//!
//! Where Loki estimates or leaves open, this API says:
//!
//! - `index/stats`, `index/volume` and `index/volume_range` count the lines that lie in the range, exactly; bytes are those of the
//!   lines' texts, and `chunks` are files and segments. Steps of `volume_range` and `patterns` are multiples of their length.
//! - A stream that has none of the `targetLabels` counts for no series. Series come with the greatest first.
//! - `detected_fields` looks at the newest `line_limit` lines. A type is that of most values found.
//! - `patterns` are computed from the lines when they are asked for, over any range, and fit their lines as `|> "…"` does; `query`
//!   may have a pipeline.
//! - `data.stats.summary` has what was read: compressed bytes that were fetched and lines that were decoded. `data.stats.icegate` has
//!   what was planned and what of it bounds and filters left out.
//! - Answers of Loki that have no place for warnings get a member `warnings` where there are some (READ-2).
//!
//! Errors are the bare text, as Loki's; JSON where `Accept` names it or [`LokiConfig::error_format`] says so.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_loki_api::{BuildInfo, LokiConfig, LokiState, Metrics, router};
//! # fn example(engine: Arc<icegate_engine::Engine>, registry: &mut prometheus_client::registry::Registry) -> axum::Router {
//! let clock = Arc::new(icegate_model::SystemClock);
//! let build = BuildInfo { version: "0.1.0".to_owned(), revision: "a619039".to_owned() };
//! router(LokiState { engine, clock, config: LokiConfig::default(), metrics: Metrics::register(registry), build })
//! # }
//! ```

mod buildinfo;
mod call;
mod config;
mod detected_field_values;
mod detected_fields;
mod detected_labels;
mod drilldown_limits;
mod error;
mod explain;
mod format_query;
mod index_stats;
mod index_volume;
mod label_values;
mod labels;
mod metrics;
mod observe;
mod params;
mod patterns;
mod places;
mod query;
mod query_range;
mod ready;
mod render;
mod rows;
mod run;
mod series;
mod state;
mod tail;
mod unserved;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::Uri;
use icegate_http::TenantScope;
use icegate_model::TenantId;
use tower::ServiceExt;

pub use config::{ErrorFormat, LokiConfig};
pub use error::LokiError;
pub use icegate_http::BuildInfo;
pub use metrics::Metrics;
pub use observe::refuse;
pub use state::LokiState;

use state::Shared;
use unserved::{UNSERVED, unserved};

/// All endpoints that read; a host that takes logs in merges routes for those. Any other path is 404.
pub fn router(state: LokiState) -> Router {
    let mut state = state;
    let overrides = std::mem::take(&mut state.config.overrides);
    let shared = Shared::new(state);
    if overrides.is_empty() {
        return routes(shared);
    }
    let own = overrides.into_iter().map(|(tenant, config)| {
        let config = LokiConfig { max_concurrent_queries: shared.config.max_concurrent_queries, ..config };
        (tenant, routes(shared.with(config)))
    });
    let tenants = Arc::new(Tenants { own: own.collect(), others: routes(shared) });
    Router::new().fallback(move |request| tenants.answer(request))
}

/// Routes under the bounds of tenants that have their own, and under those of all others.
struct Tenants {
    own: HashMap<TenantId, Router>,
    others: Router,
}

impl Tenants {
    fn answer(self: Arc<Self>, request: Request) -> impl Future<Output = Result<Response, Infallible>> {
        let scope = TenantScope::of(request.headers());
        // Headers that name no tenant are refused there.
        let own = scope.ok().and_then(|scope| self.own.get(&scope.tenant));
        own.unwrap_or(&self.others).clone().oneshot(request)
    }
}

fn routes(shared: Shared) -> Router {
    let shared = Arc::new(shared);
    let unserved = UNSERVED.into_iter().fold(Router::new(), |router, (path, why)| router.route(path, unserved(path, why)));
    Router::new()
        .merge(unserved)
        .route("/loki/api/v1/query", form(query::query))
        .route("/loki/api/v1/query_range", form(query_range::query_range))
        .route("/loki/api/v1/labels", form(labels::labels))
        .route("/loki/api/v1/label", form(labels::labels))
        .route("/loki/api/v1/label/{name}/values", form(label_values::label_values))
        .route("/loki/api/v1/series", form(series::series))
        .route("/loki/api/v1/index/stats", form(index_stats::index_stats))
        .route("/loki/api/v1/index/volume", form(index_volume::index_volume))
        .route("/loki/api/v1/index/volume_range", form(index_volume::index_volume_range))
        .route("/loki/api/v1/detected_labels", form(detected_labels::detected_labels))
        .route("/loki/api/v1/detected_fields", form(detected_fields::detected_fields))
        .route("/loki/api/v1/detected_field/{name}/values", form(detected_field_values::detected_field_values))
        .route("/loki/api/v1/patterns", form(patterns::patterns))
        .route("/loki/api/v1/format_query", form(format_query::format_query))
        .route("/loki/api/v1/drilldown-limits", form(drilldown_limits::drilldown_limits))
        .route("/loki/api/v1/tail", get(tail::tail))
        .route("/api/prom/tail", get(tail::tail))
        .route("/loki/api/v1/explain", form(explain::explain))
        .route("/loki/api/v1/status/buildinfo", form(buildinfo::buildinfo))
        .route("/ready", get(ready::ready))
        .fallback(no_such_path)
        .layer(from_fn_with_state(Arc::clone(&shared), observe::observe))
        .with_state(shared)
}

/// Where a host that takes logs in has a route of its own.
const WRITES: [&str; 3] = ["/loki/api/v1/push", "/api/prom/push", "/otlp/v1/logs"];

async fn no_such_path(uri: Uri) -> LokiError {
    if WRITES.contains(&uri.path()) { LokiError::TakesNoLogs } else { LokiError::NoSuchPath }
}

/// Parameters come in the query string or in a form.
fn form<H: Handler<T, Arc<Shared>>, T: 'static>(handler: H) -> MethodRouter<Arc<Shared>> {
    get(handler.clone()).post(handler)
}
