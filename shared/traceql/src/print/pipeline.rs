use std::fmt;

use crate::Value;
use crate::ast::{Aggregate, AggregateOp, FieldExpr, FieldKind, Pipeline, SpansetExpr, Stage};

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            let bar = if index > 0 { " | " } else { "" };
            write!(f, "{bar}{stage}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spanset(spanset) => write!(f, "{spanset}"),
            Self::Aggregate(aggregate) => write!(f, "{aggregate}"),
            Self::By(expr) => write!(f, "by({expr})"),
            Self::Coalesce => f.write_str("coalesce()"),
            Self::Select(fields) => {
                f.write_str("select(")?;
                list(f, fields)?;
                f.write_str(")")
            }
        }
    }
}

/// Separated by commas.
pub(super) fn list(f: &mut fmt::Formatter<'_>, all: &[impl fmt::Display]) -> fmt::Result {
    all.iter().enumerate().try_for_each(|(index, one)| {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{one}")
    })
}

impl Aggregate {
    /// What is computed, without the comparison: `avg(duration)`.
    #[must_use]
    pub fn call(&self) -> String {
        match &self.field {
            Some(field) if self.op != AggregateOp::Count => format!("{}({field})", self.op.name()),
            _ => format!("{}()", self.op.name()),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.call(), self.comparison.operator().symbol(), self.value)
    }
}

impl fmt::Display for SpansetExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(FieldExpr { kind: FieldKind::Value(Value::Bool(true)), .. }) => f.write_str("{ }"),
            Self::Filter(expr) => write!(f, "{{ {expr} }}"),
            Self::Wrapped(pipeline) => write!(f, "({pipeline})"),
            Self::Binary(op, left, right) => {
                let own = op.is_structural();
                operand(f, left, level(left).is_none_or(|level| level >= own))?;
                write!(f, " {} ", op.symbol())?;
                operand(f, right, level(right).is_none_or(|level| level && !own))
            }
        }
    }
}

/// Whether an operation binds tight; `None` for what is whole in itself.
fn level(spanset: &SpansetExpr) -> Option<bool> {
    match spanset {
        SpansetExpr::Binary(op, ..) => Some(op.is_structural()),
        SpansetExpr::Filter(_) | SpansetExpr::Wrapped(_) => None,
    }
}

fn operand(f: &mut fmt::Formatter<'_>, spanset: &SpansetExpr, bare: bool) -> fmt::Result {
    if bare { write!(f, "{spanset}") } else { write!(f, "({spanset})") }
}
