//! The language against recorded answers, its own scripts and hostile input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod golden;
mod hostile;
mod made_up;
mod promqltest;
mod script;
mod trees;
