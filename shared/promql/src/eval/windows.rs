use std::sync::Arc;

use icegate_series::{Grid, Labels};
use icegate_syntax::Span;

use super::timing::{Look, positive};
use super::values::{Context, Row};
use super::vector::vector;
use crate::ast::{Expr, Extended, Matrix, Subquery};
use crate::samples::{FloatPoint, HistogramPoint, Samples, Value};
use crate::storage::Select;
use crate::{PromqlError, ResetHint};

/// The windows of a range vector.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    /// Milliseconds of a window.
    pub(crate) range: i64,
    pub(crate) extended: Extended,
    /// From (not in it) when to (in it) when each step looks.
    pub(crate) windows: Vec<(i64, i64)>,
}

/// Samples of a series around its windows.
pub(crate) struct Windowed<'a> {
    pub(crate) labels: &'a Labels,
    pub(crate) drop_name: bool,
    pub(crate) samples: &'a Samples,
    pub(crate) frames: &'a Frames,
}

/// Takes the series of a range vector.
pub(crate) type WindowSink<'s> = dyn FnMut(&Windowed<'_>) -> Result<(), PromqlError> + 's;

/// The series of a range vector.
pub(crate) fn windows(context: &Context<'_>, expr: &Expr, sink: &mut WindowSink<'_>) -> Result<(), PromqlError> {
    match expr.unwrapped() {
        Expr::Matrix(matrix) => selected(context, matrix, sink),
        Expr::Subquery(subquery) => subqueried(context, subquery, sink),
        other => Err(not_a_range(other.span())),
    }
}

fn not_a_range(span: Span) -> PromqlError {
    PromqlError::evaluation(format!("a range vector is expected at byte {}", span.start))
}

fn frames(context: &Context<'_>, look: Look, range: i64, extended: Extended) -> Frames {
    let window = |step| {
        let end = look.from(step);
        (end.saturating_sub(range), end)
    };
    Frames { range, extended, windows: context.times().map(window).collect() }
}

fn selected(context: &Context<'_>, matrix: &Matrix, sink: &mut WindowSink<'_>) -> Result<(), PromqlError> {
    let selector = &matrix.selector;
    let look = Look::new(context, &selector.timing, matrix.place.0)?;
    let range = positive(context, matrix.range, matrix.range_expr.as_ref())?;
    let frames = frames(context, look, range, selector.extended);
    let (first, last) = look.ends(context);
    let lookback = context.options.lookback;
    let (before, after) = match selector.extended {
        Extended::No => (0, 0),
        Extended::Anchored => (lookback, 0),
        Extended::Smoothed => (lookback, lookback),
    };
    let from = first.saturating_sub(range).saturating_sub(before);
    let select = Select { matchers: &selector.matchers, from, to: last.saturating_add(after) };
    let mut stream = context.storage.select(&select)?;
    while let Some(series) = stream.next_series()? {
        let _held = context.budget.hold(series.samples.len(), series.samples.bytes())?;
        let mut samples = series.samples.without_stale();
        if context.resets.are_detected {
            samples = samples.with_resets();
        }
        if samples.is_empty() {
            continue;
        }
        if !context.options.start_timestamps {
            samples.floats.iter_mut().for_each(|point| point.start = 0);
            samples.histograms.iter_mut().for_each(|point| point.start = 0);
        }
        sink(&Windowed { labels: &series.labels, drop_name: false, samples: &samples, frames: &frames })?;
    }
    Ok(())
}

fn subqueried(context: &Context<'_>, subquery: &Subquery, sink: &mut WindowSink<'_>) -> Result<(), PromqlError> {
    let look = Look::new(context, &subquery.timing, subquery.place.0)?;
    let range = positive(context, subquery.range, subquery.range_expr.as_ref())?;
    let step = positive(context, subquery.step, subquery.step_expr.as_ref())?;
    let step = if step == 0 { context.options.subquery_step } else { step };
    let (first, last) = look.ends(context);
    // Times are multiples of the step, whenever the query is asked.
    let after = first.saturating_sub(range);
    let start = (after.div_euclid(step) + 1).saturating_mul(step);
    if start > last {
        return Ok(());
    }
    let invalid = |_| PromqlError::InvalidRange { start, end: last, step };
    let grid = Grid::new(start, last, step).map_err(invalid)?;
    // Every series has a value for each of these times: too many are refused before one is read.
    let points = Grid::points(start, last, step).and_then(|points| usize::try_from(points).ok()).unwrap_or(usize::MAX);
    let _held = context.budget.hold(points, points.saturating_mul(size_of::<Option<Value>>()))?;
    let inner = context.on(grid).with_resets(false, true);
    let frames = frames(context, look, range, Extended::No);
    vector(&inner, &subquery.expr, &mut |row| {
        let samples = to_samples(&inner, &row);
        let _held = context.budget.hold(samples.len(), samples.bytes())?;
        sink(&Windowed { labels: &row.labels, drop_name: row.drop_name, samples: &samples, frames: &frames })
    })
}

fn to_samples(context: &Context<'_>, row: &Row) -> Samples {
    let mut samples = Samples::default();
    for (at, value) in context.times().zip(&row.values) {
        match value {
            Some(Value::Float(value)) => samples.floats.push(FloatPoint { at, start: 0, value: *value }),
            Some(Value::Histogram(value)) => {
                let mut value = Arc::clone(value);
                // What was between two samples isn't known here.
                if matches!(value.hint, ResetHint::Reset | ResetHint::NotReset) {
                    Arc::make_mut(&mut value).hint = ResetHint::Unknown;
                }
                samples.histograms.push(HistogramPoint { at, start: 0, value });
            }
            None => {}
        }
    }
    samples
}
