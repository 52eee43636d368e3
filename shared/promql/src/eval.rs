//! Trees to answers.
//!
//! An expression pushes its series one by one into what needs them ([`vector::vector`]), each with its value at every step, so that
//! aggregations hold one series and their groups. Only operations on two vectors, subqueries and what orders series hold more.

mod absent;
mod aggregate;
mod aggregate_select;
mod answer;
mod binary;
mod binary_scalar;
mod binary_value;
mod budget;
mod dates;
mod extended;
mod histograms;
mod info;
mod invariant;
mod labels;
mod matching;
mod math;
mod over_time;
mod range;
mod rate;
mod rate_histogram;
mod scalar;
mod selector;
mod series_labels;
mod sort;
mod timing;
mod values;
mod vector;
mod windows;

use icegate_series::Grid;

pub use self::answer::{Answer, Evaluated, MatrixSeries, VectorSample};
use self::budget::Budget;
pub use self::budget::Limits;
use self::values::{Context, Resets};
use crate::annotations::Annotations;
use crate::ast::{Expr, QuerySpan};
use crate::storage::Storage;
use crate::{PromqlError, ast::ValueType};

/// Levels of a tree that fit the stack of any thread; a deeper one is evaluated on a thread of its own.
const SHALLOW: usize = 16;
/// Bytes of that thread's stack: enough for a tree of [`crate::MAX_NESTING`] and [`crate::MAX_DEPTH`] levels, which all are in
/// progress while a series passes through them.
const STACK: usize = 64 << 20;

/// How a query is evaluated. The default is Prometheus' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvalOptions {
    /// Milliseconds that an instant selector looks back for a sample.
    pub lookback: i64,
    /// Milliseconds between two times of a subquery that doesn't say.
    pub subquery_step: i64,
    /// Whether names are removed at the end only.
    pub delayed_name_removal: bool,
    /// Whether start times of samples tell of counter resets.
    pub start_timestamps: bool,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self { lookback: 300_000, subquery_step: 60_000, delayed_name_removal: false, start_timestamps: false }
    }
}

/// The steps of a query; milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// One.
    Instant(i64),
    /// From the start, each a step later, up to the end.
    Range {
        /// First step.
        start: i64,
        /// No step is later.
        end: i64,
        /// Distance, above zero.
        step: i64,
    },
}

/// What to evaluate, and how.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// The text, for positions of warnings.
    pub text: &'a str,
    /// What it says.
    pub expr: &'a Expr,
    /// At which times.
    pub steps: Steps,
    /// How.
    pub options: EvalOptions,
    /// With which bounds.
    pub limits: Limits,
    /// Asked now and then whether to give up.
    pub is_canceled: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl std::fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("text", &self.text).field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Evaluates a query.
///
/// # Errors
/// [`PromqlError`]: what the query asks can't be computed, a bound is reached, or the storage fails.
pub fn evaluate(query: &Query<'_>, storage: &dyn Storage) -> Result<Evaluated, PromqlError> {
    if is_shallow(query.expr, SHALLOW) {
        return evaluate_here(query, storage);
    }
    std::thread::scope(|scope| {
        let evaluation = std::thread::Builder::new()
            .name("promql".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || evaluate_here(query, storage))
            .map_err(PromqlError::Thread)?;
        evaluation.join().unwrap_or(Err(PromqlError::Panicked))
    })
}

/// Whether a tree has at most so many levels.
fn is_shallow(expr: &Expr, levels: usize) -> bool {
    levels > 0 && expr.children().into_iter().all(|child| is_shallow(child, levels - 1))
}

fn evaluate_here(query: &Query<'_>, storage: &dyn Storage) -> Result<Evaluated, PromqlError> {
    let (span, grid) = grid(query)?;
    let notes = Annotations::new(query.text);
    let budget = Budget::new(query.limits, query.is_canceled);
    let is_range = matches!(query.steps, Steps::Range { .. });
    let context = Context {
        storage,
        grid,
        query: span,
        options: &query.options,
        notes: &notes,
        budget: &budget,
        is_range,
        text: query.text,
        resets: Resets::default(),
    };
    let answer = answer::answer(&context, query.expr)?;
    let (warnings, infos) = notes.finish();
    Ok(Evaluated { answer, warnings, infos })
}

fn grid(query: &Query<'_>) -> Result<(QuerySpan, Grid), PromqlError> {
    let (start, end, step) = match query.steps {
        Steps::Instant(at) => return Ok((QuerySpan { start: at, end: at, step: 0 }, Grid::instant(at))),
        Steps::Range { start, end, step } => (start, end, step),
    };
    let points = Grid::points(start, end, step).filter(|_| step > 0);
    let points = points.ok_or(PromqlError::InvalidRange { start, end, step })?;
    // The bound counts the distances between points.
    if points.saturating_sub(1) > query.limits.points as u64 {
        return Err(PromqlError::TooManyPoints { limit: query.limits.points });
    }
    let found = query.expr.value_type();
    if !matches!(found, ValueType::Scalar | ValueType::Vector) {
        return Err(PromqlError::RangeType { found: found.documented() });
    }
    let grid = Grid::new(start, end, step).map_err(|_| PromqlError::InvalidRange { start, end, step })?;
    Ok((QuerySpan { start, end, step }, grid))
}
