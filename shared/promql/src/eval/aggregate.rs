use std::collections::HashMap;

use icegate_series::Labels;

use super::aggregate_select;
use super::histograms::check_quantile;
use super::labels::with;
use super::over_time::HistogramTotal;
use super::scalar::{scalar, text};
use super::values::{Context, Row, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::{Aggregate, Grouping};
use crate::numeric::{self, Kahan, Mean, Variance, kahan_inc};
use crate::samples::Value;

/// What a group has at a step.
#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Empty,
    Sum(Kahan),
    Mean(Mean),
    Extreme(f64),
    Count(f64),
    Variance(Variance),
    Values(Vec<f64>),
    Histograms(Box<HistogramTotal>),
    /// Numbers and histograms, or histograms that don't mix: no result.
    Mixed,
}

/// Series that are aggregated to one.
struct Group {
    labels: Labels,
    drop_name: bool,
    states: Vec<State>,
}

pub(crate) fn aggregate(context: &Context<'_>, node: &Aggregate, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    match node.op {
        "topk" | "bottomk" | "limitk" | "limit_ratio" => return aggregate_select::select(context, node, sink),
        "count_values" => return count_values(context, node, sink),
        _ => {}
    }
    let quantiles = node.param.as_ref().map(|param| scalar(context, param)).transpose()?.unwrap_or_default();
    if let Some(param) = &node.param {
        quantiles.iter().for_each(|q| check_quantile(context, *q, param.span()));
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut held = context.hold_rows(0)?;
    vector(context, &node.expr, &mut |row| {
        let labels = group_labels(&node.grouping, &row.labels);
        let at = match index.get(&labels) {
            Some(at) => *at,
            None => {
                held.more(0, size_of::<Group>() + row.values.len() * size_of::<State>())?;
                index.insert(labels.clone(), groups.len());
                groups.push(Group { labels, drop_name: false, states: vec![State::Empty; row.values.len()] });
                groups.len() - 1
            }
        };
        let group = &mut groups[at];
        group.drop_name |= row.drop_name && keeps_name(&node.grouping);
        if node.op == "quantile" {
            held.more(row.samples(), row.samples() * size_of::<f64>())?;
        }
        for (state, value) in group.states.iter_mut().zip(&row.values) {
            if let Some(value) = value {
                add(context, node, state, value);
            }
        }
        Ok(())
    })?;
    for group in groups {
        let finish = |(step, state): (usize, State)| finish(context, node, state, quantiles.get(step).copied());
        let values: Vec<_> = group.states.into_iter().enumerate().map(finish).collect();
        let row = Row { labels: group.labels, drop_name: group.drop_name, values };
        if !row.is_empty() {
            sink(row)?;
        }
    }
    Ok(())
}

/// The labels of the group that a series is in.
pub(crate) fn group_labels(grouping: &Grouping, labels: &Labels) -> Labels {
    if !grouping.without {
        return labels.filtered(&grouping.labels, true);
    }
    let mut names = grouping.labels.clone();
    names.push("__name__".to_owned());
    labels.filtered(&names, false)
}

pub(crate) fn keeps_name(grouping: &Grouping) -> bool {
    !grouping.without && grouping.labels.iter().any(|label| label == "__name__")
}

fn add(context: &Context<'_>, node: &Aggregate, state: &mut State, value: &Value) {
    match node.op {
        "sum" | "avg" => add_up(node, state, value),
        "count" | "group" => match state {
            State::Count(count) => *count += 1.0,
            state => *state = State::Count(1.0),
        },
        _ => match value {
            Value::Histogram(_) => {
                context.notes.info(format!("ignored histogram in {} aggregation", node.op), node.expr.span());
            }
            Value::Float(value) => add_float(node.op, state, *value),
        },
    }
}

fn add_up(node: &Aggregate, state: &mut State, value: &Value) {
    match (&mut *state, value) {
        (State::Empty, Value::Float(value)) if node.op == "sum" => *state = State::Sum(kahan_inc(*value, Kahan::default())),
        (State::Empty, Value::Float(value)) => {
            let mut mean = Mean::default();
            mean.add(*value);
            *state = State::Mean(mean);
        }
        (State::Empty, Value::Histogram(first)) => {
            *state = State::Histograms(Box::new(HistogramTotal::new(first, node.op == "avg")));
        }
        (State::Sum(sum), Value::Float(value)) => *sum = kahan_inc(*value, *sum),
        (State::Mean(mean), Value::Float(value)) => mean.add(*value),
        (State::Histograms(total), Value::Histogram(histogram)) => total.add(histogram),
        _ => *state = State::Mixed,
    }
}

fn add_float(op: &str, state: &mut State, value: f64) {
    match (&mut *state, op) {
        (State::Extreme(found), "min") if value < *found || found.is_nan() => *found = value,
        (State::Extreme(found), "max") if value > *found || found.is_nan() => *found = value,
        (State::Extreme(_), _) => {}
        (State::Values(values), _) => values.push(value),
        (State::Variance(variance), _) => variance.add(value),
        (_, "min" | "max") => *state = State::Extreme(value),
        (_, "quantile") => *state = State::Values(vec![value]),
        _ => {
            let mut variance = Variance::default();
            variance.add(value);
            *state = State::Variance(variance);
        }
    }
}

fn finish(context: &Context<'_>, node: &Aggregate, state: State, q: Option<f64>) -> Option<Value> {
    let span = node.expr.span();
    Some(Value::Float(match state {
        State::Empty => return None,
        State::Sum(sum) => sum.total(),
        State::Mean(mean) => mean.finish(),
        State::Extreme(value) => value,
        State::Count(_) if node.op == "group" => 1.0,
        State::Count(count) => count,
        State::Variance(variance) if node.op == "stddev" => variance.finish().sqrt(),
        State::Variance(variance) => variance.finish(),
        State::Values(mut values) => numeric::quantile(q.unwrap_or(f64::NAN), &mut values),
        State::Mixed => {
            context.notes.warn("encountered a mix of histograms and floats for aggregation", span);
            return None;
        }
        State::Histograms(total) if total.is_incompatible => {
            let message = "vector contains a mix of histograms with exponential and custom buckets schemas";
            context.notes.warn(message, span);
            return None;
        }
        State::Histograms(total) => {
            if total.has_collision {
                context.notes.warn("conflicting counter resets during histogram aggregation", span);
            }
            if total.has_reconciled {
                context.notes.info("mismatched custom buckets were reconciled during aggregation", span);
            }
            return Some(Value::of(total.finish()));
        }
    }))
}

/// Counts equal values of a group; the value becomes a label.
fn count_values(context: &Context<'_>, node: &Aggregate, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let Some(param) = &node.param else { return Ok(()) };
    let invalid = |shown: String| PromqlError::evaluation(format!("invalid label name {shown}"));
    if let crate::ast::Expr::Text(literal) = param.unwrapped()
        && literal.text.as_str().is_none_or(str::is_empty)
    {
        return Err(invalid(literal.text.to_string()));
    }
    let label = text(param)?;
    let mut grouping = node.grouping.clone();
    if !grouping.without && !grouping.labels.contains(&label) {
        grouping.labels.push(label.clone());
    }
    let mut groups: Vec<Row> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut held = context.hold_rows(0)?;
    vector(context, &node.expr, &mut |row| {
        for (step, value) in row.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let shown = match value {
                Value::Float(value) => crate::print::plain(*value),
                Value::Histogram(histogram) => histogram.to_string(),
            };
            let labels = group_labels(&grouping, &with(&row.labels, &label, shown));
            let at = match index.get(&labels) {
                Some(at) => *at,
                None => {
                    held.more(0, size_of::<Row>() + row.values.len() * size_of::<Option<Value>>())?;
                    index.insert(labels.clone(), groups.len());
                    let drop_name = row.drop_name && keeps_name(&grouping);
                    groups.push(Row { labels, drop_name, values: vec![None; row.values.len()] });
                    groups.len() - 1
                }
            };
            let count = groups[at].values[step].as_ref().and_then(Value::float).unwrap_or_default();
            groups[at].values[step] = Some(Value::Float(count + 1.0));
        }
        Ok(())
    })?;
    groups.into_iter().try_for_each(sink)
}
