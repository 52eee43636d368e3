//! TraceQL.

pub mod ast;
mod check;
mod error;
mod lexer;
mod parse;
mod pattern;
mod print;
mod token;
mod value;

pub use error::TraceqlError;
pub use parse::{parse, parse_field, parse_filter};
pub use value::{Kind, Status, Value, go_duration};
