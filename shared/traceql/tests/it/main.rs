//! TraceQL as its users see it: syntax, plans and answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod conformance;
mod discover;
mod eval;
mod hostile;
mod limits;
mod parse;
mod plan;
mod script;
mod trees;
