//! The handler on real parts: WAL segments of real OTLP requests, tables, events as S3 and SQS send them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod bad;
mod binary;
mod deadline;
mod generator;
mod lines;
mod network;
mod queue;
mod storm;
mod trail;
mod world;
