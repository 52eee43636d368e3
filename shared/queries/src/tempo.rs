use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use icegate_runtime::config::{Config, Tempo};
use icegate_tempo_api::{Metrics, Streams, TempoConfig, TempoState};
use prometheus_client::registry::Registry;

use crate::{BuildInfo, Reader};

/// The Tempo API.
pub fn tempo(config: &Config, reader: &Reader, build: BuildInfo, registry: &mut Registry) -> Router {
    icegate_tempo_api::router(state(config, reader, build, registry))
}

/// The same, and its answers as streams, for hosts that serve gRPC.
pub fn tempo_and_streams(config: &Config, reader: &Reader, build: BuildInfo, registry: &mut Registry) -> (Router, Streams) {
    icegate_tempo_api::router_and_streams(state(config, reader, build, registry))
}

fn state(config: &Config, reader: &Reader, build: BuildInfo, registry: &mut Registry) -> TempoState {
    TempoState {
        engine: Arc::clone(&reader.engine),
        clock: Arc::clone(&reader.clock),
        config: bounds(&config.tempo),
        metrics: Metrics::register(registry),
        build,
    }
}

fn bounds(tempo: &Tempo) -> TempoConfig {
    TempoConfig {
        query_timeout: Duration::from_secs(tempo.query_timeout_secs),
        max_concurrent_queries: tempo.max_concurrent_queries,
        max_spans_per_span_set: tempo.max_spans_per_span_set,
        max_trace_bytes: tempo.max_trace_bytes,
        trace_reach: Duration::from_secs(tempo.trace_reach_secs),
        ..TempoConfig::default()
    }
}
