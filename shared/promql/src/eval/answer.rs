use std::sync::Arc;

use icegate_series::Labels;

use super::series_labels::{joined, same_labels, without_name};
use super::values::{Context, Row};
use super::vector::collect;
use super::{extended, scalar, windows};
use crate::PromqlError;
use crate::ast::{Expr, Extended, ValueType};
use crate::histogram::Histogram;
use crate::samples::{Samples, Value};

/// A series at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// Its labels.
    pub labels: Labels,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// What it has.
    pub value: Value,
}

/// A series at many times.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its numbers, in order of time.
    pub floats: Vec<(i64, f64)>,
    /// Its histograms, in order of time.
    pub histograms: Vec<(i64, Arc<Histogram>)>,
}

/// What a query evaluates to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A number.
    Scalar {
        /// Milliseconds since the epoch.
        at: i64,
        /// The number.
        value: f64,
    },
    /// A text.
    String {
        /// Milliseconds since the epoch.
        at: i64,
        /// The text.
        text: String,
    },
    /// Series at one time, in no order unless the query sorts them.
    Vector(Vec<VectorSample>),
    /// Series at many times, in order of their labels.
    Matrix(Vec<MatrixSeries>),
}

/// An answer, and what a user should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The answer.
    pub answer: Answer,
    /// What may make it wrong.
    pub warnings: Vec<String>,
    /// What may be worth knowing.
    pub infos: Vec<String>,
}

pub(super) fn answer(context: &Context<'_>, expr: &Expr) -> Result<Answer, PromqlError> {
    let at = context.grid.first();
    match expr.value_type() {
        ValueType::String => Ok(Answer::String { at, text: scalar::text(expr)? }),
        ValueType::Scalar => {
            let values = scalar::scalar(context, expr)?;
            if context.is_range {
                let floats = context.times().zip(values).collect();
                return Ok(Answer::Matrix(vec![MatrixSeries { labels: Labels::empty(), floats, histograms: Vec::new() }]));
            }
            Ok(Answer::Scalar { at, value: values.first().copied().unwrap_or(f64::NAN) })
        }
        ValueType::Vector => {
            let rows = named(context, collect(context, expr)?)?;
            Ok(if context.is_range { Answer::Matrix(matrix(context, rows)) } else { Answer::Vector(samples(at, rows)) })
        }
        ValueType::Matrix => raw(context, expr),
    }
}

/// Removes the names that go away at the end, and joins series that then are the same.
fn named(context: &Context<'_>, mut rows: Vec<Row>) -> Result<Vec<Row>, PromqlError> {
    if context.options.delayed_name_removal {
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = without_name(&row.labels);
        }
    }
    rows.retain(|row| !row.is_empty());
    joined(rows)
}

fn samples(at: i64, rows: Vec<Row>) -> Vec<VectorSample> {
    let sample = |row: Row| {
        let value = row.values.into_iter().next().flatten()?;
        Some(VectorSample { labels: row.labels, at, value })
    };
    rows.into_iter().filter_map(sample).collect()
}

fn matrix(context: &Context<'_>, rows: Vec<Row>) -> Vec<MatrixSeries> {
    let series = |row: Row| {
        let mut series = MatrixSeries { labels: row.labels, floats: Vec::new(), histograms: Vec::new() };
        for (at, value) in context.times().zip(row.values) {
            match value {
                Some(Value::Float(value)) => series.floats.push((at, value)),
                Some(Value::Histogram(value)) => series.histograms.push((at, value)),
                None => {}
            }
        }
        series
    };
    let mut matrix: Vec<_> = rows.into_iter().map(series).collect();
    matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
    matrix
}

/// The samples of a range vector as they are.
fn raw(context: &Context<'_>, expr: &Expr) -> Result<Answer, PromqlError> {
    let mut matrix: Vec<MatrixSeries> = Vec::new();
    let mut all = context.budget.hold(0, 0)?;
    windows::windows(context, expr, &mut |series| {
        let Some((from, to)) = series.frames.windows.first().copied() else { return Ok(()) };
        let own = series.samples.window(from, to);
        let extended = (series.frames.extended != Extended::No).then(|| extended::with_edges(context, series, &own));
        let window = extended.as_ref().map_or(own, |samples| samples.window(i64::MIN, i64::MAX));
        if window.is_empty() {
            return Ok(());
        }
        all.more(window.floats.len() + window.histograms.len(), Samples::bytes(series.samples))?;
        let is_nameless = series.drop_name && context.options.delayed_name_removal;
        let labels = if is_nameless { without_name(series.labels) } else { series.labels.clone() };
        let floats = window.floats.iter().map(|point| (point.at, point.value)).collect();
        let histograms = window.histograms.iter().map(|point| (point.at, Arc::clone(&point.value))).collect();
        matrix.push(MatrixSeries { labels, floats, histograms });
        Ok(())
    })?;
    matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
    if matrix.windows(2).any(|pair| pair[0].labels == pair[1].labels) {
        return Err(same_labels());
    }
    Ok(Answer::Matrix(matrix))
}
