//! Arithmetic and second stages over finished series.

use std::collections::HashMap;

use icegate_series::{Block, Extreme, Grouping, Labels, Matching, Row, combine, combine_scalar, select};

use super::frame::Frame;
use super::leaf::Leaf;
use super::{Exemplar, MetricSeries, label};
use crate::Value;
use crate::ast::{MathOp, MetricsExpr, SecondStage};

pub(super) fn finish(expr: &MetricsExpr, frame: Frame, leaves: Vec<Leaf>) -> Vec<MetricSeries> {
    let mut answers = leaves.into_iter().map(Leaf::finish);
    let mut exemplars: HashMap<Labels, Vec<Exemplar>> = HashMap::new();
    let mut next = || match answers.next() {
        Some(answer) => {
            exemplars.extend(answer.exemplars);
            answer.block
        }
        None => Block::empty(frame.grid),
    };
    let block = match evaluate(expr, frame, &mut next) {
        Operand::Series(block) => block,
        Operand::Number(number, _) => Block::constant(frame.grid, number),
    };
    let mut series: Vec<MetricSeries> = block
        .into_matrix()
        .into_iter()
        .filter_map(|series| {
            let labels = series.labels.iter().map(|label| (label.name.to_string(), label::decode(&label.value))).collect();
            let points: Vec<_> = series.points.into_iter().filter(|(_, value)| !value.is_nan()).collect();
            let exemplars = exemplars.remove(&series.labels).unwrap_or_default();
            (!points.is_empty()).then_some(MetricSeries { labels, points, exemplars })
        })
        .collect();
    series.sort_by(|a, b| a.labels.len().cmp(&b.labels.len()).then_with(|| by_labels(a, b)));
    series
}

fn by_labels(a: &MetricSeries, b: &MetricSeries) -> std::cmp::Ordering {
    let mut pairs = a.labels.iter().zip(&b.labels).map(|(left, right)| {
        let by_value = || left.1.order(&right.1).unwrap_or_else(|| left.1.to_string().cmp(&right.1.to_string()));
        left.0.cmp(&right.0).then_with(by_value)
    });
    pairs.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

enum Operand {
    Series(Block),
    /// With its text.
    Number(f64, String),
}

/// Takes the blocks of leaves in the order of the text.
fn evaluate(expr: &MetricsExpr, frame: Frame, next: &mut impl FnMut() -> Block) -> Operand {
    match expr {
        MetricsExpr::Leaf(_) => Operand::Series(next()),
        MetricsExpr::Scalar(value) => Operand::Number(value.number().unwrap_or(f64::NAN), value.to_string()),
        MetricsExpr::Staged(inner, stages) => {
            let block = match evaluate(inner, frame, next) {
                Operand::Series(block) => block,
                Operand::Number(number, _) => Block::constant(frame.grid, number),
            };
            Operand::Series(stages.iter().fold(block, staged))
        }
        MetricsExpr::Binary(op, left, right) => {
            let (left, right) = (evaluate(left, frame, next), evaluate(right, frame, next));
            match (left, right) {
                (Operand::Number(left, text), Operand::Number(right, other)) => {
                    Operand::Number(op.apply(left, right), named(*op, &text, &other))
                }
                (Operand::Number(number, text), Operand::Series(block)) => {
                    let block = combine_scalar(block, |value| Some(op.apply(number, value)));
                    Operand::Series(renamed(block, |name| named(*op, &text, name)))
                }
                (Operand::Series(block), Operand::Number(number, text)) => {
                    let block = combine_scalar(block, |value| Some(op.apply(value, number)));
                    Operand::Series(renamed(block, |name| named(*op, name, &text)))
                }
                (Operand::Series(left), Operand::Series(right)) => Operand::Series(joined(*op, left, right)),
            }
        }
    }
}

fn staged(block: Block, stage: &SecondStage) -> Block {
    match stage {
        SecondStage::TopK(count) => select(block, Extreme::Greatest, *count, &Grouping::all()),
        SecondStage::BottomK(count) => select(block, Extreme::Least, *count, &Grouping::all()),
        SecondStage::Filter(op, value) => {
            let scale = if matches!(value, Value::Duration(_)) { 1e9 } else { 1.0 };
            let number = value.number().unwrap_or(f64::NAN) / scale;
            combine_scalar(block, |value| op.holds(value, number).then_some(value))
        }
    }
}

/// Series meet on equal labels; a side that is one series without labels meets every series of the other.
fn joined(op: MathOp, left: Block, right: Block) -> Block {
    let apply = |(left, right): (&Option<f64>, &Option<f64>)| Some(op.apply((*left)?, (*right)?));
    let met = |labels: Labels, left: &Row, right: &Row| Row {
        labels,
        values: left.values.iter().zip(&right.values).map(apply).collect(),
    };
    let grid = left.grid;
    match (bare(&left), bare(&right)) {
        (Some((name, one)), Some((other_name, other))) => {
            let labels = label::one(label::NAME, &Value::text(named(op, &name, &other_name)));
            Block { grid, series: vec![met(labels, one, other)] }
        }
        (Some((_, one)), None) => {
            Block { grid, series: right.series.iter().map(|row| met(row.labels.clone(), one, row)).collect() }
        }
        (None, Some((_, one))) => {
            Block { grid, series: left.series.iter().map(|row| met(row.labels.clone(), row, one)).collect() }
        }
        // No two series of a side have the same labels, so that none meets two.
        (None, None) => combine(left, &right, &Matching::all(), |left, right| Some(op.apply(left, right)))
            .unwrap_or_else(|_| Block::empty(grid)),
    }
}

/// The one series, if it has no labels but its name.
fn bare(block: &Block) -> Option<(String, &Row)> {
    let [row] = &block.series[..] else { return None };
    let name = row.labels.get(label::NAME).filter(|_| row.labels.len() == 1)?;
    Some((name_of(name), row))
}

fn name_of(encoded: &str) -> String {
    match label::decode(encoded) {
        Value::Text(name) => name.to_string(),
        other => other.to_string(),
    }
}

fn named(op: MathOp, left: &str, right: &str) -> String {
    format!("({left} {} {right})", op.symbol())
}

/// Names of series without labels say how they were made.
fn renamed(mut block: Block, name: impl Fn(&str) -> String) -> Block {
    for row in &mut block.series {
        if let Some(old) = row.labels.get(label::NAME).map(name_of) {
            row.labels = label::with(&row.labels, label::NAME, &Value::text(name(&old)));
        }
    }
    block
}
