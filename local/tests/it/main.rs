//! The process as its users meet it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod auth;
mod backend;
mod backends;
mod bad_input;
mod credentials;
mod exactly_once;
mod grpc;
mod logcli;
mod loki_recorded;
mod maintain;
mod migrate;
mod outside;
mod process;
mod prometheus_recorded;
mod quick_start;
mod recorded;
mod remote_write;
mod several_processes;
mod soak;
mod stack;
mod storage_down;
mod telemetry;
mod tempo_grpc;
mod tempo_recorded;
