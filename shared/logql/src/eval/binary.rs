use icegate_series::{Block, Matching, SetOp, combine as combine_one, combine_many, combine_scalar, combine_sets};

use super::metric::Value;
use crate::LogqlError;
use crate::ast::{BinaryOp, GroupSide, Modifier};

/// The result of an operation on two sides.
pub(crate) fn combine(op: BinaryOp, modifier: &Modifier, left: Value, right: Value) -> Result<Value, LogqlError> {
    let as_bool = modifier.bool;
    Ok(match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(apply(op, true, left, right).unwrap_or_default()),
        (Value::Scalar(left), Value::Block(right)) => {
            // A comparison keeps the vector's value, whichever side it stands on.
            Value::Block(combine_scalar(right, |value| {
                let result = apply(op, as_bool, left, value)?;
                Some(if op.is_comparison() && !as_bool { value } else { result })
            }))
        }
        (Value::Block(left), Value::Scalar(right)) => {
            Value::Block(combine_scalar(left, |value| apply(op, as_bool, value, right)))
        }
        (Value::Block(left), Value::Block(right)) => Value::Block(blocks(op, modifier, left, right)?),
    })
}

fn blocks(op: BinaryOp, modifier: &Modifier, left: Block, right: Block) -> Result<Block, LogqlError> {
    let matching = match &modifier.matching {
        None => Matching::all(),
        Some(matching) if matching.on => Matching::On(matching.labels.clone()),
        Some(matching) => Matching::Ignoring(matching.labels.clone()),
    };
    let value = |left, right| apply(op, modifier.bool, left, right);
    let group = modifier.matching.as_ref().and_then(|matching| matching.group.as_ref());
    Ok(match (op, group) {
        (BinaryOp::Or, _) => combine_sets(SetOp::Or, left, right, &matching),
        (BinaryOp::And, _) => combine_sets(SetOp::And, left, right, &matching),
        (BinaryOp::Unless, _) => combine_sets(SetOp::Unless, left, right, &matching),
        (_, None) => combine_one(left, &right, &matching, value)?,
        (_, Some((GroupSide::Left, taken))) => combine_many(left, &right, &matching, taken, value)?,
        (_, Some((GroupSide::Right, taken))) => combine_many(right, &left, &matching, taken, |many, one| value(one, many))?,
    })
}

/// The result of two numbers; a comparison gives 0 or 1, or else the left number where it holds. Dividing by zero is NaN.
#[allow(clippy::float_cmp, reason = "the language compares exactly")]
fn apply(op: BinaryOp, as_bool: bool, left: f64, right: f64) -> Option<f64> {
    let holds = match op {
        BinaryOp::Add => return Some(left + right),
        BinaryOp::Sub => return Some(left - right),
        BinaryOp::Mul => return Some(left * right),
        BinaryOp::Div => return Some(if right == 0.0 { f64::NAN } else { left / right }),
        BinaryOp::Mod => return Some(if right == 0.0 { f64::NAN } else { left % right }),
        BinaryOp::Pow => return Some(left.powf(right)),
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        // Set operators have whole vectors as operands only.
        BinaryOp::Or | BinaryOp::And | BinaryOp::Unless => return None,
    };
    if as_bool { Some(f64::from(u8::from(holds))) } else { holds.then_some(left) }
}
