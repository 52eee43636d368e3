use std::sync::Arc;

use super::extended::{self, extended_rate};
use super::range::Ranged;
use super::rate_histogram::histogram_increase;
use crate::PromqlError;
use crate::ast::Extended;
use crate::histogram::Histogram;
use crate::samples::{FloatPoint, HistogramPoint, Value, Window};

type Computed = Result<Option<Value>, PromqlError>;

/// Names that a counter should end with.
const COUNTER_ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

/// A sample's time, and when its counting began.
pub(crate) trait Timed {
    fn at(&self) -> i64;
    fn start(&self) -> i64;

    /// Whether its own start tells that counting began anew since `previous`.
    fn starts_anew_after(&self, previous: &Self) -> bool {
        let (start, before) = (self.start(), previous.at());
        let is_delta = start == before && previous.start() != 0 && previous.start() < before;
        start != 0 && start < self.at() && (start > before || is_delta)
    }

    /// Whether its start contradicts the time of `previous`.
    fn overlaps(&self, previous: &Self) -> bool {
        self.start() != 0 && self.start() < previous.at() && self.start() != previous.start()
    }
}

impl Timed for FloatPoint {
    fn at(&self) -> i64 {
        self.at
    }

    fn start(&self) -> i64 {
        self.start
    }
}

impl Timed for HistogramPoint {
    fn at(&self) -> i64 {
        self.at
    }

    fn start(&self) -> i64 {
        self.start
    }
}

/// What a window's samples span.
#[derive(Clone, Copy)]
struct Extent {
    first: i64,
    last: i64,
    /// Samples but one.
    intervals: usize,
    /// When counting began, where that is in the window.
    zero: Option<i64>,
}

impl Extent {
    fn of<T: Timed>(points: &[T], window: &Window<'_>, is_counter: bool) -> Option<Self> {
        let (first, last) = (points.first()?, points.last()?);
        let inside = is_counter && first.start() != 0 && first.start() > window.from && first.start() < first.at();
        let zero = inside.then(|| first.start());
        Some(Self { first: first.at(), last: last.at(), intervals: points.len() - 1, zero })
    }
}

/// `rate`, `increase` and `delta`, extrapolated to the edges of the window.
pub(crate) fn rate(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    if ranged.frames.extended != Extended::No {
        return extended_rate(ranged, window);
    }
    let is_counter = ranged.function != "delta";
    if is_counter && !window.floats.is_empty() {
        info_not_a_counter(ranged);
    }
    if !window.floats.is_empty() && !window.histograms.is_empty() {
        ranged.warn_mixed_values();
        return Ok(None);
    }
    if window.floats.is_empty() {
        return Ok(histogram_rate(ranged, window, is_counter));
    }
    let Some(extent) = Extent::of(window.floats, window, is_counter) else { return Ok(None) };
    if extent.intervals == 0 && extent.zero.is_none() {
        return Ok(None);
    }
    if is_counter {
        warn_overlaps(ranged, window.floats);
    }
    let increase = increase(window.floats, is_counter, extent.zero.is_some());
    let first = window.floats[0].value;
    let zero_share = (is_counter && increase > 0.0 && first >= 0.0).then(|| first / increase);
    Ok(Some(Value::Float(increase * factor(ranged, window, extent, is_counter, zero_share))))
}

fn increase(points: &[FloatPoint], is_counter: bool, from_zero: bool) -> f64 {
    let (first, last) = (points[0], points[points.len() - 1]);
    let mut increase = last.value - if from_zero { 0.0 } else { first.value };
    if is_counter {
        for pair in points.windows(2) {
            if pair[1].value < pair[0].value || pair[1].starts_anew_after(&pair[0]) {
                increase += pair[0].value;
            }
        }
    }
    increase
}

fn histogram_rate(ranged: &Ranged<'_>, window: &Window<'_>, is_counter: bool) -> Option<Value> {
    let points = window.histograms;
    let extent = Extent::of(points, window, is_counter)?;
    if extent.intervals == 0 && extent.zero.is_none() {
        return None;
    }
    if is_counter {
        warn_overlaps(ranged, points);
    }
    let mut increase = histogram_increase(ranged, points, is_counter, extent.zero.is_some())?;
    let first = points[0].value.count;
    let zero_share = (is_counter && increase.count > 0.0 && first >= 0.0).then(|| first / increase.count);
    increase.mul(factor(ranged, window, extent, is_counter, zero_share));
    Some(Value::of(increase))
}

/// By what the increase between samples becomes that of the window, or that of a second.
#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
fn factor(ranged: &Ranged<'_>, window: &Window<'_>, extent: Extent, is_counter: bool, zero_share: Option<f64>) -> f64 {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let sampled = seconds(extent.last.saturating_sub(extent.zero.unwrap_or(extent.first)));
    let average =
        if extent.intervals == 0 { 0.0 } else { seconds(extent.last.saturating_sub(extent.first)) / extent.intervals as f64 };
    let threshold = average * 1.1;
    let near = |distance: f64| if distance >= threshold { average / 2.0 } else { distance };
    // Where counting is known to have begun, nothing was before.
    let to_start = if extent.zero.is_some() {
        0.0
    } else {
        let to_start = near(seconds(extent.first.saturating_sub(window.from)));
        // A counter isn't below zero.
        match zero_share.filter(|_| is_counter) {
            Some(share) => to_start.min(sampled * share),
            None => to_start,
        }
    };
    let to_end = near(seconds(window.to.saturating_sub(extent.last)));
    let factor = (sampled + to_start + to_end) / sampled;
    if ranged.function == "rate" { factor / seconds(ranged.frames.range) } else { factor }
}

fn info_not_a_counter(ranged: &Ranged<'_>) {
    if ranged.is_name_checked.replace(true) {
        return;
    }
    let metric = ranged.metric;
    if !metric.is_empty() && !COUNTER_ENDINGS.iter().any(|ending| metric.ends_with(ending)) {
        let message = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
        ranged.context.notes.info(crate::annotations::named(message, metric), ranged.span);
    }
}

fn warn_overlaps<T: Timed>(ranged: &Ranged<'_>, points: &[T]) {
    if points.windows(2).any(|pair| pair[1].overlaps(&pair[0])) {
        ranged.warn_named("sample has start time that overlaps with previous sample timestamp for metric");
    }
}

/// A sample of any kind.
#[derive(Clone, Copy)]
pub(crate) enum Point<'a> {
    Float(&'a FloatPoint),
    Histogram(&'a HistogramPoint),
}

impl Point<'_> {
    pub(crate) const fn at(&self) -> i64 {
        match self {
            Self::Float(point) => point.at,
            Self::Histogram(point) => point.at,
        }
    }
}

/// All samples of a window in order of time.
fn points<'a>(window: &Window<'a>) -> Vec<Point<'a>> {
    let mut points: Vec<Point<'a>> = window.floats.iter().map(Point::Float).collect();
    if !window.histograms.is_empty() {
        points.extend(window.histograms.iter().map(Point::Histogram));
        points.sort_by_key(Point::at);
    }
    points
}

/// `irate` and `idelta`: the last two samples.
#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
pub(crate) fn instant(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let is_rate = ranged.function == "irate";
    let points = points(window);
    let [.., before, last] = points.as_slice() else { return Ok(None) };
    let interval = last.at().saturating_sub(before.at());
    if interval == 0 {
        return Ok(None);
    }
    let seconds = interval as f64 / 1000.0;
    Ok(match (before, last) {
        (Point::Float(before), Point::Float(last)) => {
            if is_rate {
                warn_overlaps(ranged, &[**before, **last]);
            }
            let is_reset = is_rate && (last.value < before.value || last.starts_anew_after(before));
            let difference = if is_reset { last.value } else { last.value - before.value };
            Some(Value::Float(if is_rate { difference / seconds } else { difference }))
        }
        (Point::Histogram(before), Point::Histogram(last)) => {
            if is_rate {
                warn_overlaps(ranged, &[(*before).clone(), (*last).clone()]);
            }
            instant_histogram(ranged, before, last, is_rate).map(|mut histogram| {
                if is_rate {
                    histogram.div(seconds);
                }
                Value::of(histogram)
            })
        }
        _ => {
            ranged.warn_mixed_values();
            None
        }
    })
}

fn instant_histogram(ranged: &Ranged<'_>, before: &HistogramPoint, last: &HistogramPoint, is_rate: bool) -> Option<Histogram> {
    let is_gauge = |point: &HistogramPoint| point.value.hint == crate::ResetHint::Gauge;
    if is_rate && (is_gauge(before) || is_gauge(last)) {
        ranged.warn_named("this native histogram metric is not a counter:");
    }
    if !is_rate && (!is_gauge(before) || !is_gauge(last)) {
        ranged.warn_named("this native histogram metric is not a gauge:");
    }
    let mut result = (*last.value).clone();
    if !is_rate || !(last.value.is_reset_after(&before.value) || last.starts_anew_after(before)) {
        match result.sub(&before.value) {
            Ok(combined) if combined.bounds_reconciled => {
                ranged.context.notes.info("mismatched custom buckets were reconciled during subtraction", ranged.span);
            }
            Ok(_) => {}
            Err(_) => {
                ranged.warn_mixed_buckets();
                return None;
            }
        }
    }
    result.hint = crate::ResetHint::Gauge;
    Some(result)
}

/// The samples that `changes` and `resets` look at: with the one before the window, where it is anchored.
fn compared<'a>(ranged: &Ranged<'a>, window: &Window<'a>) -> Vec<Point<'a>> {
    let mut points = points(window);
    if ranged.frames.extended == Extended::Anchored
        && !points.is_empty()
        && let Some(anchor) = extended::anchor(ranged, window)
    {
        points.insert(0, anchor);
    }
    points
}

#[allow(clippy::cast_precision_loss, reason = "samples in memory are below 2^53")]
#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
fn counted(points: &[Point<'_>], counts: impl Fn(&Point<'_>, &Point<'_>) -> bool) -> Computed {
    if points.is_empty() {
        return Ok(None);
    }
    let count = points.windows(2).filter(|pair| counts(&pair[0], &pair[1])).count();
    Ok(Some(Value::Float(count as f64)))
}

pub(crate) fn changes(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    counted(&compared(ranged, window), |before, last| match (before, last) {
        (Point::Float(before), Point::Float(last)) => {
            before.value != last.value && !(before.value.is_nan() && last.value.is_nan())
        }
        (Point::Histogram(before), Point::Histogram(last)) => {
            !Arc::ptr_eq(&before.value, &last.value) && before.value != last.value
        }
        _ => true,
    })
}

pub(crate) fn resets(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    counted(&compared(ranged, window), |before, last| match (before, last) {
        (Point::Float(before), Point::Float(last)) => last.value < before.value || last.starts_anew_after(before),
        (Point::Histogram(before), Point::Histogram(last)) => {
            last.value.is_reset_after(&before.value) || last.starts_anew_after(before)
        }
        _ => true,
    })
}
