//! Prometheus' query API as a function.
//!
//! Row 7, an adapter. The routes are those of the process.

use std::sync::Arc;

use http::StatusCode;
use icegate_auth::Scope;
use icegate_function_host::http::Http;
use icegate_lake::Lake;
use icegate_queries::{BuildInfo, Data, Reader};
use prometheus_client::registry::Registry;

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
    Ok(Http {
        router: icegate_queries::prometheus(lake.config(), &reader, build),
        need: Scope::Read,
        refuse: Arc::new(|_, status, message| icegate_queries::refuse_prometheus(status, message)),
        late: StatusCode::SERVICE_UNAVAILABLE,
        advice: "narrow the time range, or ask the function URL, which waits longer",
        // Tempo's paths and Prometheus' begin with /api, so that one gateway tells them by what comes before it.
        base_path: "/prometheus",
    })
}
