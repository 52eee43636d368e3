//! Seeded runs, replays, the exhaustive model, and faults by name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;
mod listing;
mod matrix;
mod model;
mod seeds;
mod slow_store;
mod storm;
mod times;
mod unfetchable;
mod wakeups;
