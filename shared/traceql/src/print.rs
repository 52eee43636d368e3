//! Trees as text that reads back equal.

mod metrics;
mod pipeline;

use std::fmt;

use crate::ast::{Expr, FieldExpr, FieldKind, Query, UNARY_LEVEL};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::Search(pipeline) => write!(f, "{pipeline}")?,
            Expr::Metrics(metrics) => write!(f, "{metrics}")?,
        }
        if self.hints.is_empty() {
            return Ok(());
        }
        f.write_str(" with (")?;
        for (index, (name, value)) in self.hints.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name}={value}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for FieldExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FieldKind::Value(value) => write!(f, "{value}"),
            FieldKind::Field(field) => write!(f, "{field}"),
            FieldKind::Unary(op, inner) => {
                f.write_str(op.symbol())?;
                operand(f, inner, level(inner) >= UNARY_LEVEL)
            }
            FieldKind::Binary(op, left, right) => {
                // `^` groups to the right, all others to the left.
                let power = op.level() == 6;
                operand(f, left, level(left) > op.level() || !power && level(left) == op.level())?;
                write!(f, " {} ", op.symbol())?;
                operand(f, right, level(right) > op.level() || power && level(right) == op.level())
            }
        }
    }
}

fn operand(f: &mut fmt::Formatter<'_>, expr: &FieldExpr, bare: bool) -> fmt::Result {
    if bare { write!(f, "{expr}") } else { write!(f, "({expr})") }
}

fn level(expr: &FieldExpr) -> u8 {
    match &expr.kind {
        FieldKind::Binary(op, ..) => op.level(),
        FieldKind::Unary(..) => UNARY_LEVEL,
        FieldKind::Value(_) | FieldKind::Field(_) => u8::MAX,
    }
}
