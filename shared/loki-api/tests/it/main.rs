//! The Loki API over real tables and a real WAL in memory: request in, status and body out.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod api;
mod conformance;
mod detected;
mod discovery;
mod errors;
mod explain;
mod grafana;
mod index;
mod limits;
mod logs;
mod memory;
mod metrics;
mod otlp;
mod patterns;
mod push;
mod served;
mod tail;
mod tenants;
