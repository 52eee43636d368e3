//! TraceQL: text in, tree, checked, planned, and evaluated over spans and traces in memory.
//!
//! Row 3. `tempo-api` parses a query with [`parse`], asks [`plan`] what a scan has to read and may leave out, fills [`Span`]s and
//! [`Trace`]s from what it reads, and hands them to a [`Search`] or to [`Metrics`]; for completions it takes [`attribute_names`] and
//! [`field_values`] of spans that a [`SpanFilter`] lets through. Nothing here knows tenants, HTTP, columns, files or
//! the WAL, and nothing does I/O.
//!
//! - **parse(print(tree)) == tree** for every tree that [`parse`] gives.
//! - What is pushed down lets every span of the answer through; where it says that it is exact, it lets no other through.
//! - Answers don't depend on the order in which traces come, nor on how they are split over parts that are merged.
//! - Structure is decided over the whole trace, in one pass for each operator. A span that hangs on no root has no place in it.
//! - A search holds twice as many traces as it may answer, metrics as many numbers as [`MetricsLimits`] allows.
//! - What a text can make the parser do is bounded: length, nesting, operators, compiled expressions.
//!
//! ```
//! use icegate_traceql::{Search, SearchOptions, Span, SpanId, Trace, TraceId, parse};
//!
//! let query = parse(r#"{ name = "a" } >> { duration > 1s }"#)?;
//! assert_eq!(query.to_string(), r#"{ name = "a" } >> { duration > 1s }"#);
//!
//! let span = |id, parent, name: &str, duration| Span {
//!     id: SpanId([id; 8]), parent, name: name.into(), duration, ..Span::default()
//! };
//! let root = span(1, None, "a", 5_000_000_000);
//! let child = span(2, Some(root.id), "b", 2_000_000_000);
//! let mut search = Search::new(&query, SearchOptions { limit: 20, spans: 3, window: None })?;
//! search.add(&Trace::new(TraceId([1; 16]), vec![root, child]))?;
//! assert_eq!(search.finish()[0].spansets[0].spans[0].id, SpanId([2; 8]));
//!
//! let error = parse("{ foo }").unwrap_err();
//! assert_eq!(error.to_string(), "parse error at line 1, col 3: unknown identifier: foo");
//! # Ok::<(), icegate_traceql::TraceqlError>(())
//! ```

pub mod ast;
mod check;
mod discover;
mod error;
mod eval;
mod lexer;
mod metrics;
mod parse;
mod pattern;
mod plan;
mod print;
mod search;
mod token;
mod trace;
mod value;

pub use discover::{SpanFilter, attribute_names, field_values};
pub use error::TraceqlError;
pub use metrics::{Exemplar, MetricSeries, Metrics, MetricsLimits, MetricsOptions};
pub use parse::{parse, parse_field, parse_filter, parse_filter_leniently};
pub use plan::{Condition, Needs, Plan, Predicate, Test, plan, plan_filter};
pub use search::{Search, SearchOptions, SpanMatch, SpansetMatch, TraceMatch};
pub use trace::{Attributes, Event, Facts, Instrumentation, Link, NO_ROOT, ServiceStats, Span, SpanId, Trace, TraceId};
pub use value::{Kind, Status, Value, go_duration};
