use super::binary_scalar::{self, Sides};
use super::binary_value::Operation;
use super::matching::{self, Keys};
use super::values::{Context, Row, Sink};
use super::vector::collect;
use crate::PromqlError;
use crate::ast::{Binary, Matching, ValueType};

pub(crate) fn binary(context: &Context<'_>, node: &Binary, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    // Each side is looked at on its own.
    let context = &context.with_resets(false, false);
    let span = node.left.span().to(node.right.span());
    let operation = Operation { context, op: node.op, return_bool: node.return_bool, span };
    let vectors = (node.left.value_type() == ValueType::Vector, node.right.value_type() == ValueType::Vector);
    match (vectors, &node.matching) {
        ((true, false), _) => binary_scalar::combine(context, &operation, &Sides::VectorScalar(&node.left, &node.right), sink),
        ((false, true), _) => binary_scalar::combine(context, &operation, &Sides::ScalarVector(&node.left, &node.right), sink),
        ((true, true), Some(matching)) if matches!(node.op, "and" | "or" | "unless") => sets(context, node, matching, sink),
        ((true, true), Some(matching)) => matching::combine(context, node, matching, &operation, sink),
        _ => Err(PromqlError::evaluation(format!("{} needs a vector", node.op))),
    }
}

/// `and`, `or` and `unless`: whole samples, by whether the other side has one at the step.
fn sets(context: &Context<'_>, node: &Binary, matching: &Matching, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let (mut left, mut right) = (collect(context, &node.left)?, collect(context, &node.right)?);
    let mut keys = Keys::new(matching);
    let left_keys: Vec<usize> = left.iter().map(|row| keys.of(&row.labels)).collect();
    let right_keys: Vec<usize> = right.iter().map(|row| keys.of(&row.labels)).collect();
    let samples = |rows: &[Row]| rows.iter().map(Row::samples).sum::<usize>();
    let bytes = |rows: &[Row]| rows.iter().map(Row::bytes).sum::<usize>() + keys.len() * context.grid.len();
    let _held = context.budget.hold(samples(&left) + samples(&right), bytes(&left) + bytes(&right))?;
    if node.op == "or" {
        let taken = present(&left, &left_keys, keys.len(), context.grid.len());
        keep(&mut right, &right_keys, &taken, false);
        left.append(&mut right);
    } else {
        let found = present(&right, &right_keys, keys.len(), context.grid.len());
        keep(&mut left, &left_keys, &found, node.op == "and");
    }
    left.into_iter().filter(|row| !row.is_empty()).try_for_each(sink)
}

/// Which keys have a sample at which step.
fn present(rows: &[Row], keys: &[usize], count: usize, steps: usize) -> Vec<Vec<bool>> {
    let mut found = vec![vec![false; steps]; count];
    for (row, key) in rows.iter().zip(keys) {
        found[*key].iter_mut().zip(&row.values).for_each(|(found, value)| *found |= value.is_some());
    }
    found
}

/// Keeps samples whose key has (`wanted`) or hasn't a sample.
fn keep(rows: &mut [Row], keys: &[usize], found: &[Vec<bool>], wanted: bool) {
    for (row, key) in rows.iter_mut().zip(keys) {
        row.values.iter_mut().zip(&found[*key]).filter(|(_, found)| **found != wanted).for_each(|(value, _)| *value = None);
    }
}
