//! The process as its users meet it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod exactly_once;
mod grpc;
mod migrate;
mod outside;
mod process;
mod quick_start;
mod several_processes;
mod telemetry;
