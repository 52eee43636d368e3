use crate::ast::BinaryOp;
use crate::{TraceqlError, Value};

/// Computes; what isn't a number makes nothing. Whole numbers stay whole, and durations durations, where both sides are whole.
pub(crate) fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, TraceqlError> {
    let Some((one, other)) = left.number().zip(right.number()) else { return Ok(Value::Nil) };
    if matches!(op, BinaryOp::Divide | BinaryOp::Modulo) && other == 0.0 {
        return Err(TraceqlError::DivisionByZero);
    }
    let whole = left.whole().zip(right.whole()).and_then(|(left, right)| of_whole(op, left, right));
    Ok(match whole {
        Some(nanos) if matches!(left, Value::Duration(_)) || matches!(right, Value::Duration(_)) => Value::Duration(nanos),
        Some(value) => Value::Int(value),
        None => Value::Float(of_any(op, one, other)),
    })
}

/// `None` where the result isn't a whole number that fits.
fn of_whole(op: BinaryOp, left: i64, right: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Subtract => left.checked_sub(right),
        BinaryOp::Multiply => left.checked_mul(right),
        BinaryOp::Divide => left.checked_div(right),
        BinaryOp::Modulo => left.checked_rem(right),
        BinaryOp::Power => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
        _ => None,
    }
}

fn of_any(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        BinaryOp::Modulo => left % right,
        BinaryOp::Power => left.powf(right),
        _ => f64::NAN,
    }
}
