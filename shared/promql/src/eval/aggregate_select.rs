//! Aggregations that keep some of their series: the greatest, the least, any few, or a share of them.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hasher;

use icegate_series::Labels;
use twox_hash::XxHash64;

use super::aggregate::group_labels;
use super::scalar::scalar;
use super::values::{Context, Row, Sink};
use super::vector::collect;
use crate::PromqlError;
use crate::ast::Aggregate;
use crate::samples::Value;

pub(crate) fn select(context: &Context<'_>, node: &Aggregate, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let Some(param) = &node.param else { return Ok(()) };
    let params = scalar(context, param)?;
    check(context, node, &params)?;
    let rows = collect(context, &node.expr)?;
    let _held = context.budget.hold(rows.iter().map(Row::samples).sum(), rows.iter().map(Row::bytes).sum())?;
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let group = *index.entry(group_labels(&node.grouping, &row.labels)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(at);
    }
    let hashes: Vec<f64> =
        if node.op == "limit_ratio" { rows.iter().map(|row| share(&row.labels)).collect() } else { Vec::new() };
    let mut kept: Vec<Vec<bool>> = rows.iter().map(|row| vec![false; row.values.len()]).collect();
    // In the order that an instant query shows.
    let mut order: Vec<usize> = Vec::with_capacity(rows.len());
    for members in &groups {
        for (step, param) in params.iter().enumerate() {
            for at in chosen(context, node, &rows, members, step, *param, &hashes) {
                kept[at][step] = true;
                if step == 0 && !context.is_range {
                    order.push(at);
                }
            }
        }
    }
    // Those that are in it already are taken by then.
    order.extend(0..rows.len());
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    for at in order {
        let Some(mut row) = rows[at].take() else { continue };
        row.values.iter_mut().zip(&kept[at]).filter(|(_, kept)| !**kept).for_each(|(value, _)| *value = None);
        if !row.is_empty() {
            sink(row)?;
        }
    }
    Ok(())
}

/// Fails or warns about parameters that make no sense.
fn check(context: &Context<'_>, node: &Aggregate, params: &[f64]) -> Result<(), PromqlError> {
    let span = node.param.as_ref().map_or(node.place.0, crate::ast::Expr::span);
    for param in params {
        if node.op == "limit_ratio" {
            if param.is_nan() {
                return Err(PromqlError::evaluation("Ratio value is NaN"));
            }
            if param.abs() > 1.0 {
                let (shown, cap) = (icegate_syntax::number::print(*param), param.signum());
                let message = format!("ratio value should be between -1 and 1, got {shown}, capping to {cap}");
                context.notes.warn(message, span);
            }
            continue;
        }
        if param.is_nan() {
            return Err(PromqlError::evaluation("Parameter value is NaN"));
        }
        let problem = match *param {
            param if param >= 9_223_372_036_854_775_807.0 => "overflows",
            param if param < -9_223_372_036_854_775_808.0 => "underflows",
            _ => continue,
        };
        let shown = icegate_syntax::number::print(*param);
        return Err(PromqlError::evaluation(format!("Scalar value {shown} {problem} int64")));
    }
    Ok(())
}

/// Which series of a group are kept at a step, in the order of their rank.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut to a whole number that isn't negative")]
fn chosen(
    context: &Context<'_>,
    node: &Aggregate,
    rows: &[Row],
    members: &[usize],
    step: usize,
    param: f64,
    hashes: &[f64],
) -> Vec<usize> {
    let value = |at: usize| rows[at].values[step].as_ref();
    let present = members.iter().copied().filter(|at| value(*at).is_some());
    if node.op == "limit_ratio" {
        let ratio = param.clamp(-1.0, 1.0);
        return present.filter(|at| is_in_share(hashes[*at], ratio)).collect();
    }
    let count = if param < 1.0 { 0 } else { param as usize };
    if node.op == "limitk" {
        return present.take(count).collect();
    }
    if count == 0 {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, f64)> = Vec::new();
    for at in present {
        match value(at) {
            Some(Value::Float(value)) => ranked.push((at, *value)),
            _ => context.notes.info(format!("ignored histogram in {} aggregation", node.op), node.expr.span()),
        }
    }
    let is_top = node.op == "topk";
    // A stable order keeps the first of equal ones; what isn't a number is last.
    ranked.sort_by(|(_, a), (_, b)| match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if is_top => b.partial_cmp(a).unwrap_or(Ordering::Equal),
        (false, false) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    });
    ranked.into_iter().take(count).map(|(at, _)| at).collect()
}

/// Whether a share of all series holds the one with this hash; a negative one holds those that its complement doesn't.
fn is_in_share(hash: f64, ratio: f64) -> bool {
    if ratio >= 0.0 { hash < ratio } else { hash >= 1.0 + ratio }
}

/// The hash of labels as a share of all hashes.
#[allow(clippy::cast_precision_loss, reason = "a share, not a count")]
fn share(labels: &Labels) -> f64 {
    let mut hash = XxHash64::with_seed(0);
    for label in labels.iter() {
        for text in [&label.name, &label.value] {
            match u8::try_from(text.len()) {
                Ok(length) if length < u8::MAX => hash.write(&[length]),
                _ => {
                    hash.write(&[u8::MAX]);
                    hash.write(&text.len().to_le_bytes()[..3]);
                }
            }
            hash.write(text.as_bytes());
        }
    }
    hash.finish() as f64 / u64::MAX as f64
}
