//! Filters that are still being typed, as completions are asked for with them.

use super::{Parser, parse_filter};
use crate::ast::{BinaryOp, FieldExpr, FieldKind};
use crate::token::Token;
use crate::{TraceqlError, check, lexer};

/// Reads what can be read of a filter: all of it where it is one; else the comparisons of a field with a value that it has, all of
/// which have to hold. Where nothing can be read, or where parts of an `||` can't, it lets everything through.
#[must_use]
pub fn parse_filter_leniently(text: &str) -> FieldExpr {
    match parse_filter(text) {
        Ok(filter) => filter,
        Err(TraceqlError::NotAFilter { .. } | TraceqlError::QueryTooLong { .. }) => FieldExpr::always(),
        Err(_) => comparisons(text),
    }
}

fn comparisons(text: &str) -> FieldExpr {
    let Some(mut parser) = readable(text) else { return FieldExpr::always() };
    let mut all: Option<FieldExpr> = None;
    while *parser.peek() != Token::End {
        if matches!(parser.peek(), Token::Symbol("||" | "!" | "(" | "|" | ">>" | "<<")) {
            return FieldExpr::always();
        }
        let start = parser.at;
        match parser.comparison() {
            Some(one) => {
                let place = one.place;
                all = Some(match all.take() {
                    Some(before) if parser.operator().is_ok() => {
                        FieldExpr { kind: FieldKind::Binary(BinaryOp::And, Box::new(before), Box::new(one)), place }
                    }
                    Some(before) => before,
                    None => one,
                });
            }
            None => parser.at = start + 1,
        }
    }
    all.unwrap_or_else(FieldExpr::always)
}

/// The words up to the first that isn't one.
fn readable(text: &str) -> Option<Parser<'_>> {
    match lexer::tokens(text) {
        Ok(_) => Parser::new(text).ok(),
        Err(error) => Parser::new(text.get(..error.span()?.start)?).ok(),
    }
}

impl Parser<'_> {
    /// `field = value` that can be meant, and behind which nothing goes on.
    fn comparison(&mut self) -> Option<FieldExpr> {
        let start = self.here();
        let field = FieldExpr { kind: FieldKind::Field(self.field().ok()?), place: self.place_from(start) };
        let op = self.operator_of(&BinaryOp::ALL, BinaryOp::symbol).filter(|op| op.level() == 2)?;
        self.at += 1;
        let right = self.here();
        let value = FieldExpr { kind: FieldKind::Value(self.literal()?), place: self.place_from(right) };
        self.at += 1;
        let ends = matches!(self.peek(), Token::End | Token::Symbol("&&" | "}"));
        let kind = FieldKind::Binary(op, Box::new(field), Box::new(value));
        let expr = FieldExpr { kind, place: self.place_from(start) };
        (ends && check::filter(self.query, &expr).is_ok()).then_some(expr)
    }
}
