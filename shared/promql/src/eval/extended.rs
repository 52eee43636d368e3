//! Windows that take in samples around them: anchored at the sample before, or smoothed between samples.

use std::sync::Arc;

use icegate_series::Labels;
use icegate_syntax::Span;

use super::range::Ranged;
use super::rate::Point;
use super::values::{Context, name};
use super::windows::Windowed;
use crate::PromqlError;
use crate::ResetHint;
use crate::annotations::named;
use crate::ast::Extended;
use crate::histogram::Histogram;
use crate::samples::{FloatPoint, HistogramPoint, Samples, Value, Window};

/// The last sample at or before the window that isn't older than the lookback.
pub(crate) fn anchor<'a>(ranged: &Ranged<'a>, window: &Window<'_>) -> Option<Point<'a>> {
    let before = ranged.series.samples.window(window.from.saturating_sub(ranged.context.options.lookback), window.from);
    match (before.floats.last(), before.histograms.last()) {
        (Some(float), Some(histogram)) if float.at < histogram.at => Some(Point::Histogram(histogram)),
        (Some(float), _) => Some(Point::Float(float)),
        (None, Some(histogram)) => Some(Point::Histogram(histogram)),
        (None, None) => None,
    }
}

/// A value at the edge of a window.
struct Edge<V> {
    value: V,
    /// Whether it lies between two samples, the later of which comes next, or came last.
    is_between: bool,
    /// Whether counting began anew between those samples.
    is_reset: bool,
}

/// What floats and histograms do differently.
trait Sampled: Sized {
    type Number: Clone;

    fn at(&self) -> i64;
    fn number(&self) -> Self::Number;
    fn is_reset_after(&self, previous: &Self) -> bool;
    /// The value between this sample and the next one; `None` where they don't mix.
    fn between(&self, next: &Self, at: i64, is_counter: bool) -> Option<Self::Number>;
}

#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
fn share(from: i64, at: i64, to: i64) -> f64 {
    at.saturating_sub(from) as f64 / to.saturating_sub(from) as f64
}

impl Sampled for FloatPoint {
    type Number = f64;

    fn at(&self) -> i64 {
        self.at
    }

    fn number(&self) -> f64 {
        self.value
    }

    fn is_reset_after(&self, previous: &Self) -> bool {
        self.value < previous.value
    }

    fn between(&self, next: &Self, at: i64, is_counter: bool) -> Option<f64> {
        let start = if is_counter && next.value < self.value { 0.0 } else { self.value };
        Some(start + (next.value - start) * share(self.at, at, next.at))
    }
}

impl Sampled for HistogramPoint {
    type Number = Histogram;

    fn at(&self) -> i64 {
        self.at
    }

    fn number(&self) -> Histogram {
        (*self.value).clone()
    }

    fn is_reset_after(&self, previous: &Self) -> bool {
        self.value.is_reset_after(&previous.value)
    }

    fn between(&self, next: &Self, at: i64, is_counter: bool) -> Option<Histogram> {
        if self.value.is_custom() != next.value.is_custom() {
            return None;
        }
        let share = share(self.at, at, next.at);
        let mut value = (*next.value).clone();
        if is_counter && next.is_reset_after(self) {
            value.mul(share);
            return Some(value);
        }
        value.sub(&self.value).ok()?;
        value.mul(share);
        value.add(&self.value).ok()?;
        value.hint = next.value.hint;
        Some(value)
    }
}

/// What a window spans of its samples: all from `first` to `last`, and the values at its edges.
struct Spanned<'a, T: Sampled> {
    used: &'a [T],
    left: Edge<T::Number>,
    right: Edge<T::Number>,
    /// Samples strictly inside.
    inner: &'a [T],
}

enum Reach<'a, T: Sampled> {
    /// Nothing in the window, or only on one side of it.
    Nothing,
    /// Samples that don't mix.
    Mixed,
    Found(Spanned<'a, T>),
}

fn spanned<'a, T: Sampled>(points: &'a [T], window: &Window<'_>, smoothed: bool, is_counter: bool) -> Reach<'a, T> {
    let (from, to) = (window.from, window.to);
    let inside = points.partition_point(|point| point.at() <= from);
    let beyond = points.partition_point(|point| point.at() <= to);
    let first = inside.saturating_sub(1);
    // Between two samples, there may be none inside; on one side only, there is nothing to tell.
    let has_some = if smoothed { inside < points.len() && beyond > 0 } else { beyond > inside };
    if !has_some {
        return Reach::Nothing;
    }
    let left = if smoothed && points[first].at() < from && first + 1 < points.len() {
        let (before, next) = (&points[first], &points[first + 1]);
        let is_reset = next.is_reset_after(before);
        match before.between(next, from, is_counter) {
            Some(value) => Edge { value, is_between: true, is_reset },
            None => return Reach::Mixed,
        }
    } else {
        Edge { value: points[first].number(), is_between: false, is_reset: false }
    };
    let last = beyond.saturating_sub(1);
    let is_exact = points[last].at() == to;
    let right = if smoothed && !is_exact && beyond < points.len() {
        let (before, next) = (&points[last], &points[beyond]);
        match before.between(next, to, is_counter) {
            Some(value) => Edge { value, is_between: true, is_reset: next.is_reset_after(before) },
            None => return Reach::Mixed,
        }
    } else {
        Edge { value: points[last].number(), is_between: false, is_reset: false }
    };
    let used = &points[first..(if right.is_between { beyond + 1 } else { beyond })];
    let start = if left.is_between { first + 1 } else { first };
    let inner = points.get(start..beyond).unwrap_or_default();
    Reach::Found(Spanned { used, left, right, inner })
}

/// The samples of a window with one at each of its edges.
pub(crate) fn with_edges(context: &Context<'_>, series: &Windowed<'_>, window: &Window<'_>) -> Samples {
    let smoothed = series.frames.extended == Extended::Smoothed;
    let lookback = context.options.lookback;
    let ahead = if smoothed { lookback } else { 0 };
    let around = series.samples.window(window.from.saturating_sub(lookback), window.to.saturating_add(ahead));
    let mut samples = Samples::default();
    if let Reach::Found(found) = spanned(around.floats, window, smoothed, false) {
        let point = |at, value| FloatPoint { at, start: 0, value };
        samples.floats.push(point(window.from, found.left.value));
        samples.floats.extend(found.inner.iter().filter(|point| window.from < point.at && point.at < window.to));
        samples.floats.push(point(window.to, found.right.value));
    }
    if let Reach::Found(found) = spanned(around.histograms, window, smoothed, false) {
        let point = |at, value| HistogramPoint { at, start: 0, value: Arc::new(value) };
        samples.histograms.push(point(window.from, found.left.value));
        let inner = found.inner.iter().filter(|point| window.from < point.at && point.at < window.to);
        samples.histograms.extend(inner.cloned());
        samples.histograms.push(point(window.to, found.right.value));
    }
    samples
}

#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
pub(crate) fn extended_rate(ranged: &Ranged<'_>, window: &Window<'_>) -> Result<Option<Value>, PromqlError> {
    let smoothed = ranged.frames.extended == Extended::Smoothed;
    let lookback = ranged.context.options.lookback;
    let ahead = if smoothed { lookback } else { 0 };
    let around = ranged.series.samples.window(window.from.saturating_sub(lookback), window.to.saturating_add(ahead));
    let is_counter = ranged.function != "delta";
    let seconds = ranged.frames.range as f64 / 1000.0;
    let is_rate = ranged.function == "rate";
    if !around.floats.is_empty() && !around.histograms.is_empty() {
        ranged.warn_mixed_values();
        return Ok(None);
    }
    if around.histograms.is_empty() {
        let Reach::Found(found) = spanned(around.floats, window, smoothed, is_counter) else { return Ok(None) };
        let mut increase = found.right.value - found.left.value;
        if is_counter {
            increase += resets(&found).map(|point| point.value).sum::<f64>();
        }
        return Ok(Some(Value::Float(if is_rate { increase / seconds } else { increase })));
    }
    let found = match spanned(around.histograms, window, smoothed, is_counter) {
        Reach::Nothing => return Ok(None),
        Reach::Mixed => {
            ranged.warn_mixed_buckets();
            return Ok(None);
        }
        Reach::Found(found) => found,
    };
    let Some(mut increase) = histogram_increase(ranged, &found, is_counter) else {
        ranged.warn_mixed_buckets();
        return Ok(None);
    };
    if is_rate {
        increase.div(seconds);
    }
    Ok(Some(Value::of(increase)))
}

/// The samples after which counting began anew.
fn resets<'a, T: Sampled>(found: &Spanned<'a, T>) -> impl Iterator<Item = &'a T> {
    let pairs = found.inner.windows(2).filter(|pair| pair[1].is_reset_after(&pair[0])).map(|pair| &pair[0]);
    // Between the last sample inside and the edge; where both edges lie between the same two samples, there is none.
    let at_edge = found.inner.last().filter(|_| found.right.is_between && found.right.is_reset);
    debug_assert!(!found.left.is_between || found.left.is_reset || !found.used.is_empty());
    pairs.chain(at_edge)
}

fn histogram_increase(ranged: &Ranged<'_>, found: &Spanned<'_, HistogramPoint>, is_counter: bool) -> Option<Histogram> {
    let is_gauge = |point: &HistogramPoint| point.value.hint == ResetHint::Gauge;
    let (first, last) = (found.used.first()?, found.used.last()?);
    if is_counter && found.used.iter().any(is_gauge) {
        ranged.warn_named("this native histogram metric is not a counter:");
    }
    if !is_counter && (!is_gauge(first) || !is_gauge(last)) {
        ranged.warn_named("this native histogram metric is not a gauge:");
    }
    if found.used.iter().any(|point| point.value.is_custom() != first.value.is_custom()) {
        return None;
    }
    let mut increase = found.right.value.clone();
    increase.sub(&found.left.value).ok()?;
    if is_counter {
        for point in resets(found) {
            increase.add(&point.value).ok()?;
        }
    }
    increase.hint = ResetHint::Gauge;
    Some(increase)
}

/// The value of a smoothed selector at a time.
pub(crate) fn interpolated(
    context: &Context<'_>,
    samples: &Samples,
    at: i64,
    lookback: i64,
    labels: &Labels,
    span: Span,
) -> Option<Value> {
    let around = samples.window(at.saturating_sub(lookback), at.saturating_add(lookback));
    let float = around.floats.partition_point(|point| point.at <= at);
    let histogram = around.histograms.partition_point(|point| point.at <= at);
    if !around.floats.is_empty() && !around.histograms.is_empty() {
        context.notes.warn(named("encountered a mix of histograms and floats for metric name", name(labels)), span);
        return None;
    }
    if let Some(before) = float.checked_sub(1).map(|index| &around.floats[index]) {
        let next = around.floats.get(float).filter(|_| before.at < at);
        return Some(Value::Float(next.map_or(before.value, |next| before.between(next, at, false).unwrap_or(before.value))));
    }
    let before = &around.histograms[histogram.checked_sub(1)?];
    let Some(next) = around.histograms.get(histogram).filter(|_| before.at < at) else {
        return Some(Value::Histogram(Arc::clone(&before.value)));
    };
    let is_counter = next.value.hint != ResetHint::Gauge;
    let value = before.between(next, at, is_counter);
    if value.is_none() {
        let message = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
        context.notes.warn(named(message, name(labels)), span);
    }
    value.map(Value::of)
}
