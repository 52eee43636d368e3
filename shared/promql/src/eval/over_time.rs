use super::range::Ranged;
use crate::PromqlError;
use crate::histogram::{Histogram, HistogramSum};
use crate::numeric::{self, Kahan, Mean, Variance, kahan_inc};
use crate::samples::{FloatPoint, HistogramPoint, Value, Window};

type Computed = Result<Option<Value>, PromqlError>;

#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
const fn float(value: f64) -> Computed {
    Ok(Some(Value::Float(value)))
}

#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
fn seconds(at: i64) -> f64 {
    at as f64 / 1000.0
}

/// The numbers of a window, without the histograms that a user should know are ignored; `None` where there is none.
fn floats<'a>(ranged: &Ranged<'_>, window: &Window<'a>) -> Option<&'a [FloatPoint]> {
    if window.floats.is_empty() {
        return None;
    }
    if !window.histograms.is_empty() {
        ranged.info_ignored_histograms();
    }
    Some(window.floats)
}

/// Whether there are both numbers and histograms; then there is no result.
fn is_mixed(ranged: &Ranged<'_>, window: &Window<'_>) -> bool {
    let mixed = !window.floats.is_empty() && !window.histograms.is_empty();
    if mixed {
        ranged.warn_mixed_values();
    }
    mixed
}

pub(crate) fn sum(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    if is_mixed(ranged, window) {
        return Ok(None);
    }
    if window.floats.is_empty() {
        return Ok(added(ranged, window.histograms, false));
    }
    float(window.floats.iter().fold(Kahan::default(), |sum, point| kahan_inc(point.value, sum)).total())
}

pub(crate) fn avg(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    if is_mixed(ranged, window) {
        return Ok(None);
    }
    if window.floats.is_empty() {
        return Ok(added(ranged, window.histograms, true));
    }
    let mut mean = Mean::default();
    window.floats.iter().for_each(|point| mean.add(point.value));
    float(mean.finish())
}

/// The sum or mean of histograms.
fn added(ranged: &Ranged<'_>, points: &[HistogramPoint], mean: bool) -> Option<Value> {
    let (first, rest) = points.split_first()?;
    let mut total = HistogramTotal::new(&first.value, mean);
    for point in rest {
        total.add(&point.value);
    }
    if total.is_incompatible {
        ranged.warn_mixed_buckets();
        return None;
    }
    let notes = ranged.context.notes;
    if total.has_collision {
        notes.warn("conflicting counter resets during histogram aggregation", ranged.span);
    }
    if total.has_reconciled {
        notes.info("mismatched custom buckets were reconciled during aggregation", ranged.span);
    }
    Some(Value::of(total.finish()))
}

/// The sum or mean of histograms, and what happened on the way.
#[derive(Clone, Debug)]
pub(crate) struct HistogramTotal {
    sum: HistogramSum,
    count: f64,
    /// Whether the mean is wanted, and whether it is already one, since the sum overflowed.
    mean: bool,
    is_mean: bool,
    pub(crate) has_reset: bool,
    pub(crate) has_no_reset: bool,
    pub(crate) has_collision: bool,
    pub(crate) has_reconciled: bool,
    pub(crate) is_incompatible: bool,
}

impl HistogramTotal {
    pub(crate) fn new(first: &Histogram, mean: bool) -> Self {
        let mut total = Self {
            sum: HistogramSum::new(first),
            count: 1.0,
            mean,
            is_mean: false,
            has_reset: false,
            has_no_reset: false,
            has_collision: false,
            has_reconciled: false,
            is_incompatible: false,
        };
        total.note_hint(first);
        total
    }

    /// Hints of all histograms count, not only those of neighbours.
    fn note_hint(&mut self, histogram: &Histogram) {
        self.has_reset |= histogram.hint == crate::ResetHint::Reset;
        self.has_no_reset |= histogram.hint == crate::ResetHint::NotReset;
        self.has_collision |= self.has_reset && self.has_no_reset;
    }

    pub(crate) fn add(&mut self, histogram: &Histogram) {
        self.note_hint(histogram);
        self.count += 1.0;
        if self.is_incompatible {
            return;
        }
        if self.mean && !self.is_mean {
            let mut next = self.sum.clone();
            match next.add(histogram) {
                Ok(combined) if !next.has_overflow() => {
                    self.has_reconciled |= combined.bounds_reconciled;
                    self.sum = next;
                    return;
                }
                Ok(_) => {}
                Err(_) => {
                    self.is_incompatible = true;
                    return;
                }
            }
            self.is_mean = true;
            self.sum.div(self.count - 1.0);
        }
        let added = if self.is_mean {
            self.sum.mul((self.count - 1.0) / self.count);
            let mut part = histogram.clone();
            part.div(self.count);
            self.sum.add(&part)
        } else {
            self.sum.add(histogram)
        };
        match added {
            Ok(combined) => self.has_reconciled |= combined.bounds_reconciled,
            Err(_) => self.is_incompatible = true,
        }
    }

    pub(crate) fn finish(mut self) -> Histogram {
        if self.mean && !self.is_mean {
            self.sum.div(self.count);
        }
        if self.has_collision {
            self.sum.histogram_mut().hint = crate::ResetHint::Unknown;
        }
        self.sum.finish()
    }
}

#[allow(clippy::cast_precision_loss, reason = "samples in memory are below 2^53")]
pub(crate) fn count(_: &Ranged<'_>, window: &Window<'_>) -> Computed {
    float((window.floats.len() + window.histograms.len()) as f64)
}

pub(crate) fn present(_: &Ranged<'_>, _: &Window<'_>) -> Computed {
    float(1.0)
}

/// The first or last sample of a window.
fn edge(window: &Window<'_>, last: bool) -> Option<(i64, Value)> {
    let pick = |length: usize| if last { length.checked_sub(1) } else { (length > 0).then_some(0) };
    let float = pick(window.floats.len()).map(|at| (window.floats[at].at, Value::Float(window.floats[at].value)));
    let histogram = pick(window.histograms.len()).map(|at| {
        let point = &window.histograms[at];
        (point.at, Value::Histogram(std::sync::Arc::clone(&point.value)))
    });
    match (float, histogram) {
        (Some(float), Some(histogram)) => Some(if (float.0 < histogram.0) == last { histogram } else { float }),
        (one, other) => one.or(other),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
pub(crate) fn last(_: &Ranged<'_>, window: &Window<'_>) -> Computed {
    Ok(edge(window, true).map(|(_, value)| value))
}

#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
pub(crate) fn first(_: &Ranged<'_>, window: &Window<'_>) -> Computed {
    Ok(edge(window, false).map(|(_, value)| value))
}

#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
pub(crate) fn time_of_last(_: &Ranged<'_>, window: &Window<'_>) -> Computed {
    Ok(edge(window, true).map(|(at, _)| Value::Float(seconds(at))))
}

#[allow(clippy::unnecessary_wraps, reason = "as all functions of windows")]
pub(crate) fn time_of_first(_: &Ranged<'_>, window: &Window<'_>) -> Computed {
    Ok(edge(window, false).map(|(at, _)| Value::Float(seconds(at))))
}

/// The least or greatest number, or the time of its last sample.
pub(crate) fn extreme(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    let is_min = ranged.function.contains("min");
    let is_time = ranged.function.starts_with("ts_of");
    let mut found = points[0];
    for point in &points[1..] {
        let is_better = if is_min { point.value < found.value } else { point.value > found.value };
        let is_equal = is_time && point.value == found.value;
        if is_better || is_equal || found.value.is_nan() {
            found = *point;
        }
    }
    float(if is_time { seconds(found.at) } else { found.value })
}

pub(crate) fn deviation(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    let mut variance = Variance::default();
    points.iter().for_each(|point| variance.add(point.value));
    let variance = variance.finish();
    float(if ranged.function == "stddev_over_time" { variance.sqrt() } else { variance })
}

pub(crate) fn quantile(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    let mut values: Vec<f64> = points.iter().map(|point| point.value).collect();
    float(numeric::quantile(ranged.params[0], &mut values))
}

pub(crate) fn median_distance(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    let mut values: Vec<f64> = points.iter().map(|point| point.value).collect();
    if values.iter().any(|value| value.is_nan()) {
        return float(f64::NAN);
    }
    let median = numeric::quantile(0.5, &mut values);
    values.iter_mut().for_each(|value| *value = (*value - median).abs());
    float(numeric::quantile(0.5, &mut values))
}

pub(crate) fn regression(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    if points.len() < 2 {
        return Ok(None);
    }
    if ranged.function == "deriv" {
        return float(line(points, points[0].at).0);
    }
    let (slope, intercept) = line(points, ranged.step);
    float(slope * ranged.params[0] + intercept)
}

/// Slope and value at `origin` of the line through points with the least squares.
fn line(points: &[FloatPoint], origin: i64) -> (f64, f64) {
    let first = points[0].value;
    if points.iter().all(|point| point.value == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let mut count = 0.0;
    let [mut x_sum, mut y_sum, mut xy_sum, mut xx_sum] = [Kahan::default(); 4];
    for point in points {
        count += 1.0;
        let x = seconds(point.at.saturating_sub(origin));
        x_sum = kahan_inc(x, x_sum);
        y_sum = kahan_inc(point.value, y_sum);
        xy_sum = kahan_inc(x * point.value, xy_sum);
        xx_sum = kahan_inc(x * x, xx_sum);
    }
    let plain = |kahan: Kahan| kahan.sum + kahan.lost;
    let (x, y, xy, xx) = (plain(x_sum), plain(y_sum), plain(xy_sum), plain(xx_sum));
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}

pub(crate) fn smoothing(ranged: &Ranged<'_>, window: &Window<'_>) -> Computed {
    let [factor, trend_factor] = [ranged.params[0], ranged.params[1]];
    for (what, value) in [("smoothing", factor), ("trend", trend_factor)] {
        if value <= 0.0 || value >= 1.0 {
            let symbol = if what == "smoothing" { "sf" } else { "tf" };
            return Err(PromqlError::evaluation(format!("invalid {what} factor. Expected: 0 < {symbol} < 1, got: {value:.6}")));
        }
    }
    let Some(points) = floats(ranged, window) else { return Ok(None) };
    let [first, second, ..] = points else { return Ok(None) };
    let (mut before, mut level) = (0.0, first.value);
    let mut trend = second.value - first.value;
    for (index, point) in points[1..].iter().enumerate() {
        if index > 0 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = factor * point.value + (1.0 - factor) * (level + trend);
        (before, level) = (level, next);
    }
    float(level)
}
