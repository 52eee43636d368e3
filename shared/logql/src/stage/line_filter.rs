use icegate_syntax::Span;
use memchr::memmem::Finder;
use regex::Regex;

use super::ip::IpRange;
use super::line_pattern::{self, Part};
use super::pattern::has_adjacent_captures;
use crate::ast::{LineFilter, LineOp, LineTerm};
use crate::{LogqlError, pattern};

/// A line filter ready to run.
#[derive(Clone, Debug)]
pub(crate) struct LineTest {
    negative: bool,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    Text(Box<Finder<'static>>),
    Regex(Regex),
    Pattern(Vec<Part>),
    Ip(IpRange),
}

impl LineTest {
    pub(crate) fn new(filter: &LineFilter, span: Span) -> Result<Self, LogqlError> {
        let term = |term: &LineTerm| match (filter.op, term) {
            (_, LineTerm::Ip(range)) => IpRange::new(range, span).map(Term::Ip),
            (LineOp::Contains | LineOp::NotContains, LineTerm::Text(text)) => {
                Ok(Term::Text(Box::new(Finder::new(text.as_bytes()).into_owned())))
            }
            (LineOp::Matches | LineOp::NotMatches, LineTerm::Text(text)) => pattern::anywhere(text, span).map(Term::Regex),
            (LineOp::Pattern | LineOp::NotPattern, LineTerm::Text(text)) => line_pattern(text, span).map(Term::Pattern),
        };
        let terms = filter.terms.iter().map(term).collect::<Result<_, _>>()?;
        Ok(Self { negative: filter.op.is_negative(), terms })
    }

    /// Whether the line stays.
    pub(crate) fn keeps(&self, line: &str) -> bool {
        let found = self.terms.iter().any(|term| match term {
            Term::Text(finder) => finder.find(line.as_bytes()).is_some(),
            Term::Regex(regex) => regex.is_match(line),
            Term::Pattern(parts) => line_pattern::fits(parts, line),
            Term::Ip(range) => range.is_in(line),
        });
        found != self.negative
    }
}

/// A pattern of a line filter: no names, and something between holes.
fn line_pattern(text: &str, span: Span) -> Result<Vec<Part>, LogqlError> {
    let parts = line_pattern::parts(text);
    let problem = if has_adjacent_captures(&parts) {
        "found consecutive captures"
    } else if parts.iter().any(|part| matches!(part, Part::Capture(name) if name != "_")) {
        "named captures are not allowed"
    } else {
        return Ok(parts);
    };
    Err(LogqlError::meaning(format!("invalid pattern filter: {problem}"), span))
}
