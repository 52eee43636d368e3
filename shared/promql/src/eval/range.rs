use std::cell::Cell;

use icegate_syntax::Span;

use super::over_time;
use super::rate;
use super::scalar::scalar;
use super::series_labels::{same_labels, without_name};
use super::values::{Context, Row, Sink, name};
use super::windows::{Frames, Windowed, windows};
use crate::PromqlError;
use crate::annotations::named;
use crate::ast::{Call, Expr, Extended, ValueType};
use crate::samples::{Value, Window};

/// What a function of a window needs.
pub(crate) struct Ranged<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) function: &'static str,
    /// Where the range vector stands.
    pub(crate) span: Span,
    /// The scalars beside it, at this step.
    pub(crate) params: &'a [f64],
    pub(crate) metric: &'a str,
    /// The time of the step.
    pub(crate) step: i64,
    pub(crate) frames: &'a Frames,
    pub(crate) series: &'a Windowed<'a>,
    /// Whether the name of the series was looked at already.
    pub(crate) is_name_checked: &'a Cell<bool>,
}

impl Ranged<'_> {
    /// A message that ends with the name of the metric.
    pub(crate) fn warn_named(&self, message: &str) {
        self.context.notes.warn(named(message, self.metric), self.span);
    }

    pub(crate) fn warn_mixed_values(&self) {
        self.warn_named("encountered a mix of histograms and floats for metric name");
    }

    pub(crate) fn warn_mixed_buckets(&self) {
        self.warn_named("vector contains a mix of histograms with exponential and custom buckets schemas for metric name");
    }

    pub(crate) fn info_ignored_histograms(&self) {
        let message = "ignored histograms in a range containing both floats and histograms for metric name";
        self.context.notes.info(named(message, self.metric), self.span);
    }
}

type Function = fn(&Ranged<'_>, &Window<'_>) -> Result<Option<Value>, PromqlError>;

pub(crate) fn range_function(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let position = call.function.args.iter().position(|arg| *arg == ValueType::Matrix).unwrap_or(0);
    let arg = &call.args[position];
    check_extended(call.function.name, arg)?;
    let scalars: Vec<(usize, Vec<f64>)> = call
        .args
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != position)
        .map(|(index, arg)| Ok((index, scalar(context, arg)?)))
        .collect::<Result<_, PromqlError>>()?;
    if call.function.name == "quantile_over_time" {
        for (index, values) in &scalars {
            values.iter().for_each(|q| super::histograms::check_quantile(context, *q, call.args[*index].span()));
        }
    }
    let function = function(call.function.name)?;
    let keeps_name = matches!(call.function.name, "last_over_time" | "first_over_time");
    let mut seen = std::collections::HashSet::new();
    let times: Vec<i64> = context.times().collect();
    windows(context, arg, &mut |series| {
        let mut params = vec![0.0; scalars.len()];
        let mut values = Vec::with_capacity(times.len());
        let mut walk = Walk::default();
        let is_name_checked = Cell::new(false);
        for (index, (from, to)) in series.frames.windows.iter().enumerate() {
            scalars.iter().zip(&mut params).for_each(|((_, values), param)| *param = values[index]);
            let ranged = Ranged {
                context,
                function: call.function.name,
                span: arg.span(),
                params: &params,
                metric: name(series.labels),
                step: times[index],
                frames: series.frames,
                series,
                is_name_checked: &is_name_checked,
            };
            let window = walk.window(series, *from, *to);
            let is_empty = window.is_empty() && series.frames.extended == Extended::No;
            values.push(if is_empty { None } else { function(&ranged, &window)? });
        }
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        let delayed = context.options.delayed_name_removal;
        let labels = if keeps_name || delayed { series.labels.clone() } else { without_name(series.labels) };
        if !delayed && !keeps_name && !seen.insert(labels.clone()) {
            return Err(same_labels());
        }
        sink(Row { labels, drop_name: series.drop_name || !keeps_name, values })
    })
}

/// Finds windows that move forward, each from where the one before lies.
#[derive(Default)]
struct Walk {
    floats: (usize, usize),
    histograms: (usize, usize),
    from: Option<i64>,
}

impl Walk {
    fn window<'a>(&mut self, series: &Windowed<'a>, from: i64, to: i64) -> Window<'a> {
        let samples = series.samples;
        if self.from.is_some_and(|last| from < last) {
            *self = Self::default();
        }
        self.from = Some(from);
        advance(&mut self.floats, &samples.floats, from, to, |point| point.at);
        advance(&mut self.histograms, &samples.histograms, from, to, |point| point.at);
        Window {
            floats: &samples.floats[self.floats.0..self.floats.1],
            histograms: &samples.histograms[self.histograms.0..self.histograms.1],
            from,
            to,
        }
    }
}

/// Moves the bounds of a window to the first sample after `from` and the first after `to`.
fn advance<T>((start, end): &mut (usize, usize), points: &[T], from: i64, to: i64, at: impl Fn(&T) -> i64) {
    while points.get(*start).is_some_and(|point| at(point) <= from) {
        *start += 1;
    }
    *end = (*end).max(*start);
    while points.get(*end).is_some_and(|point| at(point) <= to) {
        *end += 1;
    }
}

fn check_extended(function: &str, arg: &Expr) -> Result<(), PromqlError> {
    let Expr::Matrix(matrix) = arg.unwrapped() else { return Ok(()) };
    let (word, allowed): (_, &[&str]) = match matrix.selector.extended {
        Extended::No => return Ok(()),
        Extended::Anchored => ("anchored", &["changes", "delta", "increase", "rate", "resets"]),
        Extended::Smoothed => ("smoothed", &["delta", "increase", "rate"]),
    };
    if allowed.contains(&function) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    Err(PromqlError::evaluation(format!("{word} modifier can only be used with: {allowed} - not with {function}")))
}

fn function(name: &str) -> Result<Function, PromqlError> {
    Ok(match name {
        "rate" | "increase" | "delta" => rate::rate,
        "irate" | "idelta" => rate::instant,
        "changes" => rate::changes,
        "resets" => rate::resets,
        "sum_over_time" => over_time::sum,
        "avg_over_time" => over_time::avg,
        "count_over_time" => over_time::count,
        "present_over_time" => over_time::present,
        "last_over_time" => over_time::last,
        "first_over_time" => over_time::first,
        "ts_of_last_over_time" => over_time::time_of_last,
        "ts_of_first_over_time" => over_time::time_of_first,
        "min_over_time" | "max_over_time" | "ts_of_min_over_time" | "ts_of_max_over_time" => over_time::extreme,
        "stddev_over_time" | "stdvar_over_time" => over_time::deviation,
        "quantile_over_time" => over_time::quantile,
        "mad_over_time" => over_time::median_distance,
        "deriv" | "predict_linear" => over_time::regression,
        "double_exponential_smoothing" => over_time::smoothing,
        other => return Err(PromqlError::evaluation(format!("function {other:?} can't be evaluated"))),
    })
}
