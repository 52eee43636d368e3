//! OTLP, Loki's pushes and Prometheus' remote writes in, segments of the WAL out.
//!
//! Row 7, an adapter. A request becomes one segment a table, named by the request's id, and is acknowledged when they are durable
//! (WAL-1): one PUT a table, no GET and no LIST. Nothing waits for other requests, since no others come while one is served; but on
//! Lambda Managed Instances, where many are, they share segments as in the process.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::StatusCode;
use icegate_auth::Scope;
use icegate_function_host::Settings;
use icegate_function_host::http::Http;
use icegate_lake::Lake;
use icegate_otlp_api::{Bounds, Ingest};
use icegate_wal::{Gathering, Metrics, Writer, WriterConfig};
use prometheus_client::registry::Registry;

/// What the function serves.
#[must_use]
pub fn http(lake: &Lake, settings: &Settings, registry: &mut Registry) -> Http {
    Http {
        router: router(lake, settings, registry),
        need: Scope::Write,
        refuse: Arc::new(icegate_otlp_api::refuse),
        late: StatusCode::SERVICE_UNAVAILABLE,
        advice: "nothing is acknowledged, send it again",
        base_path: "",
    }
}

/// The receiver's routes, over a writer to the lake's WAL. The tasks behind the writer end with the process: a request is answered
/// when its rows are durable, so that nothing is left to them.
fn router(lake: &Lake, settings: &Settings, registry: &mut Registry) -> Router {
    let (wal, clock, ids) = (Arc::clone(lake.wal()), Arc::clone(lake.clock()), Arc::clone(lake.ids()));
    let config = writer_config(lake, settings);
    let (writer, _tasks) = Writer::start(wal, config, Arc::clone(&clock), ids, Metrics::register(registry));
    let bounds = Bounds::from(&lake.config().otlp_http);
    let ingest = Arc::new(Ingest::new(writer, clock, bounds, icegate_otlp_api::Metrics::register(registry)));
    // A gateway has Prometheus' paths behind its name, those for writing too.
    let prometheus = Router::new().nest("/prometheus", icegate_otlp_api::prometheus_router(Arc::clone(&ingest)));
    icegate_otlp_api::router(ingest).merge(prometheus)
}

fn writer_config(lake: &Lake, settings: &Settings) -> WriterConfig {
    let config =
        WriterConfig { max_buffered_bytes: settings.buffered_bytes(), ..icegate_lake::writer_config(&lake.config().queue) };
    if settings.concurrency > 1 {
        return config;
    }
    WriterConfig { gathering: Gathering::Alone, flush_interval: Duration::ZERO, ..config }
}
