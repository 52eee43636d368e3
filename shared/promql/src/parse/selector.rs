use icegate_syntax::{Diagnostic, Place};

use super::{Parser, unexpected};
use crate::ast::{Extended, Selector, Timing};
use crate::lexer::unquote;
use crate::matcher::{MatchOp, Matcher};
use crate::token::{Kind, Token};

const CONTEXT: &str = "label matching";

impl Parser<'_> {
    /// A selector whose name, if it has one, was taken.
    pub(super) fn selector(&mut self, name: Option<Token<'_>>) -> Result<Selector, Diagnostic> {
        let start = name.map_or(self.peek()?.span, |name| name.span);
        let mut matchers = Vec::new();
        if name.is_none() || self.peek().is_ok_and(|token| token.is("{")) {
            self.next()?;
            self.matchers(&mut matchers)?;
        }
        if let Some(name) = name {
            matchers.push(Matcher::equal("__name__", name.text));
        }
        let place = Place(start.to(self.last_span()));
        let name = name.map(|name| name.text.to_owned());
        Ok(Selector { name, matchers, timing: Timing::default(), extended: Extended::No, place })
    }

    /// Conditions up to the closing brace.
    fn matchers(&mut self, into: &mut Vec<Matcher>) -> Result<(), Diagnostic> {
        loop {
            let token = self.next()?;
            match token.kind {
                Kind::Symbol("}") => return Ok(()),
                Kind::Name | Kind::Text => into.push(self.matcher(token)?),
                _ => return Err(unexpected(&token, CONTEXT, "identifier or \"}\"")),
            }
            let token = self.next()?;
            match token.kind {
                Kind::Symbol("}") => return Ok(()),
                Kind::Symbol(",") => {}
                _ => return Err(unexpected(&token, CONTEXT, "\",\" or \"}\"")),
            }
        }
    }

    fn matcher(&mut self, name: Token<'_>) -> Result<Matcher, Diagnostic> {
        let is_quoted = name.kind == Kind::Text;
        let written = if is_quoted { unquote(name.text).lossy() } else { name.text.to_owned() };
        let token = self.peek()?;
        let op = match token.kind {
            Kind::Symbol("=") => MatchOp::Equal,
            Kind::Symbol("!=") => MatchOp::NotEqual,
            Kind::Symbol("=~") => MatchOp::Matches,
            Kind::Symbol("!~") => MatchOp::MatchesNot,
            // A quoted name alone is that of the metric; what is wrong behind it, the caller says.
            _ if is_quoted => return Ok(Matcher::equal("__name__", &written)),
            _ => return Err(unexpected(&token, CONTEXT, "label matching operator")),
        };
        self.next()?;
        let value = self.next()?;
        if value.kind != Kind::Text {
            return Err(unexpected(&value, CONTEXT, "string"));
        }
        Matcher::new(written, op, unquote(value.text)).map_err(|message| Diagnostic::new(message, name.span.to(value.span)))
    }
}
