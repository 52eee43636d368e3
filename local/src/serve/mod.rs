//! The process: what it serves, and how it starts and stops.
//!
//! Start: configuration, stores, tables, listeners; ready only when all of them are. Stop, on SIGTERM or SIGINT: take no more
//! connections, finish the requests at hand, flush the WAL, finish the shift's pass and the maintenance of the table at hand.

mod grpc;
mod guard;
mod http;
mod listen;
mod metrics;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use icegate_lake::Lake;
use icegate_maintain::Maintainer;
use icegate_otlp_api::{Bounds, Ingest};
use icegate_queries::{BuildInfo, Data, Reader};
use icegate_runtime::config::Config;
use icegate_runtime::{Telemetry, stop_on_signal};
use icegate_shift::Shifter;
use icegate_tables::Tables;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::auth;
use crate::cli::Place;
use crate::error::ProcessError;
use crate::version::{REVISION, VERSION};
use guard::Guard;

/// How long requests may take to finish once the process is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Which parts of the system a process runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    ingest: bool,
    shift: bool,
    query: bool,
    maintain: bool,
}

impl Parts {
    pub(crate) const ALL: Self = Self { ingest: true, shift: true, query: true, maintain: true };
    pub(crate) const INGEST: Self = Self { ingest: true, shift: true, query: false, maintain: false };
    pub(crate) const SHIFT: Self = Self { ingest: false, shift: true, query: false, maintain: false };
    pub(crate) const QUERY: Self = Self { ingest: false, shift: false, query: true, maintain: false };

    /// What a process runs may leave the shift to others; a process that is there for it may not.
    fn configured(self, config: &Config) -> Self {
        Self { shift: self.shift && (config.shift.enabled || !self.ingest), ..self }
    }
}

/// Servers that were started, each with a name, and what stops them.
struct Servers {
    running: JoinSet<(&'static str, Result<(), String>)>,
    stop: CancellationToken,
}

/// Runs until a signal, or until a server ends by itself.
pub(crate) async fn run(place: &Place, parts: Parts) -> Result<(), ProcessError> {
    let config = place.config()?;
    let telemetry = Telemetry::start(&config.tracing)?;
    let stop = stop_on_signal().map_err(|source| ProcessError::Signals { source })?;
    let parts = parts.configured(&config);
    let ended = run_until_stopped(config, parts, stop).await;
    telemetry.finish();
    ended
}

async fn run_until_stopped(config: Config, parts: Parts, stop: CancellationToken) -> Result<(), ProcessError> {
    let mut registry = Registry::with_prefix("icegate");
    let lake = Lake::open(config, &mut registry)?;
    let (config, tables) = (lake.config(), lake.tables()?);
    let guard = Guard::new(auth::open(&config.auth, lake.clock(), &mut registry).await?);
    let listeners = Listeners::bind(config, parts).await?;
    // Only the shift writes to the tables. A process that takes telemetry in starts also while they can't be reached, and one that
    // answers queries does so from the WAL until they exist, and says so.
    if parts.shift {
        for change in tables.migrate_create(false).await? {
            tracing::info!(%change, "migrated");
        }
    }

    let mut servers = Servers { running: JoinSet::new(), stop: stop.clone() };
    let mut queries = if parts.query { Some(Queries::open(&lake, &tables, &guard, &mut registry)?) } else { None };
    let writing = if parts.ingest { Some(lake.start_writer(&mut registry)) } else { None };
    let shifting = if parts.shift { Some(shift(lake.shifter(&tables, &mut registry)?, stop.clone())) } else { None };
    let maintaining =
        (parts.maintain && config.maintain.enabled).then(|| maintain(lake.maintainer(&tables, &mut registry), stop.clone()));
    if let Some((writer, _)) = &writing {
        let ingest = ingest(&lake, writer.clone(), &mut registry);
        if let Some(queries) = &mut queries {
            queries.take_in(&guard, &ingest);
        }
        if let Some(listener) = listeners.otlp_grpc {
            servers.start("otlp_grpc", grpc::serve(listener, Arc::clone(&ingest), &guard, stop.clone())?);
        }
        if let Some(listener) = listeners.otlp_http {
            servers.start("otlp_http", http::serve(listener, guard.otlp(icegate_otlp_api::router(ingest)), stop.clone()));
        }
    }
    if let Some(Queries { loki, tempo, prometheus }) = queries {
        if let Some(listener) = listeners.loki {
            servers.start("loki", http::serve(listener, loki, stop.clone()));
        }
        if let Some(listener) = listeners.tempo {
            servers.start("tempo", grpc::serve_beside_http(listener, tempo, stop.clone()));
        }
        if let Some(listener) = listeners.prometheus {
            servers.start("prometheus", http::serve(listener, prometheus, stop.clone()));
        }
    }
    if let Some(listener) = listeners.metrics {
        servers.start("metrics", http::serve(listener, metrics::router(&config.metrics.path, registry), stop.clone()));
    }
    tracing::info!(version = VERSION, warehouse = %config.catalog.warehouse, queue = %config.queue.common.base_path, "icegate is ready");

    let served = servers.wait().await;
    // No request is left: what they gathered is flushed, and nobody waits for it in vain.
    if let Some((writer, task)) = writing {
        drop(writer);
        task.close().await;
    }
    for background in [shifting, maintaining].into_iter().flatten() {
        let _ = background.await;
    }
    tracing::info!("icegate has stopped");
    served
}

/// The query APIs, each behind the guard.
struct Queries {
    loki: Router,
    tempo: Router,
    prometheus: Router,
}

impl Queries {
    fn open(lake: &Lake, tables: &Arc<Tables>, guard: &Guard, registry: &mut Registry) -> Result<Self, ProcessError> {
        let data = Data { tables: Arc::clone(tables), wal: Arc::clone(lake.wal()), clock: Arc::clone(lake.clock()) };
        let build = || BuildInfo { version: VERSION.to_owned(), revision: REVISION.to_owned() };
        let (config, reader) = (lake.config(), Reader::new(lake.config(), &data, registry)?);
        let loki = icegate_queries::loki(config, &reader, build(), registry);
        let (tempo, streams) = icegate_queries::tempo_and_streams(config, &reader, build(), registry);
        Ok(Self {
            loki: guard.loki(loki, config.loki.error_format),
            // Grafana streams from the port that it asks for everything else.
            tempo: guard.tempo(grpc::querier_beside(tempo, streams)),
            prometheus: guard.prometheus(icegate_queries::prometheus(config, &reader, build())),
        })
    }

    /// Loki's agents push to the port that Loki's clients query, and so does Prometheus.
    fn take_in(&mut self, guard: &Guard, ingest: &Arc<Ingest>) {
        let (loki, prometheus) = (std::mem::take(&mut self.loki), std::mem::take(&mut self.prometheus));
        self.loki = loki.merge(guard.pushes("loki", icegate_otlp_api::loki_router(Arc::clone(ingest))));
        self.prometheus = prometheus.merge(guard.pushes("prometheus", icegate_otlp_api::prometheus_router(Arc::clone(ingest))));
    }
}

impl Servers {
    fn start(&mut self, name: &'static str, server: impl Future<Output = Result<(), String>> + Send + 'static) {
        self.running.spawn(async move { (name, server.await) });
    }

    /// Waits until all servers have ended. The first that ends by itself ends the others.
    async fn wait(mut self) -> Result<(), ProcessError> {
        let mut outcome = Ok(());
        if self.running.is_empty() {
            // A shifter without a metrics port serves nobody and works all the same.
            self.stop.cancelled().await;
        }
        while let Some(ended) = tokio::select! {
            ended = self.running.join_next() => ended,
            () = overdue(&self.stop) => {
                tracing::warn!(seconds = DRAIN.as_secs(), "requests were still running and are dropped");
                self.running.shutdown().await;
                None
            }
        } {
            let (server, message) = match ended {
                Ok((_, Ok(()))) if self.stop.is_cancelled() => continue,
                Ok((server, Ok(()))) => (server, "it stopped by itself".to_owned()),
                Ok((server, Err(message))) => (server, message),
                Err(error) => ("server", error.to_string()),
            };
            self.stop.cancel();
            outcome = outcome.and(Err(ProcessError::Served { server, message }));
        }
        outcome
    }
}

async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(DRAIN).await;
}

/// Shifts in the background until `stop`, and then to the end of the pass.
fn shift(shifter: Shifter, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move { shifter.run(stop).await })
}

/// Looks after the tables in the background until `stop`, and then to the end of the table at hand.
fn maintain(maintainer: Maintainer, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move { maintainer.run(stop).await })
}

fn ingest(lake: &Lake, writer: icegate_wal::Writer, registry: &mut Registry) -> Arc<Ingest> {
    let bounds = Bounds::from(&lake.config().otlp_http);
    let metrics = icegate_otlp_api::Metrics::register(registry);
    Arc::new(Ingest::new(writer, Arc::clone(lake.clock()), bounds, metrics))
}

/// The sockets, bound before anything is said to be ready.
#[derive(Debug, Default)]
struct Listeners {
    otlp_http: Option<TcpListener>,
    otlp_grpc: Option<TcpListener>,
    loki: Option<TcpListener>,
    tempo: Option<TcpListener>,
    prometheus: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config, parts: Parts) -> Result<Self, ProcessError> {
        let (http, grpc, metrics) = (&config.otlp_http, &config.otlp_grpc, &config.metrics);
        let (loki, tempo, prometheus) = (&config.loki, &config.tempo, &config.prometheus);
        Ok(Self {
            otlp_http: listen::bind("otlp_http", parts.ingest && http.enabled, &http.host, http.port).await?,
            otlp_grpc: listen::bind("otlp_grpc", parts.ingest && grpc.enabled, &grpc.host, grpc.port).await?,
            loki: listen::bind("loki", parts.query && loki.enabled, &loki.host, loki.port).await?,
            tempo: listen::bind("tempo", parts.query && tempo.enabled, &tempo.host, tempo.port).await?,
            prometheus: listen::bind("prometheus", parts.query && prometheus.enabled, &prometheus.host, prometheus.port).await?,
            metrics: listen::bind("metrics", metrics.enabled, &metrics.host, metrics.port).await?,
        })
    }
}
