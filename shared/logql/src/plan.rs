//! What becomes a DataFusion filter, and what is left for decoded rows.

mod columns;
mod line;
mod needs;
mod predicate;
mod time;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::Expr;
use datafusion::prelude::col;
use icegate_model::TimeRange;

use crate::ast::{LabelFilter, Selector, Stage, StageKind};
use crate::rows::{NameCache, Names, RowLabels, columns_of};
use crate::stage::{MatcherTest, Purpose, Row, Step, Wanted, loosened, ordered};
use crate::{Limits, LogqlError, Source};

pub(crate) use columns::{Owner, owner};
pub(crate) use needs::of_range as wanted;

/// How selectors on stream labels are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// By the stream alone, as long as each stream has the label; [`Plan::is_undecided`] tells if one didn't.
    Streams,
    /// By the row: where the stream lacks the label, metadata may have it.
    Rows,
}

/// What a plan is made for.
#[derive(Clone, Debug)]
pub(crate) struct Aim<'a> {
    pub(crate) range: TimeRange,
    pub(crate) limits: &'a Limits,
    pub(crate) trust: Trust,
    /// The labels that the result needs.
    pub(crate) wanted: Wanted,
    /// The time of the query in nanoseconds.
    pub(crate) now: i64,
}

/// A selector and its stages, split.
#[derive(Debug)]
pub(crate) struct Plan {
    /// All have to hold; decided by columns.
    pub(crate) filters: Vec<Expr>,
    /// Matchers for decoded rows.
    pub(crate) matchers: Vec<MatcherTest>,
    /// Stages for decoded rows, in order.
    pub(crate) steps: Vec<Step>,
    /// What is left, as text.
    pub(crate) residual: Vec<String>,
    range: TimeRange,
    wanted: Wanted,
    asks_for_errors: bool,
    undecided: Arc<AtomicBool>,
    sieve: Option<Sieve>,
}

/// The same steps, made for the labels alone that decide which lines stay. Most lines of a selective query go no further, and their
/// other labels are never made.
#[derive(Debug)]
struct Sieve {
    wanted: Wanted,
    steps: Vec<Step>,
}

/// What stages have done to labels so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Not,
    /// Parsers add labels, but never in place of one that a row came with.
    Added,
    Changed,
}

impl Plan {
    pub(crate) fn new(selector: &Selector, stages: &[Stage], aim: &Aim<'_>) -> Result<Self, LogqlError> {
        let mut plan = Self {
            filters: time::within(aim.range),
            matchers: Vec::new(),
            steps: Vec::new(),
            residual: Vec::new(),
            range: aim.range,
            wanted: aim.wanted.clone(),
            asks_for_errors: needs::asks_for_errors(stages, &aim.wanted),
            undecided: Arc::new(AtomicBool::new(false)),
            sieve: None,
        };
        for matcher in &selector.matchers {
            let pushed = columns::matcher(matcher, &plan.undecided)?;
            let decided = match owner(&matcher.name) {
                Owner::Column(_) | Owner::Id(_) => true,
                Owner::Stream => aim.trust == Trust::Streams,
                Owner::Row => false,
            };
            plan.filters.extend(pushed);
            if !decided {
                plan.residual.push(matcher.to_string());
                plan.matchers.push(MatcherTest::new(matcher)?);
            }
        }
        let left = plan.push_down(stages, aim.limits.find_trace_ids)?;
        let steps = |wanted: &Wanted| {
            left.iter().map(|stage| Step::new(stage, Purpose { wanted, now: aim.now })).collect::<Result<Vec<_>, _>>()
        };
        plan.residual.extend(left.iter().map(ToString::to_string));
        plan.steps = steps(&aim.wanted)?;
        if aim.wanted == Wanted::All && !plan.is_exact() {
            let sieve = |wanted| steps(&wanted).map(|steps| Sieve { wanted, steps });
            plan.sieve = needs::of_filters(stages).map(sieve).transpose()?;
        }
        Ok(plan)
    }

    /// Line filters move down as long as lines are as they were, label filters as long as labels are; behind a parser, a label
    /// filter still says which rows can be left out before it runs.
    ///
    /// Gives the stages that are left for decoded rows, in order.
    fn push_down<'a>(&mut self, stages: &'a [Stage], find_trace_ids: bool) -> Result<Vec<&'a Stage>, LogqlError> {
        let mut left = Vec::new();
        let (mut line_is_intact, mut labels) = (true, Touched::Not);
        for stage in ordered(stages) {
            match &stage.kind {
                StageKind::Line(filter) if line_is_intact => {
                    self.filters.push(line::filter(filter, stage.place.0, find_trace_ids)?);
                    continue;
                }
                StageKind::Label(filter) if labels == Touched::Not => {
                    if let Some(pushed) = label_filter(filter)? {
                        self.filters.push(pushed);
                        continue;
                    }
                }
                StageKind::Label(filter) if labels == Touched::Added => self.filters.extend(columns::possible(filter)?),
                StageKind::LineFormat(_) | StageKind::Decolorize => line_is_intact = false,
                StageKind::Unpack => (line_is_intact, labels) = (false, labels.max(Touched::Added)),
                StageKind::Json(_) | StageKind::Logfmt { .. } | StageKind::Regexp(_) | StageKind::Pattern(_) => {
                    labels = labels.max(Touched::Added);
                }
                StageKind::LabelFormat(_) | StageKind::Drop(_) | StageKind::Keep(_) => labels = Touched::Changed,
                StageKind::Line(_) | StageKind::Label(_) => {}
            }
            left.push(stage);
        }
        Ok(left)
    }

    /// Whether columns alone decide which lines stay.
    pub(crate) fn is_exact(&self) -> bool {
        self.matchers.is_empty() && !self.steps.iter().any(Step::filters)
    }

    /// After a run with [`Trust::Streams`]: a stream lacked a label, so rows have to be asked.
    pub(crate) fn is_undecided(&self) -> bool {
        self.undecided.load(Ordering::Relaxed)
    }

    /// The mark that [`Plan::is_undecided`] reads.
    pub(crate) fn undecided(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.undecided)
    }

    /// The filtered rows.
    pub(crate) fn scan(&self, source: &Source) -> Result<DataFrame, LogqlError> {
        let mut frame = source.session.read_table(Arc::clone(&source.provider))?;
        if let Some(filter) = self.filters.iter().cloned().reduce(Expr::and) {
            frame = frame.filter(filter)?;
        }
        Ok(frame)
    }

    /// The filtered rows with these columns.
    pub(crate) fn scan_columns(&self, source: &Source, columns: Vec<&str>) -> Result<DataFrame, LogqlError> {
        Ok(self.scan(source)?.select(columns.into_iter().map(col).collect::<Vec<_>>())?)
    }

    /// Those of the rows that lie in a part of the range.
    pub(crate) fn within(&self, frame: DataFrame, part: TimeRange) -> Result<DataFrame, LogqlError> {
        if part == self.range {
            return Ok(frame);
        }
        Ok(time::within(part).into_iter().try_fold(frame, DataFrame::filter)?)
    }

    /// The columns that rows are read with.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        columns_of(self.asked().as_ref())
    }

    fn asked(&self) -> Option<HashSet<String>> {
        needs::of_rows(&self.wanted, self.matchers.iter().map(|matcher| matcher.name.as_str()))
    }

    /// The names of labels that rows are read with.
    pub(crate) fn names(&self) -> NameCache {
        NameCache::new(self.asked())
    }

    /// The names of labels that decide which lines stay, where asking these first is worth it.
    pub(crate) fn sieve_names(&self) -> Option<NameCache> {
        let matchers = self.matchers.iter().map(|matcher| matcher.name.as_str());
        self.sieve.as_ref().map(|sieve| NameCache::new(needs::of_rows(&sieve.wanted, matchers)))
    }

    /// Whether a row stays, which [`Plan::sieve_names`] decide.
    pub(crate) fn passes(&self, line: &str, at: i64, labels: RowLabels, names: &mut Names) -> bool {
        let Some(sieve) = &self.sieve else { return true };
        let mut row = Row { line: Cow::Borrowed(line), at, labels };
        self.fits(&row.labels) && sieve.steps.iter().all(|step| step.run(&mut row, names))
    }

    fn fits(&self, labels: &RowLabels) -> bool {
        self.matchers.iter().all(|test| test.fits(labels.get(&test.name).unwrap_or_default()))
    }

    /// Runs what is left on a row; the row as it leaves, if it stays.
    pub(crate) fn run<'a>(&self, line: &'a str, at: i64, mut labels: RowLabels, names: &mut Names) -> Option<Row<'a>> {
        labels.asks_for_errors = self.asks_for_errors;
        let mut row = Row { line: Cow::Borrowed(line), at, labels };
        (self.fits(&row.labels) && self.steps.iter().all(|step| step.run(&mut row, names))).then_some(row)
    }
}

/// A label filter that columns decide; `None` where one part isn't.
fn label_filter(filter: &LabelFilter) -> Result<Option<Expr>, LogqlError> {
    Ok(match filter {
        LabelFilter::Text(matcher) => match owner(&matcher.name) {
            Owner::Column(_) | Owner::Id(_) => columns::matcher(&loosened(matcher), &Arc::default())?,
            Owner::Stream | Owner::Row => None,
        },
        LabelFilter::Number { name, op, value, .. } => columns::number(name, *op, *value),
        LabelFilter::And(left, right) => label_filter(left)?.zip(label_filter(right)?).map(|(left, right)| left.and(right)),
        LabelFilter::Or(left, right) => label_filter(left)?.zip(label_filter(right)?).map(|(left, right)| left.or(right)),
        LabelFilter::Duration { .. } | LabelFilter::Bytes { .. } | LabelFilter::Ip { .. } => None,
    })
}
