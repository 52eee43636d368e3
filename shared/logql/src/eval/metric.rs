use futures::future::BoxFuture;
use futures::try_join;
use icegate_series::{Block, Extreme, Grid, Grouping, Reducer, aggregate, select, sort};

use super::{binary, range, relabel};
use crate::ast::{self, Aggregation, MetricExpr, MetricKind, RangeOp, VectorAggregation};
use crate::{Limits, LogqlError, OpenRows};

/// What a metric query is evaluated with.
pub(crate) struct Context<'a> {
    pub(crate) grid: Grid,
    pub(crate) is_instant: bool,
    pub(crate) limits: &'a Limits,
    /// The time of the query in nanoseconds.
    pub(crate) now: i64,
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
            MetricKind::Vectors(aggregation) => vectors(aggregation, context).await.map(Value::Block),
            MetricKind::Binary { op, modifier, left, right } => {
                let (left, right) = try_join!(evaluate(left, context), evaluate(right, context))?;
                binary::combine(*op, modifier, left, right)
            }
            MetricKind::LabelReplace { inner, target, replacement, source, regex } => {
                let block = evaluate(inner, context).await?.into_block(context.grid);
                let replace = relabel::Replace::new(target, replacement, source, regex, expr.place.0)?;
                Ok(Value::Block(icegate_series::relabel(block, |labels| replace.run(labels))?))
            }
        }
    })
}

/// Whether values have an order of their own.
pub(crate) fn sorts(expr: &MetricExpr) -> bool {
    match &expr.kind {
        MetricKind::Number(_) | MetricKind::Vector(_) | MetricKind::Range(_) => false,
        MetricKind::Vectors(aggregation) => {
            matches!(aggregation.op, Aggregation::Sort | Aggregation::SortDesc) || sorts(&aggregation.inner)
        }
        MetricKind::Binary { left, right, .. } => sorts(left) || sorts(right),
        MetricKind::LabelReplace { inner, .. } => sorts(inner),
    }
}

/// The labels of a sum that measuring by group answers as well.
pub(crate) fn summed_by(aggregation: &VectorAggregation) -> Option<(&ast::RangeAggregation, Vec<String>)> {
    let MetricKind::Range(inner) = &aggregation.inner.kind else { return None };
    let adds_up = matches!(
        inner.op,
        RangeOp::Rate | RangeOp::CountOverTime | RangeOp::BytesRate | RangeOp::BytesOverTime | RangeOp::SumOverTime
    );
    let labels = match &aggregation.grouping {
        None => Vec::new(),
        Some(grouping) if !grouping.without => grouping.labels.clone(),
        Some(_) => return None,
    };
    (aggregation.op == Aggregation::Sum && adds_up).then_some((inner, labels))
}

async fn vectors(aggregation: &VectorAggregation, context: &Context<'_>) -> Result<Block, LogqlError> {
    if aggregation.op == Aggregation::ApproxTopk && !context.is_instant {
        return Err(LogqlError::InstantOnly { op: aggregation.op.word() });
    }
    if let Some((inner, labels)) = summed_by(aggregation) {
        return range::evaluate(inner, Some(&labels), context).await;
    }
    let inner = evaluate(&aggregation.inner, context).await?.into_block(context.grid);
    let grouping = match &aggregation.grouping {
        None => Grouping::all(),
        Some(grouping) if grouping.without => Grouping::Without(grouping.labels.clone()),
        Some(grouping) => Grouping::By(grouping.labels.clone()),
    };
    let k = aggregation.param.map_or(0, |k| usize::try_from(k).unwrap_or(usize::MAX));
    let reducer = match aggregation.op {
        Aggregation::Sum => Reducer::Sum,
        Aggregation::Avg => Reducer::Avg,
        Aggregation::Min => Reducer::Min,
        Aggregation::Max => Reducer::Max,
        Aggregation::Count => Reducer::Count,
        Aggregation::Stddev => Reducer::Stddev,
        Aggregation::Stdvar => Reducer::Stdvar,
        // The exact answer is one of those that may be given.
        Aggregation::Topk | Aggregation::ApproxTopk => return Ok(select(inner, Extreme::Greatest, k, &grouping)),
        Aggregation::Bottomk => return Ok(select(inner, Extreme::Least, k, &grouping)),
        Aggregation::Sort => return Ok(sort(inner, Extreme::Least)),
        Aggregation::SortDesc => return Ok(sort(inner, Extreme::Greatest)),
    };
    Ok(aggregate(inner, reducer, &grouping))
}
