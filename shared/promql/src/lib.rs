//! PromQL: the language without a storage.
mod annotations;
mod ast;
mod check;
mod duration;
mod error;
mod eval;
mod histogram;
mod lexer;
mod matcher;
mod numeric;
mod parse;
mod pretty;
mod print;
mod samples;
mod signature;
mod storage;
mod text;
mod token;
mod tree;

pub use ast::*;
pub use error::PromqlError;
pub use eval::{
    Answer, EvalOptions, Evaluated, Limits, MatrixSeries, Query, Steps, VectorSample, evaluate,
};
pub use histogram::{Bucket, CUSTOM_BOUNDS, Histogram, Incompatible, ResetHint};
pub use matcher::{MatchOp, Matcher};
pub use parse::{MAX_DEPTH, MAX_QUERY_BYTES, ParseOptions, parse, parse_selector};
pub use pretty::format_query;
pub use samples::{FloatPoint, HistogramPoint, STALE_BITS, Samples, Series, Value, is_stale};
pub use storage::{MemoryStorage, Select, SeriesStream, Storage};
pub use text::Text;
pub use tree::parse_tree;
