//! The language against recorded answers, its own scripts and hostile input.

mod promqltest;
mod script;
mod trees;
