use std::collections::HashSet;

use icegate_syntax::Span;

use crate::ast::{LabelFilter, LabelFormat, LineFilter, LineOp, LineTerm, Matcher, Named, Stage, StageKind};
use crate::{LogqlError, pattern};

/// Labels that tell of errors; no stage may write them.
const ERROR_LABELS: [&str; 2] = ["__error__", "__error_details__"];

pub(super) fn stages(stages: &[Stage]) -> Result<(), LogqlError> {
    stages.iter().try_for_each(|stage| one(&stage.kind, stage.place.0))
}

fn one(kind: &StageKind, span: Span) -> Result<(), LogqlError> {
    match kind {
        StageKind::Line(filter) => line_filter(filter, span),
        StageKind::Label(filter) => label_filter(filter),
        StageKind::Regexp(expression) => regexp(expression, span),
        StageKind::Pattern(text) => captures(text, span),
        StageKind::LabelFormat(formats) => label_format(formats, span),
        StageKind::Drop(names) | StageKind::Keep(names) => names.iter().try_for_each(|named| match named {
            Named::Label(_) => Ok(()),
            Named::Matching(one) => matcher(one),
        }),
        StageKind::Json(_) | StageKind::Logfmt { .. } | StageKind::Unpack | StageKind::LineFormat(_) | StageKind::Decolorize => {
            Ok(())
        }
    }
}

fn matcher(matcher: &Matcher) -> Result<(), LogqlError> {
    if matcher.op.is_regex() { pattern::whole(&matcher.value, matcher.place.0).map(|_| ()) } else { Ok(()) }
}

fn line_filter(filter: &LineFilter, span: Span) -> Result<(), LogqlError> {
    for term in &filter.terms {
        match (filter.op, term) {
            (LineOp::Matches | LineOp::NotMatches, LineTerm::Text(expression)) => {
                pattern::anywhere(expression, span)?;
            }
            (LineOp::Pattern | LineOp::NotPattern, LineTerm::Text(text)) => line_pattern(text, span)?,
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn label_filter(filter: &LabelFilter) -> Result<(), LogqlError> {
    match filter {
        LabelFilter::Text(one) => matcher(one),
        LabelFilter::And(left, right) | LabelFilter::Or(left, right) => {
            label_filter(left)?;
            label_filter(right)
        }
        LabelFilter::Number { .. } | LabelFilter::Duration { .. } | LabelFilter::Bytes { .. } | LabelFilter::Ip { .. } => Ok(()),
    }
}

fn regexp(expression: &str, span: Span) -> Result<(), LogqlError> {
    let regex = pattern::anywhere(expression, span)?;
    if regex.capture_names().flatten().next().is_none() {
        return Err(LogqlError::meaning("invalid regexp parser: at least one named capture must be supplied", span));
    }
    Ok(())
}

fn label_format(formats: &[LabelFormat], span: Span) -> Result<(), LogqlError> {
    let mut seen = HashSet::new();
    for format in formats {
        if ERROR_LABELS.contains(&format.label.as_str()) {
            return Err(LogqlError::meaning(format!("{} cannot be formatted", format.label), span));
        }
        if !seen.insert(&format.label) {
            return Err(LogqlError::meaning(
                format!("multiple label name '{}' not allowed in a single format operation", format.label),
                span,
            ));
        }
    }
    Ok(())
}

/// A part of a pattern: `<name>` or text.
enum Part<'a> {
    Capture(&'a str),
    Text,
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let name =
            rest.strip_prefix('<').and_then(|inner| inner.split_once('>')).map(|(name, _)| name).filter(|name| is_name(name));
        if let Some(name) = name {
            parts.push(Part::Capture(name));
            rest = &rest[name.len() + 2..];
        } else {
            let first = rest.chars().next().map_or(1, char::len_utf8);
            let length = rest[first..].find('<').map_or(rest.len(), |next| next + first);
            rest = &rest[length..];
            if !matches!(parts.last(), Some(Part::Text)) {
                parts.push(Part::Text);
            }
        }
    }
    parts
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn adjacent(parts: &[Part<'_>]) -> bool {
    parts.windows(2).any(|pair| matches!(pair, [Part::Capture(_), Part::Capture(_)]))
}

/// The pattern of the `pattern` stage.
fn captures(text: &str, span: Span) -> Result<(), LogqlError> {
    let parts = parts(text);
    let names: Vec<_> = parts.iter().filter_map(|part| if let Part::Capture(name) = part { Some(*name) } else { None }).collect();
    let problem = if adjacent(&parts) {
        "found consecutive captures"
    } else if names.iter().all(|name| *name == "_") {
        "at least one capture is required"
    } else if names.iter().filter(|name| **name != "_").collect::<HashSet<_>>().len()
        < names.iter().filter(|name| **name != "_").count()
    {
        "duplicate capture name"
    } else {
        return Ok(());
    };
    Err(LogqlError::meaning(format!("invalid pattern parser: {problem}"), span))
}

/// The pattern of `|>` and `!>`.
fn line_pattern(text: &str, span: Span) -> Result<(), LogqlError> {
    let parts = parts(text);
    let problem = if adjacent(&parts) {
        "found consecutive captures"
    } else if parts.iter().any(|part| matches!(part, Part::Capture(name) if *name != "_")) {
        "named captures are not allowed"
    } else {
        return Ok(());
    };
    Err(LogqlError::meaning(format!("invalid pattern filter: {problem}"), span))
}
