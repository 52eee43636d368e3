use std::cmp::Ordering;

use super::scalar::text;
use super::values::{Context, Row, Sink};
use super::vector::collect;
use crate::PromqlError;
use crate::ast::Call;
use crate::samples::Value;

/// Orders series by their value or labels; over several steps the answer is ordered by labels anyway.
pub(crate) fn sort(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    if context.is_range {
        let message = "sort is ineffective for range queries since results are always ordered by labels";
        context.notes.warn(message, call.place.0);
    }
    let mut rows = collect(context, &call.args[0])?;
    let _held = context.budget.hold(rows.iter().map(Row::samples).sum(), rows.iter().map(Row::bytes).sum())?;
    let name = call.function.name;
    let descending = name.ends_with("_desc");
    let is_by_label = name.starts_with("sort_by_label");
    if !is_by_label {
        // Histograms have no order and fall out.
        let is_histogram = |value: &Option<Value>| matches!(value, Some(Value::Histogram(_)));
        rows.iter_mut().flat_map(|row| &mut row.values).filter(|value| is_histogram(value)).for_each(|value| *value = None);
        rows.retain(|row| !row.is_empty());
    }
    if context.is_range {
        return rows.into_iter().try_for_each(sink);
    }
    if is_by_label {
        let labels = call.args[1..].iter().map(text).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|a, b| {
            let order = by_labels(a, b, &labels);
            if descending { order.reverse() } else { order }
        });
    } else {
        rows.sort_by(|a, b| by_value(a, b, descending));
    }
    rows.into_iter().try_for_each(sink)
}

fn by_value(a: &Row, b: &Row, descending: bool) -> Ordering {
    let value = |row: &Row| row.values.first().and_then(Option::as_ref).and_then(Value::float).unwrap_or(f64::NAN);
    let (a, b) = (value(a), value(b));
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
    }
}

fn by_labels(a: &Row, b: &Row, labels: &[String]) -> Ordering {
    for label in labels {
        let value = |row: &Row| row.labels.get(label).unwrap_or_default().to_owned();
        let order = natural(&value(a), &value(b));
        if order != Ordering::Equal {
            return order;
        }
    }
    a.labels.cmp(&b.labels)
}

/// Compares texts with the numbers in them by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (left, right) = (chunk(a), chunk(b));
        if left.is_empty() || right.is_empty() {
            return left.len().cmp(&right.len());
        }
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(left) && digits(right) {
            let (l, r) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            l.len().cmp(&r.len()).then_with(|| l.cmp(r)).then_with(|| left.len().cmp(&right.len()))
        } else {
            left.cmp(right)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[left.len()..], &b[right.len()..]);
    }
}

/// The digits, or what isn't a digit, that a text starts with.
fn chunk(text: &str) -> &str {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    &text[..text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_are_compared_by_value() {
        let mut texts = ["a10", "a9", "b", "a", "a010", "10", "9"];
        texts.sort_by(|a, b| natural(a, b));
        assert_eq!(texts, ["9", "10", "a", "a9", "a10", "a010", "b"]);
    }
}
