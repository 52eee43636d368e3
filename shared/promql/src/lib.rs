//! PromQL: the language without a storage.
mod ast;
mod check;
mod duration;
mod error;
mod lexer;
mod matcher;
mod parse;
mod pretty;
mod print;
mod signature;
mod text;
mod token;
mod tree;

pub use ast::*;
pub use error::PromqlError;
pub use matcher::{MatchOp, Matcher};
pub use parse::{MAX_DEPTH, MAX_QUERY_BYTES, ParseOptions, parse, parse_selector};
pub use pretty::format_query;
pub use text::Text;
pub use tree::parse_tree;
