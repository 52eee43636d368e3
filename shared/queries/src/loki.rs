use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use icegate_loki_api::{BuildInfo, ErrorFormat, LokiConfig, LokiState, Metrics};
use icegate_runtime::config::{Config, ErrorFormat as Configured, Loki};
use prometheus_client::registry::Registry;

use crate::Reader;

/// The Loki API.
pub fn loki(config: &Config, reader: &Reader, build: BuildInfo, registry: &mut Registry) -> Router {
    icegate_loki_api::router(LokiState {
        engine: Arc::clone(&reader.engine),
        clock: Arc::clone(&reader.clock),
        config: bounds(&config.loki),
        metrics: Metrics::register(registry),
        build,
    })
}

/// How errors of the Loki API are written.
#[must_use]
pub const fn loki_errors(config: &Config) -> ErrorFormat {
    match config.loki.error_format {
        Configured::Text => ErrorFormat::Text,
        Configured::Json => ErrorFormat::Json,
    }
}

/// The bounds of all tenants, and those of tenants that have their own.
fn bounds(loki: &Loki) -> LokiConfig {
    let own = loki.overrides.iter().filter_map(|(tenant, own)| Some((tenant.parse().ok()?, bounds(&loki.with(own)))));
    LokiConfig {
        query_timeout: Duration::from_secs(loki.query_timeout_secs),
        max_entries_limit: loki.max_entries_limit_per_query,
        error_format: match loki.error_format {
            Configured::Text => ErrorFormat::Text,
            Configured::Json => ErrorFormat::Json,
        },
        max_query_series: loki.max_query_series,
        max_concurrent_queries: loki.max_concurrent_queries,
        max_concurrent_queries_per_tenant: Some(loki.max_concurrent_queries_per_tenant).filter(|max| *max > 0),
        max_concurrent_tail_requests: loki.max_concurrent_tail_requests,
        max_query_length: loki.max_query_length.get(),
        max_query_range: loki.max_query_range.get(),
        max_query_bytes_read: Some(loki.max_query_bytes_read).filter(|max| *max > 0),
        trace_id_line_filter: loki.trace_id_line_filter,
        overrides: own.collect(),
    }
}
