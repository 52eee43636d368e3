use crate::Value;
use crate::ast::BinaryOp;

/// Whether two values compare so. Values of different types don't; of arrays any element decides.
pub(crate) fn compare(op: BinaryOp, left: &Value, right: &Value) -> bool {
    if let Value::Array(values) = left {
        return values.iter().any(|left| compare(op, left, right));
    }
    if let Value::Array(values) = right {
        return values.iter().any(|right| compare(op, left, right));
    }
    match op {
        BinaryOp::Equal => equal(left, right) == Some(true),
        BinaryOp::NotEqual => equal(left, right) == Some(false),
        BinaryOp::Greater => left.order(right).is_some_and(std::cmp::Ordering::is_gt),
        BinaryOp::GreaterOrEqual => left.order(right).is_some_and(std::cmp::Ordering::is_ge),
        BinaryOp::Less => left.order(right).is_some_and(std::cmp::Ordering::is_lt),
        BinaryOp::LessOrEqual => left.order(right).is_some_and(std::cmp::Ordering::is_le),
        _ => false,
    }
}

/// `None` for different types. Numbers are one type.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Status(left), Value::Status(right)) => Some(left == right),
        (Value::Kind(left), Value::Kind(right)) => Some(left == right),
        (Value::Text(_), Value::Text(_)) | (Value::Bool(_), Value::Bool(_)) => Some(left == right),
        _ => match (left.whole(), right.whole()) {
            (Some(left), Some(right)) => Some(left == right),
            #[allow(clippy::float_cmp, reason = "that is what `=` asks for")]
            _ => left.number().zip(right.number()).map(|(left, right)| left == right),
        },
    }
}

/// Whether an attribute has the type of the literal that it is compared with: a whole number isn't compared with one that has a
/// fraction. Durations are stored as whole numbers.
pub(crate) fn fits_literal(value: &Value, literal: &Value) -> bool {
    match (value, literal) {
        (Value::Array(values), _) => values.iter().all(|value| fits_literal(value, literal)),
        (Value::Int(_), Value::Int(_) | Value::Duration(_))
        | (Value::Float(_), Value::Float(_))
        | (Value::Text(_), Value::Text(_))
        | (Value::Bool(_), Value::Bool(_)) => true,
        _ => false,
    }
}
