//! Seeds, replays, and the exhaustive model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod model;
mod seeds;
