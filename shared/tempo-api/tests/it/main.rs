//! Tempo's API over spans in the WAL, in the table, and in both.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod api;
mod bounds;
mod fuzz;
mod grafana;
mod lossless;
mod search;
mod streams;
mod tags;
mod traceql;
mod world;
