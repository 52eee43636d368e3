//! Text to tree, by recursive descent.

mod label_filter;
mod log_range;
mod metric;
mod selector;
mod stage;

use icegate_syntax::{Place, Span};

use crate::ast::{Expr, LogExpr, MetricExpr, Selector};
use crate::token::Token;
use crate::{LogqlError, check, lexer};

/// How deep brackets, functions and right-hand sides may nest.
const MAX_DEPTH: usize = 64;
/// How many binary operators, and how many connectives of label filters, a query may have.
const MAX_OPERATORS: usize = 256;

/// Reads a query and checks what its text alone decides.
///
/// # Errors
/// [`LogqlError::Syntax`], [`LogqlError::Meaning`], [`LogqlError::QueryTooLong`].
pub fn parse(text: &str) -> Result<Expr, LogqlError> {
    let mut parser = Parser::new(text)?;
    let expr = parser.expr(1)?;
    parser.end()?;
    check::meaning(&expr)?;
    Ok(expr)
}

/// Reads a bare selector; `{}` selects everything.
///
/// # Errors
/// As [`parse`]; [`LogqlError::NotASelector`] for a pipeline or a metric query.
pub fn parse_selector(text: &str) -> Result<Selector, LogqlError> {
    let mut parser = Parser::new(text)?;
    match parser.expr(1)? {
        Expr::Metric(_) => Err(LogqlError::NotASelector { construct: "a metric query" }),
        Expr::Logs(logs) if !logs.stages.is_empty() => Err(LogqlError::NotASelector { construct: "a pipeline" }),
        Expr::Logs(logs) => {
            parser.end()?;
            check::matchers(&logs.selector)?;
            Ok(logs.selector)
        }
    }
}

pub(crate) struct Parser<'a> {
    query: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn new(query: &'a str) -> Result<Self, LogqlError> {
        Ok(Self { query, tokens: lexer::tokens(query)?, at: 0, depth: 0, operators: 0 })
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn peek_second(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |(token, _)| token)
    }

    /// Where the next word stands.
    fn here(&self) -> Span {
        self.tokens.get(self.at).map_or(Span::new(self.query.len(), self.query.len()), |(_, span)| *span)
    }

    /// From `start` to the end of the last word taken.
    fn place_from(&self, start: Span) -> Place {
        let last = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |(_, span)| *span);
        Place(start.to(last))
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len());
        token
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Keyword(found) if *found == keyword)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    fn eat_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), LogqlError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(&[symbol])) }
    }

    fn name(&mut self) -> Result<String, LogqlError> {
        match self.peek() {
            Token::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(&["identifier"])),
        }
    }

    fn text(&mut self) -> Result<String, LogqlError> {
        match self.peek() {
            Token::Text(text) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.unexpected(&["string"])),
        }
    }

    /// `(a, b)`, also `()`.
    fn names_in_brackets(&mut self) -> Result<Vec<String>, LogqlError> {
        self.expect("(")?;
        let mut names = Vec::new();
        if self.eat(")") {
            return Ok(names);
        }
        loop {
            names.push(self.name()?);
            if self.eat(")") {
                return Ok(names);
            }
            if !self.eat(",") {
                return Err(self.unexpected(&[",", ")"]));
            }
        }
    }

    fn end(&mut self) -> Result<(), LogqlError> {
        if *self.peek() == Token::End { Ok(()) } else { Err(self.unexpected(&[])) }
    }

    /// The next word isn't one of those that can stand here.
    fn unexpected(&self, expecting: &[&str]) -> LogqlError {
        let mut message = format!("syntax error: unexpected {}", self.peek().name());
        if !expecting.is_empty() {
            message.push_str(", expecting ");
            message.push_str(&expecting.join(" or "));
        }
        LogqlError::syntax(self.query, message, self.here())
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, LogqlError>) -> Result<T, LogqlError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("query nests too deep, allowed are {MAX_DEPTH} levels");
            return Err(LogqlError::syntax(self.query, message, self.here()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Counts one more operator.
    fn operator(&mut self) -> Result<(), LogqlError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("query has too many operators, allowed are {MAX_OPERATORS}");
            return Err(LogqlError::syntax(self.query, message, self.here()));
        }
        Ok(())
    }

    /// A selector with its pipeline.
    fn logs(&mut self) -> Result<LogExpr, LogqlError> {
        let start = self.here();
        let selector = self.selector()?;
        let stages = self.stages()?;
        Ok(LogExpr { selector, stages, place: self.place_from(start) })
    }

    /// An expression that has to answer numbers.
    fn metric(&mut self) -> Result<MetricExpr, LogqlError> {
        match self.expr(1)? {
            Expr::Metric(metric) => Ok(metric),
            Expr::Logs(logs) => {
                Err(LogqlError::syntax(self.query, "syntax error: unexpected log query, expecting metric query", logs.place.0))
            }
        }
    }
}
