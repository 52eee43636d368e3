//! What runs on decoded rows: one file for each kind of stage.

mod decolorize;
mod extract;
mod ip;
mod json;
mod label_filter;
mod label_format;
mod line_filter;
mod line_format;
mod line_pattern;
mod logfmt;
mod matcher;
mod pattern;
mod regexp;
mod select_labels;
mod unpack;
mod unwrap;

use std::borrow::Cow;

pub(crate) use extract::Wanted;
pub(crate) use json::{parse as fields_of_json, paths_of as paths_of_json};
pub(crate) use label_filter::{LabelTest, loosened};
pub(crate) use line_filter::LineTest;
pub(crate) use logfmt::all as fields_of_logfmt;
pub(crate) use matcher::MatcherTest;
pub(crate) use select_labels::Select;
pub(crate) use unwrap::Unwrapping;

use crate::LogqlError;
use crate::ast::{Stage, StageKind};
use crate::rows::{Names, RowLabels};
use json::JsonPaths;
use label_format::LabelFormats;
use line_format::LineFormat;
use logfmt::Logfmt;
use pattern::Pattern;
use regexp::Regexp;

/// A row on its way through a pipeline.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) line: Cow<'a, str>,
    /// Its time in nanoseconds.
    pub(crate) at: i64,
    pub(crate) labels: RowLabels,
}

/// What stages are made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    /// The labels that parsers have to extract.
    pub(crate) wanted: &'a Wanted,
    /// The time of the query in nanoseconds.
    pub(crate) now: i64,
}

/// A stage ready to run.
#[derive(Debug)]
pub(crate) enum Step {
    Line(LineTest),
    Label(LabelTest),
    Json(Wanted),
    JsonPaths(JsonPaths),
    Logfmt(Logfmt),
    Regexp(Regexp),
    Pattern(Pattern),
    Unpack(Wanted),
    LineFormat(LineFormat),
    LabelFormat(LabelFormats),
    Decolorize,
    Select(Select),
}

impl Step {
    pub(crate) fn new(stage: &Stage, purpose: Purpose<'_>) -> Result<Self, LogqlError> {
        let span = stage.place.0;
        let wanted = || purpose.wanted.clone();
        match &stage.kind {
            StageKind::Line(filter) => LineTest::new(filter, span).map(Self::Line),
            StageKind::Label(filter) => LabelTest::new(filter).map(Self::Label),
            StageKind::Json(paths) if paths.is_empty() => Ok(Self::Json(wanted())),
            StageKind::Json(paths) => JsonPaths::new(paths, wanted(), span).map(Self::JsonPaths),
            StageKind::Logfmt { strict, keep_empty, extractions } => {
                Logfmt::new((*strict, *keep_empty), extractions, wanted(), span).map(Self::Logfmt)
            }
            StageKind::Regexp(expression) => Regexp::new(expression, wanted(), span).map(Self::Regexp),
            StageKind::Pattern(text) => Pattern::new(text, wanted(), span).map(Self::Pattern),
            StageKind::Unpack => Ok(Self::Unpack(wanted())),
            StageKind::LineFormat(template) => LineFormat::new(template, purpose.now, span).map(Self::LineFormat),
            StageKind::LabelFormat(formats) => LabelFormats::new(formats, purpose.now, span).map(Self::LabelFormat),
            StageKind::Decolorize => Ok(Self::Decolorize),
            StageKind::Drop(names) => Select::new(names, false).map(Self::Select),
            StageKind::Keep(names) => Select::new(names, true).map(Self::Select),
        }
    }

    /// Whether it is a parser whose labels and errors nobody asks for, and that leaves the length of lines alone where that counts.
    pub(crate) fn is_idle(&self, bytes: bool) -> bool {
        match self {
            Self::Json(wanted) => wanted.is_nothing(),
            Self::JsonPaths(parser) => parser.wanted.is_nothing(),
            Self::Logfmt(parser) => parser.wanted.is_nothing(),
            Self::Regexp(parser) => parser.wanted.is_nothing(),
            Self::Pattern(parser) => parser.wanted.is_nothing(),
            Self::Unpack(wanted) => wanted.is_nothing() && !bytes,
            _ => false,
        }
    }

    /// Whether it can drop lines.
    pub(crate) const fn filters(&self) -> bool {
        matches!(self, Self::Line(_) | Self::Label(_))
    }

    /// Runs on a row; whether the line stays.
    pub(crate) fn run(&self, row: &mut Row<'_>, names: &mut Names) -> bool {
        let Row { line, at, labels } = row;
        match self {
            Self::Line(test) => return test.keeps(line),
            Self::Label(test) => return test.keeps(labels),
            Self::Json(wanted) => json::parse(line, labels, names, wanted),
            Self::JsonPaths(parser) => parser.parse(line, labels, names),
            Self::Logfmt(parser) => parser.parse(line, labels, names),
            Self::Regexp(parser) => parser.parse(line, labels, names),
            Self::Pattern(parser) => parser.parse(line, labels, names),
            Self::Unpack(wanted) => {
                if let Some(entry) = unpack::unpack(line, labels, names, wanted).map(Cow::into_owned) {
                    *line = Cow::Owned(entry);
                }
            }
            Self::LineFormat(format) => {
                if let Some(formatted) = format.run(line, *at, labels) {
                    *line = Cow::Owned(formatted);
                }
            }
            Self::LabelFormat(formats) => formats.run(line, *at, labels, names),
            Self::Decolorize => {
                if let Cow::Owned(plain) = decolorize::decolorize(line) {
                    *line = Cow::Owned(plain);
                }
            }
            Self::Select(select) => select.run(labels),
        }
        true
    }
}

/// Whether stages compile.
pub(crate) fn check(stages: &[Stage]) -> Result<(), LogqlError> {
    let purpose = Purpose { wanted: &Wanted::All, now: 0 };
    stages.iter().try_for_each(|stage| Step::new(stage, purpose).map(|_| ()))
}

/// Stages in the order that they run in: line filters go in front of whatever leaves lines alone, and in front of `decolorize`, but
/// never across `line_format`, `unpack` or a label filter.
pub(crate) fn ordered(stages: &[Stage]) -> Vec<&Stage> {
    let mut ordered = Vec::with_capacity(stages.len());
    let mut waiting = Vec::new();
    for stage in stages {
        match &stage.kind {
            StageKind::Line(_) => ordered.push(stage),
            StageKind::LineFormat(_) | StageKind::Unpack | StageKind::Label(_) => {
                ordered.append(&mut waiting);
                ordered.push(stage);
            }
            _ => waiting.push(stage),
        }
    }
    ordered.append(&mut waiting);
    ordered
}

#[cfg(test)]
mod tests;
