use std::fmt::Debug;
use std::sync::Arc;

use icegate_promql::{Answer, Histogram, Value, is_stale};
use icegate_series::Labels;

use super::items::Item;

/// What a line of a block expects.
#[derive(Clone, Debug)]
pub(super) enum Line {
    Scalar(f64),
    Series(Labels, Vec<Item>),
}

/// Samples of a series at times.
pub(super) type Found = (Labels, Vec<(i64, Value)>);

/// The series of an answer.
pub(super) fn series(answer: &Answer) -> Vec<Found> {
    match answer {
        Answer::Scalar { at, value } => vec![(Labels::empty(), vec![(*at, Value::Float(*value))])],
        Answer::String { .. } => Vec::new(),
        Answer::Vector(samples) => {
            samples.iter().map(|sample| (sample.labels.clone(), vec![(sample.at, sample.value.clone())])).collect()
        }
        Answer::Matrix(matrix) => {
            let all = |series: &icegate_promql::MatrixSeries| {
                let floats = series.floats.iter().map(|(at, value)| (*at, Value::Float(*value)));
                let histograms = series.histograms.iter().map(|(at, value)| (*at, Value::Histogram(Arc::clone(value))));
                let mut samples: Vec<_> = floats.chain(histograms).collect();
                samples.sort_by_key(|(at, _)| *at);
                (series.labels.clone(), samples)
            };
            matrix.iter().map(all).collect()
        }
    }
}

/// The values of a series that are expected: when, what, and whether a hint is written.
type Expected<'a> = Vec<(i64, &'a Value, bool)>;

/// Compares series with what lines say of the times `start`, `start + step` and so on.
pub(super) fn compare(found: &[Found], lines: &[Line], start: i64, step: i64, ordered: bool) -> Result<(), String> {
    let expected: Vec<(&Labels, Expected<'_>)> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Series(labels, items) => {
                let at = |index: usize| start + step * i64::try_from(index).unwrap();
                let values = items.iter().enumerate();
                let values = values.filter_map(|(index, item)| item.as_ref().map(|(value, hinted)| (at(index), value, *hinted)));
                Some((labels, values.collect()))
            }
            Line::Scalar(_) => None,
        })
        .collect();
    let describe = || format!("found {}, expected {}", list(found), list(lines));
    if expected.iter().filter(|(_, values)| !values.is_empty()).count() != found.len() {
        return Err(format!("number of series: {}", describe()));
    }
    for (index, (labels, values)) in expected.iter().enumerate() {
        let own = if ordered {
            found.get(index).filter(|(own, _)| own == *labels)
        } else {
            found.iter().find(|(own, _)| own == *labels)
        };
        let Some((_, own)) = own else {
            if values.is_empty() {
                continue;
            }
            return Err(format!("{labels} is missing{}: {}", if ordered { " at its place" } else { "" }, describe()));
        };
        if own.len() != values.len() {
            return Err(format!("{labels} has {} values, expected {}: {}", own.len(), values.len(), describe()));
        }
        for ((at, value), (expected_at, expected, hinted)) in own.iter().zip(values) {
            if at != expected_at || !same(value, expected, *hinted) {
                return Err(format!("{labels} at {at}: found {value:?}, expected {expected:?} at {expected_at}"));
            }
        }
    }
    Ok(())
}

fn list<T: Debug>(items: &[T]) -> String {
    let mut text = format!("{items:?}");
    if text.len() > 1_500 {
        text = format!("{} items {}…", items.len(), text.chars().take(1_400).collect::<String>());
    }
    text
}

pub(super) fn same(found: &Value, expected: &Value, hinted: bool) -> bool {
    match (found, expected) {
        (Value::Float(found), Value::Float(expected)) => same_float(*found, *expected),
        (Value::Histogram(found), Value::Histogram(expected)) => same_histogram(found, expected, hinted),
        _ => false,
    }
}

/// Equal up to a millionth.
pub(super) fn same_float(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a.is_nan() || b.is_nan() || a == b {
        return a.is_nan() && b.is_nan() || a == b;
    }
    let (difference, sum) = ((a - b).abs(), a.abs() + b.abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < 1e-6
}

fn same_histogram(a: &Histogram, b: &Histogram, hinted: bool) -> bool {
    let buckets = |a: &[icegate_promql::Bucket], b: &[icegate_promql::Bucket]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.index == b.index && same_float(a.count, b.count))
    };
    let zero = same_float(a.zero_threshold, b.zero_threshold) && same_float(a.zero_count, b.zero_count);
    a.schema == b.schema
        && same_float(a.count, b.count)
        && same_float(a.sum, b.sum)
        && (a.schema == icegate_promql::CUSTOM_BOUNDS || zero)
        && buckets(&a.positive, &b.positive)
        && buckets(&a.negative, &b.negative)
        && a.custom_values == b.custom_values
        && (!hinted || a.hint == b.hint)
}
