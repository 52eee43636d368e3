use icegate_syntax::Span;
use memchr::memmem::Finder;
use regex::Regex;

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
}

impl LineTest {
    pub(crate) fn new(filter: &LineFilter, span: Span) -> Result<Self, LogqlError> {
        let term = |term: &LineTerm| match (filter.op, term) {
            (LineOp::Contains | LineOp::NotContains, LineTerm::Text(text)) => {
                Ok(Term::Text(Box::new(Finder::new(text.as_bytes()).into_owned())))
            }
            (LineOp::Matches | LineOp::NotMatches, LineTerm::Text(text)) => pattern::anywhere(text, span).map(Term::Regex),
            _ => Err(LogqlError::unsupported(format!("line filter `{filter}`"), span)),
        };
        let terms = filter.terms.iter().map(term).collect::<Result<_, _>>()?;
        Ok(Self { negative: filter.op.is_negative(), terms })
    }

    /// Whether the line stays.
    pub(crate) fn keeps(&self, line: &str) -> bool {
        let found = self.terms.iter().any(|term| match term {
            Term::Text(finder) => finder.find(line.as_bytes()).is_some(),
            Term::Regex(regex) => regex.is_match(line),
        });
        found != self.negative
    }
}
