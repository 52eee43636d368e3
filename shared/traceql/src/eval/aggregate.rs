use std::cmp::Ordering;

use super::{Expr, Subject};
use crate::ast::AggregateOp;
use crate::{Trace, TraceqlError, Value};

/// Computes over spans; nil where none of them has a number.
pub(super) fn aggregate(op: AggregateOp, field: Option<&Expr>, trace: &Trace, spans: &[usize]) -> Result<Value, TraceqlError> {
    let Some(field) = field else { return Ok(Value::Int(i64::try_from(spans.len()).unwrap_or(i64::MAX))) };
    let mut values = Vec::with_capacity(spans.len());
    for subject in spans.iter().filter_map(|index| Subject::of(trace, *index)) {
        let value = field.value(subject)?;
        if value.number().is_some() {
            values.push(value.into_owned());
        }
    }
    Ok(of_numbers(op, values))
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the mean of durations is a duration")]
fn of_numbers(op: AggregateOp, values: Vec<Value>) -> Value {
    let count = values.len();
    let durations = values.iter().all(|value| matches!(value, Value::Duration(_)));
    let order = |left: &Value, right: &Value| left.order(right).unwrap_or(Ordering::Equal);
    match op {
        _ if count == 0 => Value::Nil,
        AggregateOp::Count => Value::Int(i64::try_from(count).unwrap_or(i64::MAX)),
        AggregateOp::Min => values.into_iter().min_by(order).unwrap_or_default(),
        AggregateOp::Max => values.into_iter().max_by(order).unwrap_or_default(),
        AggregateOp::Sum => {
            let sum = || values.iter().map(Value::whole).try_fold(0_i64, |sum, value| sum.checked_add(value?));
            match sum().filter(|_| durations) {
                Some(nanos) => Value::Duration(nanos),
                None => Value::Float(values.iter().filter_map(Value::number).sum()),
            }
        }
        AggregateOp::Avg => {
            let mean = values.iter().filter_map(Value::number).sum::<f64>() / count as f64;
            if durations { Value::Duration(mean as i64) } else { Value::Float(mean) }
        }
    }
}
