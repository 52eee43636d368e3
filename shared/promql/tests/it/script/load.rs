use std::collections::BTreeMap;

use icegate_promql::{Bucket, CUSTOM_BOUNDS, FloatPoint, Histogram, HistogramPoint, MemoryStorage, ResetHint, Samples, Value};
use icegate_series::Labels;

use super::items::{items, labels};
use super::start::starts;
use super::time;

/// Adds the series of a block.
pub(super) fn load(storage: &mut MemoryStorage, step: &str, lines: &[&str], with_custom_histograms: bool) {
    let step = time(step);
    let mut loaded: BTreeMap<Labels, Vec<Option<Value>>> = BTreeMap::new();
    let mut started: BTreeMap<Labels, Vec<Option<i64>>> = BTreeMap::new();
    for line in lines {
        let (labels, is_start, rest) = labels(line);
        if is_start {
            started.insert(labels, starts(rest));
        } else {
            loaded.insert(labels, items(rest).into_iter().map(|item| item.map(|(value, _)| value)).collect());
        }
    }
    if with_custom_histograms {
        custom_histograms(&mut loaded);
    }
    for (labels, values) in loaded {
        let starts = started.get(&labels);
        let mut samples = Samples::default();
        for (index, value) in values.into_iter().enumerate() {
            let at = i64::try_from(index).unwrap() * step;
            let start = starts.and_then(|starts| starts.get(index).copied().flatten()).map_or(0, |start| at + start);
            match value {
                None => {}
                Some(Value::Float(value)) => samples.floats.push(FloatPoint { at, start, value }),
                Some(Value::Histogram(value)) => samples.histograms.push(HistogramPoint { at, start, value }),
            }
        }
        storage.append(labels, hinted(samples));
    }
}

/// Gives histograms the hints that a storage gives them: nothing is known about the first of a run without reset.
fn hinted(mut samples: Samples) -> Samples {
    let mut previous: Option<(i64, Histogram)> = None;
    for point in &mut samples.histograms {
        let own = &point.value;
        let is_gauge = own.hint == ResetHint::Gauge;
        let continues = previous.as_ref().is_some_and(|(at, before)| {
            let is_interrupted = samples.floats.iter().any(|float| float.at > *at && float.at < point.at);
            let is_same = before.schema == own.schema
                && before.zero_threshold == own.zero_threshold
                && before.custom_values == own.custom_values
                && (before.hint == ResetHint::Gauge) == is_gauge
                && !before.is_stale();
            !is_interrupted && is_same && own.hint != ResetHint::Reset && !own.lost_observations_since(before)
        });
        let hint = match (is_gauge, continues) {
            (true, _) => ResetHint::Gauge,
            (false, true) => ResetHint::NotReset,
            (false, false) => ResetHint::Unknown,
        };
        previous = Some((point.at, (**own).clone()));
        let mut hinted = (**own).clone();
        hinted.hint = hint;
        point.value = hinted.into();
    }
    samples
}

/// What the series of one histogram have at one time.
#[derive(Default)]
struct Classic {
    /// Upper bounds and cumulative counts.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Adds a histogram with custom buckets for each group of `_bucket`, `_count` and `_sum` series.
fn custom_histograms(loaded: &mut BTreeMap<Labels, Vec<Option<Value>>>) {
    let mut groups: BTreeMap<Labels, BTreeMap<usize, Classic>> = BTreeMap::new();
    for (labels, values) in &*loaded {
        let name = labels.get("__name__").unwrap_or_default();
        let Some((base, suffix)) =
            ["_bucket", "_count", "_sum"].iter().find_map(|suffix| Some((name.strip_suffix(suffix)?, *suffix)))
        else {
            continue;
        };
        let bound = labels.get("le").and_then(|bound| bound.parse::<f64>().ok());
        if suffix == "_bucket" && bound.is_none() {
            continue;
        }
        let pairs = labels.iter().filter(|label| &*label.name != "le").map(|label| {
            let value = if &*label.name == "__name__" { base.to_owned() } else { label.value.to_string() };
            (label.name.to_string(), value)
        });
        let group = groups.entry(Labels::from_pairs(pairs)).or_default();
        for (index, value) in values.iter().enumerate() {
            let Some(Value::Float(value)) = value else { continue };
            let classic = group.entry(index).or_default();
            match (suffix, bound) {
                ("_bucket", Some(bound)) => classic.buckets.push((bound, *value)),
                ("_count", _) => classic.count = Some(*value),
                _ => classic.sum = *value,
            }
        }
    }
    for (labels, times) in groups {
        let length = times.keys().last().map_or(0, |last| last + 1);
        let mut values = vec![None; length];
        for (index, classic) in times {
            if !classic.buckets.is_empty() {
                values[index] = Some(Value::Histogram(custom_histogram(classic).into()));
            }
        }
        if values.iter().any(Option::is_some) {
            loaded.insert(labels, values);
        }
    }
}

fn custom_histogram(mut classic: Classic) -> Histogram {
    classic.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = classic.count.unwrap_or_else(|| classic.buckets[classic.buckets.len() - 1].1);
    classic.buckets.retain(|bucket| bucket.0.is_finite());
    let mut histogram = Histogram { schema: CUSTOM_BOUNDS, count: all, sum: classic.sum, ..Histogram::default() };
    histogram.custom_values = classic.buckets.iter().map(|bucket| bucket.0).collect();
    let mut before = 0.0;
    for (index, count) in classic.buckets.iter().map(|bucket| bucket.1).chain([all]).enumerate() {
        if count != before {
            histogram.positive.push(Bucket { index: i32::try_from(index).unwrap(), count: count - before });
        }
        before = count;
    }
    histogram
}
