//! TraceQL.

pub mod ast;
mod check;
mod error;
mod eval;
mod lexer;
mod metrics;
mod parse;
mod pattern;
mod print;
mod search;
mod token;
mod trace;
mod value;

pub use error::TraceqlError;
pub use metrics::{Exemplar, MetricSeries, Metrics, MetricsLimits, MetricsOptions};
pub use parse::{parse, parse_field, parse_filter};
pub use search::{Search, SearchOptions, SpanMatch, SpansetMatch, TraceMatch};
pub use trace::{Attributes, Event, Instrumentation, Link, NO_ROOT, ServiceStats, Span, SpanId, Trace, TraceId};
pub use value::{Kind, Status, Value, go_duration};
