use icegate_series::{Grid, Labels};
use icegate_syntax::Span;

use super::EvalOptions;
use super::budget::{Budget, Held};
use crate::PromqlError;
use crate::annotations::Annotations;
use crate::ast::QuerySpan;
use crate::samples::Value;
use crate::storage::Storage;

/// What an evaluation needs.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) storage: &'a dyn Storage,
    /// The steps of this expression; a subquery has its own.
    pub(crate) grid: Grid,
    /// The steps of the whole query.
    pub(crate) query: QuerySpan,
    pub(crate) options: &'a EvalOptions,
    pub(crate) notes: &'a Annotations<'a>,
    pub(crate) budget: &'a Budget<'a>,
    pub(crate) is_range: bool,
    pub(crate) text: &'a str,
    pub(crate) resets: Resets,
}

/// Whether hints of histograms are completed where they are read.
///
/// A function of counts and sums alone sees for each histogram whether it follows a reset. A subquery leaves samples out, so that
/// nothing is known below it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resets {
    pub(crate) are_detected: bool,
    pub(crate) is_subquery: bool,
}

impl<'a> Context<'a> {
    /// The same at other times.
    pub(crate) const fn on(&self, grid: Grid) -> Self {
        Self { grid, ..*self }
    }

    /// The same with other hints.
    pub(crate) const fn with_resets(&self, are_detected: bool, is_subquery: bool) -> Self {
        Self { resets: Resets { are_detected: are_detected && !is_subquery, is_subquery }, ..*self }
    }

    pub(crate) fn times(&self) -> impl Iterator<Item = i64> {
        let grid = self.grid;
        (0..grid.len()).map(move |index| grid.time(index))
    }

    /// Counts rows that are kept.
    pub(crate) fn hold_rows(&self, rows: usize) -> Result<Held<'a, 'a>, PromqlError> {
        self.budget.hold(0, rows * (size_of::<Row>() + self.grid.len() * size_of::<Option<Value>>()))
    }

    /// An error with the position of a part of the query.
    pub(crate) fn error_at(&self, message: &str, span: Span) -> PromqlError {
        let (line, byte) = crate::error::line_and_byte(self.text, span.start);
        PromqlError::evaluation(format!("{line}:{byte}: {message}"))
    }
}

/// A series at the steps of a context.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    /// Whether its name goes away at the end.
    pub(crate) drop_name: bool,
    /// One for each step.
    pub(crate) values: Vec<Option<Value>>,
}

impl Row {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    pub(crate) fn samples(&self) -> usize {
        self.values.iter().flatten().count()
    }

    pub(crate) fn bytes(&self) -> usize {
        let histograms = self.values.iter().flatten().filter_map(Value::histogram).map(crate::Histogram::bytes);
        size_of::<Self>() + self.values.len() * size_of::<Option<Value>>() + histograms.sum::<usize>()
    }

    pub(crate) fn name(&self) -> &str {
        name(&self.labels)
    }
}

pub(crate) fn name(labels: &Labels) -> &str {
    labels.get("__name__").unwrap_or_default()
}

/// Takes the series of an expression.
pub(crate) type Sink<'s> = dyn FnMut(Row) -> Result<(), PromqlError> + 's;
