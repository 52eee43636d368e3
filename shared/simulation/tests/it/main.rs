//! Seeds, replays, and the exhaustive model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod listing;
mod matrix;
mod model;
mod seeds;
mod storm;
