//! The Loki API over real tables and a real WAL in memory: request in, status and body out.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod api;
mod conformance;
mod detected;
mod discovery;
mod errors;
mod explain;
mod grafana;
mod index;
mod logs;
mod metrics;
mod otlp;
mod patterns;
mod served;
mod tenants;
