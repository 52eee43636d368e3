use futures::future::BoxFuture;
use icegate_series::{Block, Grid, Grouping, Matching, Reducer, SetOp, aggregate, combine, combine_scalar, combine_sets};

use super::range;
use crate::ast::{self, Aggregation, BinaryOp, MetricExpr, MetricKind, Modifier, RangeOp, VectorAggregation};
use crate::{Limits, LogqlError, OpenRows};

/// What a metric query is evaluated with.
pub(crate) struct Context<'a> {
    pub(crate) grid: Grid,
    pub(crate) limits: &'a Limits,
    pub(crate) rows: &'a dyn OpenRows,
}

/// What a metric expression gives.
pub(crate) enum Value {
    Scalar(f64),
    Block(Block),
}

impl Value {
    /// A number is the same at each point.
    pub(crate) fn into_block(self, grid: Grid) -> Block {
        match self {
            Self::Scalar(number) => Block::constant(grid, number),
            Self::Block(block) => block,
        }
    }
}

pub(crate) fn evaluate<'a>(expr: &'a MetricExpr, context: &'a Context<'a>) -> BoxFuture<'a, Result<Value, LogqlError>> {
    Box::pin(async move {
        match &expr.kind {
            MetricKind::Number(number) => Ok(Value::Scalar(*number)),
            MetricKind::Vector(number) => Ok(Value::Block(Block::constant(context.grid, *number))),
            MetricKind::Range(aggregation) => range::evaluate(aggregation, None, context).await.map(Value::Block),
            MetricKind::Vectors(aggregation) => vectors(aggregation, expr, context).await.map(Value::Block),
            MetricKind::Binary { op, modifier, left, right } => {
                let left = evaluate(left, context).await?;
                let right = evaluate(right, context).await?;
                binary(*op, modifier, left, right)
            }
            MetricKind::LabelReplace { .. } => Err(LogqlError::unsupported("`label_replace`", expr.place.0)),
        }
    })
}

/// The labels of a sum that counting by group answers as well.
pub(crate) fn summed_by(aggregation: &VectorAggregation) -> Option<(&ast::RangeAggregation, Vec<String>)> {
    let MetricKind::Range(inner) = &aggregation.inner.kind else { return None };
    let labels = match &aggregation.grouping {
        None => Vec::new(),
        Some(grouping) if !grouping.without => grouping.labels.clone(),
        Some(_) => return None,
    };
    (aggregation.op == Aggregation::Sum && inner.op != RangeOp::AbsentOverTime).then_some((inner, labels))
}

async fn vectors(aggregation: &VectorAggregation, expr: &MetricExpr, context: &Context<'_>) -> Result<Block, LogqlError> {
    if let Some((inner, labels)) = summed_by(aggregation) {
        return range::evaluate(inner, Some(&labels), context).await;
    }
    let inner = evaluate(&aggregation.inner, context).await?.into_block(context.grid);
    let reducer = match aggregation.op {
        Aggregation::Sum => Reducer::Sum,
        Aggregation::Avg => Reducer::Avg,
        Aggregation::Min => Reducer::Min,
        Aggregation::Max => Reducer::Max,
        Aggregation::Count => Reducer::Count,
        Aggregation::Stddev => Reducer::Stddev,
        Aggregation::Stdvar => Reducer::Stdvar,
        op => return Err(LogqlError::unsupported(format!("`{}`", op.word()), expr.place.0)),
    };
    let grouping = match &aggregation.grouping {
        None => Grouping::all(),
        Some(grouping) if grouping.without => Grouping::Without(grouping.labels.clone()),
        Some(grouping) => Grouping::By(grouping.labels.clone()),
    };
    Ok(aggregate(inner, reducer, &grouping))
}

fn binary(op: BinaryOp, modifier: &Modifier, left: Value, right: Value) -> Result<Value, LogqlError> {
    let matching = match &modifier.matching {
        None => Matching::all(),
        Some(matching) if matching.on => Matching::On(matching.labels.clone()),
        Some(matching) => Matching::Ignoring(matching.labels.clone()),
    };
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
        (Value::Block(left), Value::Block(right)) => Value::Block(match op {
            BinaryOp::Or => combine_sets(SetOp::Or, left, right, &matching),
            BinaryOp::And => combine_sets(SetOp::And, left, right, &matching),
            BinaryOp::Unless => combine_sets(SetOp::Unless, left, right, &matching),
            _ => combine(left, &right, &matching, |left, right| apply(op, as_bool, left, right))?,
        }),
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
