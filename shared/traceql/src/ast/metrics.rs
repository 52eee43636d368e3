use super::{Comparison, Field, FieldExpr, Pipeline};
use crate::Value;

/// What answers numbers over time.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricsExpr {
    /// A function over the spans of a pipeline.
    Leaf(Box<MetricsQuery>),
    /// A number.
    Scalar(Value),
    /// `a / b`
    Binary(MathOp, Box<MetricsExpr>, Box<MetricsExpr>),
    /// `a | topk(3) > 5`
    Staged(Box<MetricsExpr>, Vec<SecondStage>),
}

/// A function over the spans of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsQuery {
    /// Which spans.
    pub pipeline: Pipeline,
    /// What is computed.
    pub function: MetricsFunction,
    /// Which values make a series of their own.
    pub by: Vec<Field>,
}

/// What is computed of spans.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricsFunction {
    /// Spans a second.
    Rate,
    /// How many spans.
    CountOverTime,
    /// The least value.
    MinOverTime(Field),
    /// The greatest value.
    MaxOverTime(Field),
    /// The mean value.
    AvgOverTime(Field),
    /// The sum of values.
    SumOverTime(Field),
    /// Quantiles, estimated from powers of two.
    QuantileOverTime(Field, Vec<f64>),
    /// How many values below each power of two.
    HistogramOverTime(Field),
    /// How the values of attributes differ between spans that are selected and the others.
    Compare(Box<Compare>),
}

/// `compare({ … }, top, start, end)`
#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    /// Which spans are selected.
    pub selection: FieldExpr,
    /// How many values of each attribute are told.
    pub top: usize,
    /// From when to when spans are selected, in nanoseconds; always where it is missing.
    pub range: Option<(i64, i64)>,
}

/// How many values of each attribute `compare` tells unless it is said.
pub(crate) const DEFAULT_TOP: usize = 10;

/// Arithmetic between series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MathOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// What is done with finished series.
#[derive(Clone, Debug, PartialEq)]
pub enum SecondStage {
    /// Keeps the greatest values at each time.
    TopK(usize),
    /// Keeps the least values at each time.
    BottomK(usize),
    /// Keeps values that compare so with a number or duration.
    Filter(Comparison, Value),
}

impl MetricsFunction {
    /// As queries write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::CountOverTime => "count_over_time",
            Self::MinOverTime(_) => "min_over_time",
            Self::MaxOverTime(_) => "max_over_time",
            Self::AvgOverTime(_) => "avg_over_time",
            Self::SumOverTime(_) => "sum_over_time",
            Self::QuantileOverTime(..) => "quantile_over_time",
            Self::HistogramOverTime(_) => "histogram_over_time",
            Self::Compare(_) => "compare",
        }
    }

    /// What is measured.
    #[must_use]
    pub const fn field(&self) -> Option<&Field> {
        match self {
            Self::MinOverTime(field)
            | Self::MaxOverTime(field)
            | Self::AvgOverTime(field)
            | Self::SumOverTime(field)
            | Self::QuantileOverTime(field, _)
            | Self::HistogramOverTime(field) => Some(field),
            Self::Rate | Self::CountOverTime | Self::Compare(_) => None,
        }
    }
}

/// Names of functions, as the reader knows them.
pub(crate) const FUNCTIONS: [&str; 9] = [
    "rate",
    "count_over_time",
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "quantile_over_time",
    "histogram_over_time",
    "compare",
];

impl MathOp {
    /// As queries write it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// How tight it binds.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 1,
            Self::Multiply | Self::Divide => 2,
        }
    }

    /// Computes.
    #[must_use]
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }
}

impl MetricsExpr {
    /// The functions over pipelines, in the order of the text.
    #[must_use]
    pub fn leaves(&self) -> Vec<&MetricsQuery> {
        match self {
            Self::Leaf(leaf) => vec![leaf],
            Self::Scalar(_) => Vec::new(),
            Self::Binary(_, left, right) => {
                let mut all = left.leaves();
                all.extend(right.leaves());
                all
            }
            Self::Staged(inner, _) => inner.leaves(),
        }
    }
}
