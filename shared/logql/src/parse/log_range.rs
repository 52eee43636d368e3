use icegate_syntax::Span;

use super::Parser;
use crate::LogqlError;
use crate::ast::{LogRange, Selector, Stage, Unwrap, UnwrapUnit};
use crate::token::Token;

/// A range being read: its parts may come in two orders and in brackets.
struct Draft {
    selector: Selector,
    stages: Vec<Stage>,
    unwrap: Option<Unwrap>,
    range: Option<(i64, i64)>,
}

impl Parser<'_> {
    /// `{…} | stages [5m] offset 1h`, or with the range right after the selector.
    pub(super) fn log_range(&mut self) -> Result<LogRange, LogqlError> {
        let draft = self.draft()?;
        let Some((nanos, offset)) = draft.range else {
            return Err(self.unexpected(if draft.unwrap.is_some() { &["range", "|"] } else { &["range", "|", "a line filter"] }));
        };
        Ok(LogRange { selector: draft.selector, stages: draft.stages, unwrap: draft.unwrap, nanos, offset })
    }

    fn draft(&mut self) -> Result<Draft, LogqlError> {
        let mut draft = if self.eat("(") {
            let inner = self.deeper(Self::draft)?;
            self.expect(")")?;
            if inner.range.is_some() {
                return Ok(inner);
            }
            self.range_part(inner)?
        } else {
            let selector = self.selector()?;
            self.range_part(Draft { selector, stages: Vec::new(), unwrap: None, range: None })?
        };
        if draft.stages.is_empty() && draft.unwrap.is_none() {
            draft.stages = self.stages()?;
            draft.unwrap = self.unwrap()?;
            if draft.range.is_none() {
                draft = self.range_part(draft)?;
            }
        }
        Ok(draft)
    }

    /// `[5m] offset 1h`, if it is next.
    fn range_part(&mut self, mut draft: Draft) -> Result<Draft, LogqlError> {
        if let Token::Range(nanos) = *self.peek() {
            self.at += 1;
            draft.range = Some((nanos, self.offset()?));
        }
        Ok(draft)
    }

    fn offset(&mut self) -> Result<i64, LogqlError> {
        if !self.eat_keyword("offset") {
            return Ok(0);
        }
        let negative = self.eat("-");
        match *self.peek() {
            Token::Duration(nanos) => {
                self.at += 1;
                Ok(if negative { -nanos } else { nanos })
            }
            _ => Err(self.unexpected(&["duration"])),
        }
    }

    /// `| unwrap bytes(size) | size > 5`, if it is next.
    fn unwrap(&mut self) -> Result<Option<Unwrap>, LogqlError> {
        if !self.at_unwrap() {
            return Ok(None);
        }
        let start: Span = self.here();
        self.at += 2;
        let unit = match self.peek() {
            Token::Function("bytes") => UnwrapUnit::Bytes,
            Token::Function("duration") => UnwrapUnit::Duration,
            Token::Function("duration_seconds") => UnwrapUnit::DurationSeconds,
            _ => UnwrapUnit::Number,
        };
        let label = if unit == UnwrapUnit::Number {
            self.name()?
        } else {
            self.at += 1;
            self.expect("(")?;
            let label = self.name()?;
            self.expect(")")?;
            label
        };
        let mut filters = Vec::new();
        while self.eat("|") {
            filters.push(self.label_filter()?);
        }
        Ok(Some(Unwrap { label, unit, filters, place: self.place_from(start) }))
    }
}
