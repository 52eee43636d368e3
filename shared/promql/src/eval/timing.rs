use icegate_syntax::Span;

use super::values::Context;
use crate::PromqlError;
use crate::ast::{At, DurationExpr, Timing};

/// When a selector or subquery looks, relative to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The time that stands for every step.
    at: Option<i64>,
    offset: i64,
}

impl Look {
    pub(crate) fn new(context: &Context<'_>, timing: &Timing, span: Span) -> Result<Self, PromqlError> {
        let at = timing.at.map(|at| match at {
            At::Time(at) => at,
            At::Start => context.query.start,
            At::End => context.query.end,
        });
        let offset = match &timing.offset_expr {
            None => timing.offset,
            Some(expr) => expr.resolve(context.query).map_err(|problem| context.error_at(problem, span))?,
        };
        Ok(Self { at, offset })
    }

    /// The time for a step.
    pub(crate) fn from(&self, step: i64) -> i64 {
        self.at.unwrap_or(step).saturating_sub(self.offset)
    }

    /// The times for the first and the last step.
    pub(crate) fn ends(&self, context: &Context<'_>) -> (i64, i64) {
        (self.from(context.grid.first()), self.from(context.grid.last()))
    }
}

/// A duration above zero.
pub(crate) fn positive(context: &Context<'_>, millis: i64, expr: Option<&DurationExpr>) -> Result<i64, PromqlError> {
    let Some(expr) = expr else { return Ok(millis) };
    let span = expr.place().0;
    let millis = expr.resolve(context.query).map_err(|problem| context.error_at(problem, span))?;
    if millis > 0 { Ok(millis) } else { Err(context.error_at("duration must be greater than 0", span)) }
}
