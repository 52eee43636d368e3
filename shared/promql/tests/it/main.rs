//! The language against recorded answers, its own scripts and hostile input.

mod golden;
mod hostile;
mod promqltest;
mod script;
mod trees;
