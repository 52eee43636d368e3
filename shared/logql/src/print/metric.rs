use std::fmt::{self, Display, Formatter};

use icegate_syntax::text::quote;
use icegate_syntax::{duration, number};

use super::list;
use crate::ast::{
    BinaryOp, GroupSide, Grouping, LogRange, MetricExpr, MetricKind, Modifier, RangeAggregation, Unwrap, UnwrapUnit,
    VectorAggregation,
};

impl Display for MetricExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MetricKind::Number(value) => f.write_str(&number::print(*value)),
            MetricKind::Vector(value) => write!(f, "vector({})", number::print(*value)),
            MetricKind::Range(aggregation) => aggregation.fmt(f),
            MetricKind::Vectors(aggregation) => aggregation.fmt(f),
            MetricKind::Binary { op, modifier, left, right } => {
                operand(f, left, *op, true)?;
                write!(f, " {}{modifier} ", op.word())?;
                operand(f, right, *op, false)
            }
            MetricKind::LabelReplace { inner, target, replacement, source, regex } => {
                let [target, replacement, source, regex] = [target, replacement, source, regex].map(|text| quote(text));
                write!(f, "label_replace({inner}, {target}, {replacement}, {source}, {regex})")
            }
        }
    }
}

/// An operand, in brackets where it binds less than the operator.
fn operand(f: &mut Formatter<'_>, operand: &MetricExpr, op: BinaryOp, is_left: bool) -> fmt::Result {
    let brackets = match &operand.kind {
        MetricKind::Binary { op: inner, .. } => {
            let same_side_is_natural = is_left != (op == BinaryOp::Pow);
            inner.precedence() < op.precedence() || inner.precedence() == op.precedence() && !same_side_is_natural
        }
        _ => false,
    };
    if brackets { write!(f, "({operand})") } else { operand.fmt(f) }
}

impl Display for Modifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.bool {
            f.write_str(" bool")?;
        }
        let Some(matching) = &self.matching else { return Ok(()) };
        write!(f, " {} (", if matching.on { "on" } else { "ignoring" })?;
        list(f, &matching.labels)?;
        f.write_str(")")?;
        if let Some((side, labels)) = &matching.group {
            write!(f, " {} (", if *side == GroupSide::Left { "group_left" } else { "group_right" })?;
            list(f, labels)?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl Display for RangeAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.op.word())?;
        if let Some(param) = self.param {
            write!(f, "{}, ", number::print(param))?;
        }
        write!(f, "{})", self.range)?;
        self.grouping.iter().try_for_each(|grouping| write!(f, " {grouping}"))
    }
}

impl Display for VectorAggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.word())?;
        self.grouping.iter().try_for_each(|grouping| write!(f, " {grouping} "))?;
        f.write_str("(")?;
        self.param.iter().try_for_each(|param| write!(f, "{param}, "))?;
        write!(f, "{})", self.inner)
    }
}

impl Display for Grouping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.without { "without (" } else { "by (" })?;
        list(f, &self.labels)?;
        f.write_str(")")
    }
}

impl Display for LogRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.selector.fmt(f)?;
        self.stages.iter().try_for_each(|stage| write!(f, " {stage}"))?;
        self.unwrap.iter().try_for_each(|unwrap| write!(f, " {unwrap}"))?;
        write!(f, " [{}]", duration::print(self.nanos))?;
        if self.offset != 0 {
            write!(f, " offset {}", duration::print(self.offset))?;
        }
        Ok(())
    }
}

impl Display for Unwrap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.unit {
            UnwrapUnit::Number => write!(f, "| unwrap {}", self.label),
            UnwrapUnit::Bytes => write!(f, "| unwrap bytes({})", self.label),
            UnwrapUnit::Duration => write!(f, "| unwrap duration({})", self.label),
            UnwrapUnit::DurationSeconds => write!(f, "| unwrap duration_seconds({})", self.label),
        }?;
        self.filters.iter().try_for_each(|filter| write!(f, " | {filter}"))
    }
}
