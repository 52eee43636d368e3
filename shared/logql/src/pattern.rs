//! Regular expressions of queries, compiled with a bound.

use icegate_syntax::{Span, re2};
use regex::{Regex, RegexBuilder};

use crate::LogqlError;

/// Bytes that one compiled expression may take.
const MAX_COMPILED_BYTES: usize = 4 << 20;

/// Finds the expression anywhere; `.` doesn't fit a line end.
pub(crate) fn anywhere(expression: &str, span: Span) -> Result<Regex, LogqlError> {
    compile(&re2::translate(expression), span)
}

/// Fits whole values; `.` doesn't fit a line end.
pub(crate) fn whole(expression: &str, span: Span) -> Result<Regex, LogqlError> {
    // Alone first: what is unbalanced must not be repaired by the brackets around it.
    compile(&re2::translate(expression), span)?;
    compile(&format!("^(?:{})$", re2::translate(expression)), span)
}

fn compile(expression: &str, span: Span) -> Result<Regex, LogqlError> {
    RegexBuilder::new(expression)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| LogqlError::meaning(format!("error parsing regexp: {}", reason(&error)), span))
}

/// The reason without the drawing that comes with it.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}
