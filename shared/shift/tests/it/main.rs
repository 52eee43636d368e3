//! Segments become rows of a table once, whatever repeats, runs beside or fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod lake;
mod leases;
mod once;
mod quarantine;
mod round;
