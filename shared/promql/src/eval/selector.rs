use icegate_series::Labels;

use super::extended;
use super::timing::Look;
use super::values::{Context, Row, Sink};
use crate::PromqlError;
use crate::ast::{Extended, Selector};
use crate::samples::{Samples, Value, is_stale};
use crate::storage::Select;

/// A sample that a step sees.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: i64,
    pub(crate) start: i64,
    pub(crate) value: Value,
}

/// The series of a selector with the value that each step sees.
pub(crate) fn selector(context: &Context<'_>, selector: &Selector, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    seen(context, selector, &mut |labels, seen| {
        let values = seen.into_iter().map(|seen| seen.map(|seen| seen.value)).collect();
        sink(Row { labels, drop_name: false, values })
    })
}

/// Takes a series with the sample that each step sees.
pub(crate) type SeenSink<'s> = dyn FnMut(Labels, Vec<Option<Seen>>) -> Result<(), PromqlError> + 's;

/// The same with the times of samples.
pub(crate) fn seen(context: &Context<'_>, selector: &Selector, sink: &mut SeenSink<'_>) -> Result<(), PromqlError> {
    let look = Look::new(context, &selector.timing, selector.place.0)?;
    let (first, last) = look.ends(context);
    let lookback = context.options.lookback;
    let is_smoothed = selector.extended == Extended::Smoothed;
    let ahead = if is_smoothed { lookback } else { 0 };
    let select = Select { matchers: &selector.matchers, from: first.saturating_sub(lookback), to: last.saturating_add(ahead) };
    let mut stream = context.storage.select(&select)?;
    while let Some(mut series) = stream.next_series()? {
        let held = context.budget.hold(series.samples.len(), series.samples.bytes())?;
        if context.resets.are_detected {
            series.samples = series.samples.with_resets();
        }
        let samples = &series.samples;
        let values: Vec<Option<Seen>> = if is_smoothed {
            let samples = series.samples.without_stale();
            let value = |at| extended::interpolated(context, &samples, at, lookback, &series.labels, selector.place.0);
            context.times().map(|step| look.from(step)).map(|at| value(at).map(|value| Seen { at, start: 0, value })).collect()
        } else {
            let mut cursor = Cursor { samples, float: 0, histogram: 0 };
            context.times().map(|step| cursor.last(look.from(step), lookback)).collect()
        };
        drop(held);
        if values.iter().any(Option::is_some) {
            let _held = context.budget.hold(values.iter().flatten().count(), values.len() * size_of::<Option<Seen>>())?;
            sink(series.labels, values)?;
        }
    }
    Ok(())
}

/// The series that fit, with the sample that is seen at each of some rising times.
pub(crate) fn seen_at(
    context: &Context<'_>,
    matchers: &[crate::Matcher],
    times: &[i64],
    sink: &mut SeenSink<'_>,
) -> Result<(), PromqlError> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(()) };
    let lookback = context.options.lookback;
    let mut stream = context.storage.select(&Select { matchers, from: first.saturating_sub(lookback), to: *last })?;
    while let Some(series) = stream.next_series()? {
        let _held = context.budget.hold(series.samples.len(), series.samples.bytes())?;
        let mut cursor = Cursor { samples: &series.samples, float: 0, histogram: 0 };
        let values: Vec<Option<Seen>> = times.iter().map(|at| cursor.last(*at, lookback)).collect();
        if values.iter().any(Option::is_some) {
            sink(series.labels, values)?;
        }
    }
    Ok(())
}

/// Walks over samples once, as times rise.
struct Cursor<'a> {
    samples: &'a Samples,
    /// How many of each kind lie at or before the last time.
    float: usize,
    histogram: usize,
}

impl Cursor<'_> {
    /// The last sample up to `at` that is less than `lookback` older, unless it marks the end of the series.
    fn last(&mut self, at: i64, lookback: i64) -> Option<Seen> {
        let Samples { floats, histograms } = self.samples;
        while floats.get(self.float).is_some_and(|point| point.at <= at) {
            self.float += 1;
        }
        while histograms.get(self.histogram).is_some_and(|point| point.at <= at) {
            self.histogram += 1;
        }
        let oldest = at.saturating_sub(lookback);
        let float = self.float.checked_sub(1).map(|index| &floats[index]).filter(|point| point.at > oldest);
        let histogram = self.histogram.checked_sub(1).map(|index| &histograms[index]).filter(|point| point.at > oldest);
        match (float, histogram) {
            (float, Some(histogram)) if float.is_none_or(|float| float.at < histogram.at) => {
                (!histogram.value.is_stale()).then(|| Seen {
                    at: histogram.at,
                    start: histogram.start,
                    value: Value::Histogram(std::sync::Arc::clone(&histogram.value)),
                })
            }
            (Some(float), _) => {
                (!is_stale(float.value)).then_some(Seen { at: float.at, start: float.start, value: Value::Float(float.value) })
            }
            (None, _) => None,
        }
    }
}
