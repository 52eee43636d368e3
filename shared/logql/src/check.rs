//! What a tree must be beyond its grammar.

mod stages;

use icegate_syntax::Span;

use crate::ast::{Aggregation, Expr, MetricExpr, MetricKind, RangeAggregation, RangeOp, Selector, VectorAggregation};
use crate::{LogqlError, pattern};

/// Refuses trees that mean nothing.
pub(crate) fn meaning(expr: &Expr) -> Result<(), LogqlError> {
    match expr {
        Expr::Logs(logs) => {
            selector(&logs.selector)?;
            stages::stages(&logs.stages)
        }
        Expr::Metric(metric) => metric_meaning(metric),
    }
}

/// The expressions of a selector compile.
pub(crate) fn matchers(selector: &Selector) -> Result<(), LogqlError> {
    for matcher in selector.matchers.iter().filter(|matcher| matcher.op.is_regex()) {
        pattern::whole(&matcher.value, matcher.place.0)?;
    }
    Ok(())
}

fn selector(selector: &Selector) -> Result<(), LogqlError> {
    if selector.matchers.is_empty() {
        return Err(LogqlError::meaning(
            "queries require at least one matcher, for instance {service_name=~\".+\"}",
            selector.place.0,
        ));
    }
    matchers(selector)
}

fn metric_meaning(metric: &MetricExpr) -> Result<(), LogqlError> {
    let span = metric.place.0;
    match &metric.kind {
        MetricKind::Number(_) | MetricKind::Vector(_) => Ok(()),
        MetricKind::Range(aggregation) => range(aggregation, span),
        MetricKind::Vectors(aggregation) => vectors(aggregation, span),
        MetricKind::Binary { op, left, right, .. } => {
            metric_meaning(left)?;
            metric_meaning(right)?;
            if op.is_set() && (is_literal(left) || is_literal(right)) {
                return Err(LogqlError::meaning(format!("operation {} doesn't take a number as an operand", op.word()), span));
            }
            Ok(())
        }
        MetricKind::LabelReplace { inner, regex, .. } => {
            metric_meaning(inner)?;
            pattern::whole(regex, span).map(|_| ())
        }
    }
}

/// A number, or an operation of numbers.
fn is_literal(metric: &MetricExpr) -> bool {
    match &metric.kind {
        MetricKind::Number(_) => true,
        MetricKind::Binary { left, right, .. } => is_literal(left) && is_literal(right),
        _ => false,
    }
}

fn range(aggregation: &RangeAggregation, span: Span) -> Result<(), LogqlError> {
    let RangeAggregation { op, param, range, grouping } = aggregation;
    let word = op.word();
    if range.unwrap.is_some() && !op.takes_values() {
        return Err(LogqlError::meaning(format!("invalid aggregation {word} with unwrap"), span));
    }
    if range.unwrap.is_none() && !op.takes_lines() {
        return Err(LogqlError::meaning(format!("invalid aggregation {word} without unwrap"), span));
    }
    match param {
        None if *op == RangeOp::QuantileOverTime => {
            return Err(LogqlError::meaning(format!("parameter required for operation {word}"), span));
        }
        Some(value) if *op != RangeOp::QuantileOverTime => {
            return Err(LogqlError::meaning(format!("parameter {value} not supported for operation {word}"), span));
        }
        _ => {}
    }
    if grouping.is_some() && !op.may_group() {
        return Err(LogqlError::meaning(format!("grouping not allowed for {word} aggregation"), span));
    }
    selector(&range.selector)?;
    stages::stages(&range.stages)?;
    range.unwrap.iter().flat_map(|unwrap| &unwrap.filters).try_for_each(stages::label_filter)
}

fn vectors(aggregation: &VectorAggregation, span: Span) -> Result<(), LogqlError> {
    let groups = aggregation.grouping.as_ref().is_some_and(|grouping| {
        // By or without no label at all is no grouping for an order.
        aggregation.op == Aggregation::ApproxTopk || !grouping.labels.is_empty()
    });
    if groups && !aggregation.op.may_group() {
        let word = match aggregation.op {
            Aggregation::Sort | Aggregation::SortDesc => "sort and sort_desc",
            op => op.word(),
        };
        return Err(LogqlError::meaning(format!("grouping not allowed for {word} aggregation"), span));
    }
    metric_meaning(&aggregation.inner)
}
