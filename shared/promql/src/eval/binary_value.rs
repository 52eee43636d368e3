use icegate_syntax::Span;

use super::values::Context;
use crate::ResetHint;
use crate::histogram::{Combined, Histogram};
use crate::samples::Value;

/// An operation on two values.
pub(crate) struct Operation<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) op: &'static str,
    pub(crate) return_bool: bool,
    /// Where the whole operation stands.
    pub(crate) span: Span,
}

/// Whether an operation computes something new, so that the name of its series no longer fits.
pub(crate) fn is_arithmetic(op: &str) -> bool {
    matches!(op, "+" | "-" | "*" | "/" | "%" | "^" | "atan2")
}

/// The result of arithmetic; `None` where it is none.
pub(crate) fn compute(op: &str, left: f64, right: f64) -> Option<f64> {
    Some(match op {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        "^" => left.powf(right),
        "atan2" => left.atan2(right),
        _ => return None,
    })
}

/// The result of a comparison; `None` where it is none.
pub(crate) fn compare(op: &str, left: f64, right: f64) -> Option<bool> {
    Some(match op {
        "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "<=" => left <= right,
        ">=" => left >= right,
        _ => return None,
    })
}

impl Operation<'_> {
    /// The result; `None` where a comparison is false, or the values don't fit the operation. `kept` stands for what a comparison
    /// keeps.
    pub(crate) fn apply(&self, left: &Value, right: &Value, kept: &Value) -> Option<Value> {
        let is_true = match (left, right) {
            (Value::Float(left), Value::Float(right)) => match compare(self.op, *left, *right) {
                Some(is_true) => is_true,
                None => match compute(self.op, *left, *right) {
                    Some(value) => return Some(Value::Float(value)),
                    None => return self.mismatch("float", "float"),
                },
            },
            (Value::Float(left), Value::Histogram(right)) => {
                if self.op != "*" {
                    return self.mismatch("float", "histogram");
                }
                let mut product = (**right).clone();
                product.mul(*left);
                return Some(Value::of(product));
            }
            (Value::Histogram(left), Value::Float(right)) => return self.with_float(left, *right),
            (Value::Histogram(left), Value::Histogram(right)) => match self.op {
                "==" => left == right,
                "!=" => left != right,
                _ => return self.of_histograms(left, right),
            },
        };
        if self.return_bool {
            return Some(Value::Float(f64::from(u8::from(is_true))));
        }
        is_true.then(|| kept.clone())
    }

    fn with_float(&self, left: &Histogram, right: f64) -> Option<Value> {
        let mut result = left.clone();
        match self.op {
            "*" => result.mul(right),
            "/" => result.div(right),
            "</" => result.trim(right, true),
            ">/" => result.trim(right, false),
            _ => return self.mismatch("histogram", "float"),
        }
        Some(Value::of(result))
    }

    fn of_histograms(&self, left: &Histogram, right: &Histogram) -> Option<Value> {
        let mut result = left.clone();
        let (combined, during) = match self.op {
            "+" => (result.add(right), "addition"),
            "-" => (result.sub(right), "subtraction"),
            _ => return self.mismatch("histogram", "histogram"),
        };
        let notes = self.context.notes;
        let Ok(Combined { reset_collision, bounds_reconciled }) = combined else {
            notes.warn(format!("incompatible bucket layout encountered for binary operator {:?}", self.op), self.span);
            return None;
        };
        if reset_collision {
            notes.warn(format!("conflicting counter resets during histogram {during}"), self.span);
        }
        if bounds_reconciled {
            notes.info(format!("mismatched custom buckets were reconciled during {during}"), self.span);
        }
        if self.op == "-" {
            result.hint = ResetHint::Gauge;
        }
        Some(Value::of(result))
    }

    fn mismatch(&self, left: &str, right: &str) -> Option<Value> {
        let op = self.op;
        let message = format!("incompatible sample types encountered for binary operator {op:?}: {left} {op} {right}");
        self.context.notes.info(message, self.span);
        None
    }
}
