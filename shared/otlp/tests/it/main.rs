//! Requests in, rows and rebuilt requests out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

mod invalid;
mod json;
mod logs;
mod metrics;
mod remote_write;
mod round_trip;
mod spans;
mod strategies;
mod streams;
mod support;
