//! Metrics from spans, by what Tempo's documents say of them and by what one made.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod edges;
mod recorded;
mod recorded_set;
mod series;
mod spans;
mod splits;
mod waiting;
mod written;
