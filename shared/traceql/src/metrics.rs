//! Metrics: numbers over time, made of spans.
//!
//! A bucket holds the spans that start after its left edge and up to its right edge, and stands at its right edge. The first bucket
//! ends at or before the start that is asked for, the last one at or after the end. A query for one point has one bucket, from start
//! to end, both in it.

mod compare;
mod exemplars;
mod finish;
mod frame;
mod label;
mod leaf;
mod log2;
mod weight;

use crate::ast::{Expr, MetricsExpr, Query};
use crate::eval::Subject;
use crate::plan::Needs;
use crate::trace::{Facts, TraceId};
use crate::{Span, Trace, TraceqlError, Value};
use frame::Frame;
use leaf::Leaf;

/// From when to when, and how much may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsOptions {
    /// Nanoseconds since 1970.
    pub start: i64,
    /// Nanoseconds since 1970, after the start.
    pub end: i64,
    /// Nanoseconds from point to point; `None` asks for the one point at the end.
    pub step: Option<i64>,
    /// The most exemplars of all series; 0 asks for none.
    pub exemplars: usize,
    /// What may be held.
    pub limits: MetricsLimits,
}

/// What a metrics query may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsLimits {
    /// Points of a series.
    pub points: usize,
    /// Series of one function, before second stages.
    pub series: usize,
    /// Numbers of one function, over all its series.
    pub cells: usize,
    /// Values of one attribute that `compare()` counts.
    pub compared_values: usize,
}

impl Default for MetricsLimits {
    fn default() -> Self {
        Self { points: 10_000, series: 100_000, cells: 10_000_000, compared_values: 10_000 }
    }
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    /// Names, as the query writes them, and values, as [`Value::shown`].
    pub labels: Vec<(String, Value)>,
    /// Time in nanoseconds and value, by time; durations in seconds.
    pub points: Vec<(i64, f64)>,
    /// Spans that went into it.
    pub exemplars: Vec<Exemplar>,
}

/// A span that went into a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its trace.
    pub trace_id: TraceId,
    /// When it starts, in nanoseconds.
    pub time: i64,
    /// What was measured of it; where spans are counted, the value of the series then.
    pub value: f64,
}

/// A metrics query under way.
#[derive(Debug)]
pub struct Metrics {
    expr: MetricsExpr,
    frame: Frame,
    leaves: Vec<Leaf>,
}

impl Metrics {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// [`TraceqlError::NotMetrics`], [`TraceqlError::InvalidRange`], [`TraceqlError::TooManyPoints`], [`TraceqlError::Quantile`],
    /// [`TraceqlError::TooManyGroups`].
    pub fn new(query: &Query, options: &MetricsOptions) -> Result<Self, TraceqlError> {
        let Expr::Metrics(expr) = &query.expr else { return Err(TraceqlError::NotMetrics) };
        let frame = Frame::new(options)?;
        let extrapolates = query.hint("extrapolate") == Some(&Value::Bool(true));
        let leaves = expr.leaves().into_iter().map(|leaf| Leaf::new(leaf, frame, options, extrapolates));
        Ok(Self { expr: expr.clone(), frame, leaves: leaves.collect::<Result<_, _>>()? })
    }

    /// Whether only traces answer the query, and not spans one by one.
    #[must_use]
    pub fn needs_traces(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.plan().needs != Needs::Spans)
    }

    /// Whether spans one by one have to come with what their traces decide.
    #[must_use]
    pub fn needs_facts(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.plan().facts)
    }

    /// Takes in a whole trace.
    ///
    /// # Errors
    /// [`TraceqlError::TooManySeries`], [`TraceqlError::TooManyCells`], and what the query's expressions fail with.
    pub fn add(&mut self, trace: &Trace) -> Result<(), TraceqlError> {
        self.leaves.iter_mut().try_for_each(|leaf| leaf.add(trace))
    }

    /// Takes in one span of a trace, with what the whole trace decides of it, where that is needed.
    ///
    /// # Errors
    /// As [`Metrics::add`]; [`TraceqlError::NeedsTraces`].
    pub fn add_span(&mut self, trace_id: TraceId, span: &Span, facts: Option<&Facts>) -> Result<(), TraceqlError> {
        self.leaves.iter_mut().try_for_each(|leaf| leaf.add_span(Subject::alone(trace_id, span, facts)))
    }

    /// Takes over what another has seen, of other spans for the same query and options.
    ///
    /// # Errors
    /// As [`Metrics::add`]; [`TraceqlError::Unmergeable`].
    pub fn merge(&mut self, other: Self) -> Result<(), TraceqlError> {
        if self.expr != other.expr || self.frame != other.frame {
            return Err(TraceqlError::Unmergeable);
        }
        self.leaves.iter_mut().zip(other.leaves).try_for_each(|(mine, other)| mine.merge(other))
    }

    /// The series, sorted by how many labels they have, then by these.
    #[must_use]
    pub fn finish(self) -> Vec<MetricSeries> {
        finish::finish(&self.expr, self.frame, self.leaves)
    }
}
