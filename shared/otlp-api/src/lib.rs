//! OTLP over HTTP, the push of Loki's agents and the remote write of Prometheus': takes a request in, and answers when its rows are
//! durable.
//!
//! Row 4, before `otlp` and `wal`. [`router`] is what a host serves, [`loki_router`] and [`prometheus_router`] what it adds to the ports
//! of Loki's and Prometheus' clients; [`Ingest::take`] is the same for a host that has a request's bytes already (gRPC). Follows the
//! OTLP specification 1.x and Prometheus' specifications of remote write 1.0 and 2.0. Knows no server and nothing of what happens
//! after the WAL.
//!
//! - **WAL-1** a 2xx is sent only after `wal` has made the rows durable. A failure of storage is 503 with `Retry-After`;
//!   `partial_success` is only for records refused for their content.
//! - **BOUND-1** body, decoded body, record and concurrent requests are bounded ([`Bounds`]); each bound has its own error.
//!
//! | status | when |
//! |---|---|
//! | 400 | bytes that aren't OTLP, a broken compression, a tenant id that isn't allowed |
//! | 408 | a body that does not arrive in time |
//! | 413 | more bytes than allowed, as sent or decompressed |
//! | 415 | another content type or encoding |
//! | 429 | too many requests at once; `Retry-After` |
//! | 503 | storage failed or the WAL is full; `Retry-After` |
//!
//! Once a body has arrived, its answer comes within the WAL's deadline (`queue.write.flush_interval_ms` + `queue.write.deadline_ms`, 8.7 s
//! by default), whatever storage does.

mod answer;
mod body;
mod bounds;
mod content;
mod error;
mod health;
mod ingest;
mod metrics;
mod push;
mod receive;
mod refuse;
mod remote_write;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use icegate_model::Signal;

pub use bounds::Bounds;
pub use error::IngestError;
pub use ingest::{Ingest, Taken};
pub use metrics::{Metrics, Transport};
pub use refuse::refuse;

/// `POST /v1/logs`, `/v1/traces` and `/v1/metrics`, what [`loki_router`] and [`prometheus_router`] have, and `GET /health`.
pub fn router(ingest: Arc<Ingest>) -> Router {
    let mut router = Router::new().route("/health", get(health::health));
    for (path, signal) in [("/v1/logs", Signal::Logs), ("/v1/traces", Signal::Traces), ("/v1/metrics", Signal::Metrics)] {
        router = router.route(path, signal_of(signal));
    }
    router.with_state(Arc::clone(&ingest)).merge(loki_router(Arc::clone(&ingest))).merge(prometheus_router(ingest))
}

/// What Loki takes in: `POST /loki/api/v1/push`, its older path `/api/prom/push`, and OTLP as `/otlp/v1/logs`.
pub fn loki_router(ingest: Arc<Ingest>) -> Router {
    let pushes = push::PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, post(push::push)));
    pushes.route("/otlp/v1/logs", signal_of(Signal::Logs)).with_state(ingest)
}

/// What Prometheus takes in: `POST /api/v1/write`, and OTLP as `/api/v1/otlp/v1/metrics`.
pub fn prometheus_router(ingest: Arc<Ingest>) -> Router {
    let router = Router::new().route(remote_write::PATH, post(remote_write::write));
    router.route("/api/v1/otlp/v1/metrics", signal_of(Signal::Metrics)).with_state(ingest)
}

fn signal_of(signal: Signal) -> MethodRouter<Arc<Ingest>> {
    post(move |state, request| receive::receive(state, signal, request))
}
