use icegate_syntax::Place;

use super::Number;
use crate::duration::{MAX_SECONDS, millis};

/// What a computed duration is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationOp {
    /// Sum, or what stands on the right alone.
    Add,
    /// Difference, or what stands on the right negated.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// Remainder.
    Mod,
    /// Power.
    Pow,
    /// The step of the query.
    Step,
    /// The end of the query less its start.
    Range,
    /// The lesser of two.
    MinOf,
    /// The greater of two.
    MaxOf,
}

impl DurationOp {
    /// As written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Step => "step",
            Self::Range => "range",
            Self::MinOf => "min_of",
            Self::MaxOf => "max_of",
        }
    }
}

/// A duration that depends on the query's step and range, or has to be computed. A plus sign takes no part in comparing.
#[derive(Clone, Debug)]
pub enum DurationExpr {
    /// A number of seconds, or a duration.
    Number(Number),
    /// An operation on others.
    Op {
        /// Which.
        op: DurationOp,
        /// Left side, of those with two.
        left: Option<Box<DurationExpr>>,
        /// Right side, of all but `step()` and `range()`.
        right: Option<Box<DurationExpr>>,
        /// Whether it stands in round brackets.
        wrapped: bool,
        /// Where it stands.
        place: Place,
    },
}

/// Times of a query that durations may depend on; milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuerySpan {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
}

impl PartialEq for DurationExpr {
    fn eq(&self, other: &Self) -> bool {
        match (self.unsigned(), other.unsigned()) {
            (Self::Number(own), Self::Number(other)) => own == other,
            (Self::Op { op, left, right, wrapped, .. }, Self::Op { op: o, left: l, right: r, wrapped: w, .. }) => {
                (op, left, right, wrapped) == (o, l, r, w)
            }
            _ => false,
        }
    }
}

impl DurationExpr {
    /// Without plus signs before it.
    fn unsigned(&self) -> &Self {
        match self {
            Self::Op { op: DurationOp::Add, left: None, right: Some(right), wrapped: false, .. } => right.unsigned(),
            other => other,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Number(number) => number.place,
            Self::Op { place, .. } => *place,
        }
    }

    /// Its milliseconds.
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(crate) fn resolve(&self, query: QuerySpan) -> Result<i64, &'static str> {
        let seconds = self.seconds(query)?;
        if seconds.is_nan() || seconds.abs() > MAX_SECONDS { Err("duration out of range") } else { Ok(millis(seconds)) }
    }

    #[allow(clippy::cast_precision_loss, reason = "durations of queries are far below 2^53 ms")]
    fn seconds(&self, query: QuerySpan) -> Result<f64, &'static str> {
        let (op, left, right) = match self {
            Self::Number(number) => return Ok(number.value),
            Self::Op { op, left, right, .. } => (*op, left, right),
        };
        let side = |side: &Option<Box<Self>>| side.as_ref().map(|side| side.seconds(query)).transpose();
        let (left, right) = (side(left)?, side(right)?.unwrap_or_default());
        Ok(match (op, left) {
            (DurationOp::Step, _) => query.step as f64 / 1000.0,
            (DurationOp::Range, _) => query.end.saturating_sub(query.start) as f64 / 1000.0,
            (DurationOp::Sub, None) => -right,
            (_, None) => right,
            (DurationOp::Add, Some(left)) => left + right,
            (DurationOp::Sub, Some(left)) => left - right,
            (DurationOp::Mul, Some(left)) => left * right,
            (DurationOp::Div, Some(_)) if right == 0.0 => return Err("division by zero"),
            (DurationOp::Div, Some(left)) => left / right,
            (DurationOp::Mod, Some(_)) if right == 0.0 => return Err("modulo by zero"),
            (DurationOp::Mod, Some(left)) => left % right,
            (DurationOp::Pow, Some(left)) => left.powf(right),
            (DurationOp::MinOf, Some(left)) => left.min(right),
            (DurationOp::MaxOf, Some(left)) => left.max(right),
        })
    }
}
