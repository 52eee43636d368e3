//! Prometheus' API over a real WAL and real tables in memory: request in, status and body out.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod answers;
mod api;
mod mapping;
mod served;
mod written;
