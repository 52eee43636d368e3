use super::binary_value::{compare, compute};
use super::values::Context;
use super::vector::vector;
use crate::PromqlError;
use crate::ast::{Binary, Call, Expr};
use crate::samples::Value;

/// The values of a scalar, one for each step.
pub(crate) fn scalar(context: &Context<'_>, expr: &Expr) -> Result<Vec<f64>, PromqlError> {
    let constant = |value| Ok(vec![value; context.grid.len()]);
    match expr {
        Expr::Number(number) => constant(number.value),
        Expr::Paren(paren) => scalar(context, &paren.expr),
        Expr::Unary(unary) => {
            let values = scalar(context, &unary.expr)?;
            Ok(if unary.negative { values.into_iter().map(|value| -value).collect() } else { values })
        }
        Expr::Binary(node) => binary(context, node),
        Expr::Call(node) => call(context, node),
        other => Err(PromqlError::evaluation(format!("{} is not a scalar", other.value_type().documented()))),
    }
}

fn binary(context: &Context<'_>, node: &Binary) -> Result<Vec<f64>, PromqlError> {
    let (left, right) = (scalar(context, &node.left)?, scalar(context, &node.right)?);
    let value = |(left, right): (f64, f64)| match compare(node.op, left, right) {
        Some(is_true) => f64::from(u8::from(is_true)),
        None => compute(node.op, left, right).unwrap_or(f64::NAN),
    };
    Ok(left.into_iter().zip(right).map(value).collect())
}

#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
fn call(context: &Context<'_>, node: &Call) -> Result<Vec<f64>, PromqlError> {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let constant = |value| Ok(vec![value; context.grid.len()]);
    let query = context.query;
    match node.function.name {
        "time" => Ok(context.times().map(seconds).collect()),
        "pi" => constant(std::f64::consts::PI),
        "start" => constant(seconds(query.start)),
        "end" => constant(seconds(query.end)),
        "step" => constant(seconds(query.step)),
        "range" => constant(seconds(query.end.saturating_sub(query.start))),
        "scalar" => single(context, &node.args[0]),
        "min_of" | "max_of" => {
            let (left, right) = (scalar(context, &node.args[0])?, scalar(context, &node.args[1])?);
            let is_min = node.function.name == "min_of";
            let pick = |(a, b): (f64, f64)| {
                if a.is_nan() || b.is_nan() {
                    f64::NAN
                } else if is_min {
                    a.min(b)
                } else {
                    a.max(b)
                }
            };
            Ok(left.into_iter().zip(right).map(pick).collect())
        }
        other => Err(PromqlError::evaluation(format!("function {other:?} is not a scalar"))),
    }
}

/// The number of a vector that has one only.
fn single(context: &Context<'_>, expr: &Expr) -> Result<Vec<f64>, PromqlError> {
    let mut found = vec![None; context.grid.len()];
    vector(context, expr, &mut |row| {
        for (found, value) in found.iter_mut().zip(&row.values) {
            if let Some(Value::Float(value)) = value {
                *found = Some(if found.is_some() { f64::NAN } else { *value });
            }
        }
        Ok(())
    })?;
    Ok(found.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// The text of a string literal.
pub(crate) fn text(expr: &Expr) -> Result<String, PromqlError> {
    match expr.unwrapped() {
        Expr::Text(literal) => Ok(literal.text.as_str().map_or_else(|| literal.text.lossy(), str::to_owned)),
        other => Err(PromqlError::evaluation(format!("{} is not a string", other.value_type().documented()))),
    }
}
