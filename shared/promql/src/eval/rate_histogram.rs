use super::range::Ranged;
use super::rate::Timed;
use crate::ResetHint;
use crate::histogram::{CUSTOM_BOUNDS, Histogram};
use crate::samples::HistogramPoint;

/// The increase from the first to the last histogram, over all resets between.
pub(crate) fn histogram_increase(
    ranged: &Ranged<'_>,
    points: &[HistogramPoint],
    is_counter: bool,
    from_zero: bool,
) -> Option<Histogram> {
    let (first, last) = (points.first()?, points.last()?);
    let is_gauge = |point: &HistogramPoint| point.value.hint == ResetHint::Gauge;
    if is_counter && points.iter().any(is_gauge) {
        ranged.warn_named("this native histogram metric is not a counter:");
    }
    if !is_counter && (!is_gauge(first) || !is_gauge(last)) {
        ranged.warn_named("this native histogram metric is not a gauge:");
    }
    let is_reset = |pair: &[HistogramPoint]| pair[1].value.is_reset_after(&pair[0].value) || pair[1].starts_anew_after(&pair[0]);
    // What the first one has doesn't count where counting began anew right after it: then even its buckets may differ.
    let skips_first = is_counter && points.len() > 1 && is_reset(&points[..2]);
    let relevant = if skips_first && !from_zero { &points[1..] } else { points };
    if relevant.iter().any(|point| point.value.is_custom() != last.value.is_custom()) {
        ranged.warn_mixed_buckets();
        return None;
    }
    let schema = relevant.iter().map(|point| point.value.schema).min().unwrap_or(last.value.schema);
    let mut increase = (*last.value).clone();
    if schema != CUSTOM_BOUNDS {
        increase.reduce_to(schema);
    }
    let notes = ranged.context.notes;
    let reconciled = |during: &str| {
        notes.info(format!("mismatched custom buckets were reconciled during {during}"), ranged.span);
    };
    if !skips_first && !from_zero && increase.sub(&first.value).ok()?.bounds_reconciled {
        reconciled("subtraction");
    }
    if is_counter {
        for (index, pair) in points.windows(2).enumerate() {
            let is_skipped = index == 0 && skips_first && !from_zero;
            if !is_skipped && is_reset(pair) && increase.add(&pair[0].value).ok()?.bounds_reconciled {
                reconciled("addition");
            }
        }
    }
    increase.hint = ResetHint::Gauge;
    Some(increase)
}
