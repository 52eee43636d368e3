//! LogQL as its users see it: syntax, plans and answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod conformance;
mod decoders;
mod discover;
mod early;
mod eval;
mod hostile;
mod layouts;
mod parse;
mod plan;
mod rows;
mod script;
mod spoken;
mod trees;
