//! The handler against a server that takes CloudFormation's answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod answers;
mod by_hand;
mod custom_resource;
mod world;
