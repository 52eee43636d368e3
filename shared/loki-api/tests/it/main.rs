//! The Loki API over real tables and a real WAL in memory: request in, status and body out.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod api;
mod discovery;
mod errors;
mod explain;
mod limits;
mod logs;
mod memory;
mod metrics;
mod otlp;
mod push;
mod tail;
mod tenants;
