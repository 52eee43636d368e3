use std::fmt;

use super::pipeline::list;
use crate::Value;
use crate::ast::{Compare, DEFAULT_TOP, FieldKind, MetricsExpr, MetricsFunction, MetricsQuery, SecondStage};

impl fmt::Display for MetricsExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(leaf) => write!(f, "{leaf}"),
            Self::Scalar(value) => write!(f, "{value}"),
            Self::Binary(op, left, right) => {
                operand(f, left, |level| level >= op.level())?;
                write!(f, " {} ", op.symbol())?;
                operand(f, right, |level| level > op.level())
            }
            Self::Staged(inner, stages) => {
                write!(f, "{inner}")?;
                stages.iter().try_for_each(|stage| write!(f, " {stage}"))
            }
        }
    }
}

fn operand(f: &mut fmt::Formatter<'_>, expr: &MetricsExpr, bare: impl Fn(u8) -> bool) -> fmt::Result {
    let bare = match expr {
        MetricsExpr::Scalar(_) => true,
        MetricsExpr::Binary(op, ..) => bare(op.level()),
        MetricsExpr::Leaf(_) | MetricsExpr::Staged(..) => false,
    };
    if bare { write!(f, "{expr}") } else { write!(f, "({expr})") }
}

impl fmt::Display for SecondStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopK(count) => write!(f, "| topk({count})"),
            Self::BottomK(count) => write!(f, "| bottomk({count})"),
            Self::Filter(op, value) => write!(f, "{} {value}", op.operator().symbol()),
        }
    }
}

impl fmt::Display for MetricsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.pipeline, self.function)?;
        if self.by.is_empty() {
            return Ok(());
        }
        f.write_str(" by (")?;
        list(f, &self.by)?;
        f.write_str(")")
    }
}

impl fmt::Display for MetricsFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name())?;
        match self {
            Self::Compare(compare) => write!(f, "{compare}")?,
            Self::QuantileOverTime(field, quantiles) => {
                write!(f, "{field}")?;
                quantiles.iter().try_for_each(|quantile| write!(f, ", {quantile:?}"))?;
            }
            _ => {
                if let Some(field) = self.field() {
                    write!(f, "{field}")?;
                }
            }
        }
        f.write_str(")")
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.selection.kind == FieldKind::Value(Value::Bool(true)) {
            f.write_str("{ }")?;
        } else {
            write!(f, "{{ {} }}", self.selection)?;
        }
        if self.top != DEFAULT_TOP || self.range.is_some() {
            write!(f, ", {}", self.top)?;
        }
        match self.range {
            Some((start, end)) => write!(f, ", {start}, {end}"),
            None => Ok(()),
        }
    }
}
