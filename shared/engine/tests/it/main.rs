//! The engine over real tables and a real WAL in memory.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod bounds;
mod damaged;
mod exactly_once;
mod follow;
mod id_index;
mod isolation;
mod pruning;
mod pushdown;
mod rows;
#[path = "../../../logql/tests/it/script.rs"]
mod script;
#[path = "../../../logql/tests/it/rows.rs"]
mod script_rows;
mod scripts;
mod stale;
mod stores;
mod world;
