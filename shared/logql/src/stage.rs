//! What runs on decoded rows: one file for each kind of stage.

mod label_filter;
mod line_filter;
mod matcher;
mod select_labels;

pub(crate) use label_filter::LabelTest;
pub(crate) use line_filter::LineTest;
pub(crate) use matcher::MatcherTest;
pub(crate) use select_labels::Select;

use crate::LogqlError;
use crate::ast::{Stage, StageKind};
use crate::rows::RowLabels;

/// A stage ready to run.
#[derive(Debug)]
pub(crate) enum Step {
    Line(LineTest),
    Label(LabelTest),
    Select(Select),
}

impl Step {
    pub(crate) fn new(stage: &Stage) -> Result<Self, LogqlError> {
        let span = stage.place.0;
        match &stage.kind {
            StageKind::Line(filter) => LineTest::new(filter, span).map(Self::Line),
            StageKind::Label(filter) => LabelTest::new(filter).map(Self::Label),
            StageKind::Drop(names) => Select::new(names, false).map(Self::Select),
            StageKind::Keep(names) => Select::new(names, true).map(Self::Select),
            _ => Err(LogqlError::unsupported(stage.to_string(), span)),
        }
    }

    /// Whether it can drop lines.
    pub(crate) const fn filters(&self) -> bool {
        !matches!(self, Self::Select(_))
    }

    /// Runs on a row; whether the line stays.
    pub(crate) fn run(&self, line: &str, labels: &mut RowLabels) -> bool {
        match self {
            Self::Line(test) => test.keeps(line),
            Self::Label(test) => test.keeps(labels),
            Self::Select(select) => {
                select.run(labels);
                true
            }
        }
    }
}
