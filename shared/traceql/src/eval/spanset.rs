use super::{Expr, Pipeline, Spanset, Subject, structural};
use crate::ast::{SpansetExpr, SpansetOp};
use crate::{Trace, TraceqlError};

/// What chooses spans, ready to run.
#[derive(Clone, Debug)]
pub(super) enum Spansets {
    Filter(Expr),
    Binary(SpansetOp, Box<Spansets>, Box<Spansets>),
    Wrapped(Pipeline),
}

impl Spansets {
    pub(super) fn new(spanset: &SpansetExpr) -> Result<Self, TraceqlError> {
        Ok(match spanset {
            SpansetExpr::Filter(expr) => Self::Filter(Expr::new(expr)?),
            SpansetExpr::Binary(op, left, right) => Self::Binary(*op, Box::new(Self::new(left)?), Box::new(Self::new(right)?)),
            SpansetExpr::Wrapped(pipeline) => Self::Wrapped(Pipeline::new(pipeline)?),
        })
    }

    /// What is chosen of a spanset. Only a pipeline in brackets can make several of it.
    pub(super) fn run(&self, trace: &Trace, spanset: Spanset) -> Result<Vec<Spanset>, TraceqlError> {
        match self {
            Self::Wrapped(pipeline) => pipeline.run_from(trace, spanset),
            Self::Filter(filter) if filter.always() => Ok(vec![spanset]),
            _ => Ok(vec![Spanset { spans: self.spans(trace, &spanset.spans)?, attributes: spanset.attributes }]),
        }
    }

    /// Whether a span is chosen; `None` where that depends on what else is in its trace.
    pub(super) fn keeps(&self, subject: Subject<'_>) -> Result<Option<bool>, TraceqlError> {
        match self {
            Self::Filter(filter) => filter.holds(subject).map(Some),
            Self::Wrapped(pipeline) => pipeline.keeps(subject),
            Self::Binary(SpansetOp::Or, left, right) => {
                let (left, right) = (left.keeps(subject)?, right.keeps(subject)?);
                Ok(left.zip(right).map(|(left, right)| left || right))
            }
            Self::Binary(..) => Ok(None),
        }
    }

    /// Indexes of the spans that are chosen of `from`, rising.
    fn spans(&self, trace: &Trace, from: &[usize]) -> Result<Vec<usize>, TraceqlError> {
        match self {
            Self::Filter(filter) => {
                let mut kept = Vec::new();
                for index in from {
                    if let Some(subject) = Subject::of(trace, *index)
                        && filter.holds(subject)?
                    {
                        kept.push(*index);
                    }
                }
                Ok(kept)
            }
            Self::Wrapped(pipeline) => {
                let spanset = Spanset { spans: from.to_vec(), attributes: Vec::new() };
                Ok(union(pipeline.run_from(trace, spanset)?.into_iter().map(|spanset| spanset.spans)))
            }
            Self::Binary(op, left, right) => {
                let (left, right) = (left.spans(trace, from)?, right.spans(trace, from)?);
                Ok(match op {
                    SpansetOp::And if left.is_empty() || right.is_empty() => Vec::new(),
                    SpansetOp::And | SpansetOp::Or => union([left, right]),
                    _ => structural::related(*op, trace.tree(), &left, &right),
                })
            }
        }
    }
}

/// All of them, rising, each once.
pub(super) fn union(all: impl IntoIterator<Item = Vec<usize>>) -> Vec<usize> {
    let mut spans: Vec<usize> = all.into_iter().flatten().collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}
