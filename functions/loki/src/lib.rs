//! Loki's query API as a function.
//!
//! Row 7, an adapter. The routes are those of the process, but for tails, which need a connection that stays.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::StatusCode;
use icegate_auth::Scope;
use icegate_function_host::http::{Http, Refuse};
use icegate_lake::Lake;
use icegate_queries::{BuildInfo, Data, Reader};
use prometheus_client::registry::Registry;

/// The paths of tails.
const TAILS: [&str; 2] = ["/loki/api/v1/tail", "/api/prom/tail"];

/// What the function serves. Makes no request.
///
/// # Errors
/// Where the lake's tables or the engine can't be opened.
pub async fn http(
    lake: &Lake,
    build: BuildInfo,
    registry: &mut Registry,
) -> Result<Http, Box<dyn std::error::Error + Send + Sync>> {
    let data = Data { tables: lake.tables()?, wal: Arc::clone(lake.wal()), clock: Arc::clone(lake.clock()) };
    let reader = Reader::new(lake.config(), &data, registry)?;
    let api = icegate_queries::loki(lake.config(), &reader, build, registry);
    let format = icegate_queries::loki_errors(lake.config());
    let refuse: Refuse = Arc::new(move |request, status, message| icegate_queries::refuse_loki(request, format, status, message));
    Ok(Http {
        router: without_tails(api, &refuse),
        need: Scope::Read,
        refuse,
        late: StatusCode::GATEWAY_TIMEOUT,
        advice: "narrow the time range or the selector, or ask the function URL, which waits longer",
        base_path: "",
    })
}

fn without_tails(api: Router, refuse: &Refuse) -> Router {
    TAILS.into_iter().fold(Router::new(), |router, path| router.route(path, no_tail(path, refuse))).fallback_service(api)
}

fn no_tail(path: &'static str, refuse: &Refuse) -> axum::routing::MethodRouter {
    let refuse = Arc::clone(refuse);
    any(move |request: Request| {
        let message = format!("{path} is not served by a function, which keeps no connection: ask a process (icegate query run)");
        let response = refuse(&request.into_parts().0, StatusCode::NOT_IMPLEMENTED, &message);
        std::future::ready(response)
    })
}
