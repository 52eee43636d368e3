//! The engine over real tables and a real WAL in memory.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod bounds;
mod damaged;
mod exactly_once;
mod follow;
mod isolation;
mod pruning;
mod pushdown;
mod rows;
mod stale;
mod stores;
mod world;
