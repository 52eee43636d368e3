//! The syntax tree. Equality ignores places, so a printed tree reads back equal.

mod label_filter;
mod metric;
mod selector;
mod stage;

pub use label_filter::{Comparison, LabelFilter};
pub use metric::{
    Aggregation, BinaryOp, GroupSide, Grouping, LogRange, Matching, MetricExpr, MetricKind, Modifier, RangeAggregation, RangeOp,
    Unwrap, UnwrapUnit, VectorAggregation,
};
pub use selector::{MatchOp, Matcher, Selector};
pub use stage::{Extraction, LabelFormat, LabelSource, LineFilter, LineOp, LineTerm, Named, Stage, StageKind};

use icegate_syntax::Place;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Answers lines.
    Logs(LogExpr),
    /// Answers numbers.
    Metric(MetricExpr),
}

impl Expr {
    /// The longest window of a metric query, in nanoseconds; 0 without any.
    #[must_use]
    pub fn longest_range(&self) -> i64 {
        match self {
            Self::Logs(_) => 0,
            Self::Metric(metric) => metric.longest_range(),
        }
    }
}

/// A stream selector and what its lines go through.
#[derive(Clone, Debug, PartialEq)]
pub struct LogExpr {
    /// Which streams.
    pub selector: Selector,
    /// What each line goes through, in order.
    pub stages: Vec<Stage>,
    /// Where.
    pub place: Place,
}
