//! PromQL: reads, prints, checks and evaluates queries as Prometheus 3.14 does, without a storage of its own.
//!
//! ```text
//!  text ──lexer──▶ tokens ──parse──▶ tree ──check──▶ tree ──evaluate──▶ Answer, warnings, infos
//!                                     │  print: text that reads back equal          ▲
//!                                     │  format_query, parse_tree                   │ series, one by one
//!                                                                                Storage
//! ```
//!
//! An expression pushes its series one by one, each with its value at every step, into what needs them. An aggregation holds one
//! series and its groups; operations on two vectors, what orders series, and buckets that are one histogram hold more. The
//! [`Storage`] hands out series in order of their labels, so that sums add up in Prometheus' order.
//!
//! What must hold:
//!
//! - Errors, warnings and infos are Prometheus' own, with the position in the query.
//! - What needs a switch in Prometheus needs one here ([`ParseOptions`], [`EvalOptions`]); the defaults are the same.
//! - Nothing is unbounded: text ([`MAX_QUERY_BYTES`]), nesting ([`MAX_NESTING`], [`MAX_DEPTH`], so that no walk over a tree runs out of stack), samples,
//!   bytes and steps ([`Limits`]). A query over a bound is an error that names it, never a shorter answer.
//! - No text and no series lead to a panic.
//!
//! The crate must not know tenants, HTTP, tables or the clock.
//!
//! ```
//! use icegate_promql::{Answer, EvalOptions, Limits, MemoryStorage, ParseOptions, Query, Steps, evaluate, parse};
//!
//! let text = "1 + 2 * 3";
//! let expr = parse(text, ParseOptions::default())?;
//! let query = Query {
//!     text,
//!     expr: &expr,
//!     steps: Steps::Instant(60_000),
//!     options: EvalOptions::default(),
//!     limits: Limits::default(),
//!     is_canceled: None,
//! };
//! let evaluated = evaluate(&query, &MemoryStorage::default())?;
//! assert_eq!(evaluated.answer, Answer::Scalar { at: 60_000, value: 7.0 });
//! assert!(parse("1 +", ParseOptions::default()).is_err_and(|error| error.to_string() == "1:4: parse error: unexpected end of input"));
//! # Ok::<(), icegate_promql::PromqlError>(())
//! ```

mod annotations;
mod ast;
mod calendar;
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
pub use duration::parse as parse_duration;
pub use error::PromqlError;
pub use eval::{Answer, EvalOptions, Evaluated, Limits, MatrixSeries, Query, Steps, VectorSample, evaluate};
pub use histogram::{Bucket, BucketRange, CUSTOM_BOUNDS, Histogram, Incompatible, ResetHint};
pub use matcher::{MatchOp, Matcher};
pub use parse::{MAX_DEPTH, MAX_NESTING, MAX_QUERY_BYTES, ParseOptions, parse, parse_selector};
pub use pretty::format_query;
pub use samples::{FloatPoint, HistogramPoint, STALE_BITS, Samples, Series, Value, is_stale};
pub use signature::Function;
pub use storage::{MemoryStorage, Select, SeriesStream, Storage};
pub use text::Text;
pub use tree::parse_tree;
