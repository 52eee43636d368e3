//! Whatever happens in whatever order: what is in use stays, what is not goes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod anything;
mod lake;
mod once;
