//! Segments become rows of a table once, whatever repeats, runs beside or fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod crashes;
mod generate;
mod lake;
mod leases;
mod once;
mod quarantine;
#[path = "../../../generator/tests/it/recorded_set.rs"]
mod recorded_set;
mod round;
#[path = "../../../generator/tests/it/series.rs"]
#[allow(dead_code, reason = "the generator's own tests ask more of it")]
mod series;
#[path = "../../../generator/tests/it/written.rs"]
#[allow(dead_code, reason = "the generator's own tests ask more of it")]
mod written;
