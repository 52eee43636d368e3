use super::Parser;
use crate::LogqlError;
use crate::ast::{MatchOp, Matcher, Selector};
use crate::token::Token;

impl Parser<'_> {
    pub(super) fn selector(&mut self) -> Result<Selector, LogqlError> {
        let start = self.here();
        self.expect("{")?;
        let mut matchers = Vec::new();
        if !self.eat("}") {
            if !matches!(self.peek(), Token::Name(_)) {
                return Err(self.unexpected(&["identifier", "}"]));
            }
            loop {
                matchers.push(self.matcher()?);
                if self.eat("}") {
                    break;
                }
                if !self.eat(",") {
                    return Err(self.unexpected(&["}", ","]));
                }
            }
        }
        Ok(Selector { matchers, place: self.place_from(start) })
    }

    /// `a="b"`
    pub(super) fn matcher(&mut self) -> Result<Matcher, LogqlError> {
        let start = self.here();
        let name = self.name()?;
        let op = self.match_op().ok_or_else(|| self.unexpected(&["=", "=~", "!~", "!="]))?;
        self.at += 1;
        let value = self.text()?;
        Ok(Matcher { name, op, value, place: self.place_from(start) })
    }

    /// The operator of a matcher, if it is next; left where it is.
    pub(super) fn match_op(&self) -> Option<MatchOp> {
        let Token::Symbol(symbol) = self.peek() else { return None };
        [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex].into_iter().find(|op| op.symbol() == *symbol)
    }
}
