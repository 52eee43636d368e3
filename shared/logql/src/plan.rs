//! What becomes a DataFusion filter, and what is left for decoded rows.

mod columns;
mod line;
mod predicate;
mod time;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::Expr;
use icegate_model::TimeRange;

use crate::ast::{LabelFilter, Selector, Stage, StageKind};
use crate::rows::RowLabels;
use crate::stage::{MatcherTest, Step};
use crate::{Limits, LogqlError, Source};

pub(crate) use columns::{Owner, owner};

/// How selectors on stream labels are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// By the stream alone, as long as each stream has the label; [`Plan::is_undecided`] tells if one didn't.
    Streams,
    /// By the row: where the stream lacks the label, metadata may have it.
    Rows,
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
    undecided: Arc<AtomicBool>,
}

impl Plan {
    pub(crate) fn new(
        selector: &Selector,
        stages: &[Stage],
        range: TimeRange,
        limits: &Limits,
        trust: Trust,
    ) -> Result<Self, LogqlError> {
        let undecided = Arc::new(AtomicBool::new(false));
        let mut plan =
            Self { filters: time::within(range), matchers: Vec::new(), steps: Vec::new(), residual: Vec::new(), undecided };
        for matcher in &selector.matchers {
            let pushed = columns::matcher(matcher, &plan.undecided)?;
            let decided = match owner(&matcher.name) {
                Owner::Column(_) | Owner::Id(_) => true,
                Owner::Stream => trust == Trust::Streams,
                Owner::Row => false,
            };
            plan.filters.extend(pushed);
            if !decided {
                plan.residual.push(matcher.to_string());
                plan.matchers.push(MatcherTest::new(matcher)?);
            }
        }
        plan.stages(stages, limits)?;
        Ok(plan)
    }

    /// Line filters move down, since no stage here changes lines; label filters do as long as labels are as they were.
    fn stages(&mut self, stages: &[Stage], limits: &Limits) -> Result<(), LogqlError> {
        let mut labels_are_intact = true;
        for stage in stages {
            let pushed = match &stage.kind {
                StageKind::Line(filter) => Some(line::filter(filter, stage.place.0, limits.find_trace_ids)?),
                StageKind::Label(filter) if labels_are_intact => label_filter(filter)?,
                _ => None,
            };
            if let Some(pushed) = pushed {
                self.filters.push(pushed);
                continue;
            }
            let step = Step::new(stage)?;
            labels_are_intact &= !matches!(step, Step::Select(_));
            self.residual.push(stage.to_string());
            self.steps.push(step);
        }
        Ok(())
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

    /// Runs what is left on a row; whether the line stays.
    pub(crate) fn keeps(&self, line: &str, labels: &mut RowLabels) -> bool {
        self.matchers.iter().all(|test| test.fits(labels.get(&test.name).unwrap_or_default()))
            && self.steps.iter().all(|step| step.run(line, labels))
    }
}

/// A label filter that columns decide; `None` where one part isn't.
fn label_filter(filter: &LabelFilter) -> Result<Option<Expr>, LogqlError> {
    Ok(match filter {
        LabelFilter::Text(matcher) => match owner(&matcher.name) {
            Owner::Column(_) | Owner::Id(_) => columns::matcher(matcher, &Arc::default())?,
            Owner::Stream | Owner::Row => None,
        },
        LabelFilter::Number { name, op, value, .. } => columns::number(name, *op, *value),
        LabelFilter::And(left, right) => label_filter(left)?.zip(label_filter(right)?).map(|(left, right)| left.and(right)),
        LabelFilter::Or(left, right) => label_filter(left)?.zip(label_filter(right)?).map(|(left, right)| left.or(right)),
        LabelFilter::Duration { .. } | LabelFilter::Bytes { .. } | LabelFilter::Ip { .. } => None,
    })
}
