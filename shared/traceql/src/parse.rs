//! Text to tree, by recursive descent.

mod field_expr;
mod lenient;
mod metrics;
mod pipeline;
mod scalar;

use icegate_syntax::{Place, Span};

pub use lenient::parse_filter_leniently;

use crate::ast::{Expr, Field, FieldExpr, Intrinsic, Pipeline, Query, SpansetExpr, Stage};
use crate::token::Token;
use crate::{TraceqlError, Value, check, lexer};

/// How deep brackets and right-hand sides may nest.
const MAX_DEPTH: usize = 64;
/// How many operators and stages a query may have.
const MAX_OPERATORS: usize = 256;

/// Reads a query and checks what its text alone decides.
///
/// # Errors
/// [`TraceqlError::Syntax`], [`TraceqlError::Meaning`], [`TraceqlError::Unsupported`], [`TraceqlError::QueryTooLong`].
pub fn parse(text: &str) -> Result<Query, TraceqlError> {
    let mut parser = Parser::new(text)?;
    let expr = if parser.is_metrics() { Expr::Metrics(parser.metrics()?) } else { Expr::Search(parser.pipeline()?) };
    let hints = parser.hints()?;
    parser.end()?;
    let query = Query { expr, hints };
    check::query(text, &query)?;
    Ok(query)
}

/// Reads one spanset filter, `{ … }`.
///
/// # Errors
/// As [`parse`]; [`TraceqlError::NotAFilter`] for any other query.
pub fn parse_filter(text: &str) -> Result<FieldExpr, TraceqlError> {
    let Expr::Search(Pipeline { mut stages }) = parse(text)?.expr else {
        return Err(TraceqlError::NotAFilter { found: "a metrics query" });
    };
    match (stages.pop(), stages.is_empty()) {
        (Some(Stage::Spanset(SpansetExpr::Filter(filter))), true) => Ok(filter),
        (_, true) => Err(TraceqlError::NotAFilter { found: "an operation on spansets" }),
        _ => Err(TraceqlError::NotAFilter { found: "a pipeline" }),
    }
}

/// Reads the name of an attribute or intrinsic, as `by(…)` has it.
///
/// # Errors
/// [`TraceqlError::Syntax`], [`TraceqlError::Unsupported`].
pub fn parse_field(text: &str) -> Result<Field, TraceqlError> {
    let mut parser = Parser::new(text)?;
    let field = parser.field()?;
    parser.end()?;
    Ok(field)
}

pub(crate) struct Parser<'a> {
    query: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn new(query: &'a str) -> Result<Self, TraceqlError> {
        Ok(Self { query, tokens: lexer::tokens(query)?, at: 0, depth: 0, operators: 0 })
    }

    fn peek(&self) -> &Token {
        self.peek_ahead(0)
    }

    fn peek_ahead(&self, by: usize) -> &Token {
        self.tokens.get(self.at + by).map_or(&Token::End, |(token, _)| token)
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

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), TraceqlError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(&[symbol])) }
    }

    /// Whether the next words are `word (`.
    fn calls(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word) && matches!(self.peek_ahead(1), Token::Symbol("("))
    }

    /// The next operator, if it is one of `all`.
    fn operator_of<T: Copy>(&self, all: &[T], symbol: impl Fn(T) -> &'static str) -> Option<T> {
        let Token::Symbol(found) = self.peek() else { return None };
        all.iter().copied().find(|op| symbol(*op) == *found)
    }

    /// An attribute or intrinsic.
    fn field(&mut self) -> Result<Field, TraceqlError> {
        let field = match self.peek() {
            Token::Field(field) => field.clone(),
            Token::Parent => return Err(TraceqlError::unsupported("parent", self.here())),
            Token::Word(word) => match Intrinsic::named(word) {
                Some((intrinsic, scoped)) => Field::Intrinsic(intrinsic, scoped),
                None => return Err(self.unknown(word)),
            },
            _ => return Err(self.unexpected(&["attribute"])),
        };
        self.at += 1;
        Ok(field)
    }

    /// `a, b)` behind its opening bracket.
    fn fields(&mut self) -> Result<Vec<Field>, TraceqlError> {
        let mut fields = vec![self.field()?];
        while self.eat(",") {
            self.operator()?;
            fields.push(self.field()?);
        }
        if self.eat(")") { Ok(fields) } else { Err(self.unexpected(&[",", ")"])) }
    }

    /// `with (name = value, …)`, or nothing.
    fn hints(&mut self) -> Result<Vec<(String, Value)>, TraceqlError> {
        let mut hints = Vec::new();
        if !self.calls("with") {
            return Ok(hints);
        }
        self.at += 2;
        loop {
            let Token::Word(name) = self.peek() else { return Err(self.unexpected(&["name of a hint"])) };
            let name = name.clone();
            self.at += 1;
            self.expect("=")?;
            hints.push((name, self.hint_value()?));
            if self.eat(")") {
                return Ok(hints);
            }
            if !self.eat(",") {
                return Err(self.unexpected(&[",", ")"]));
            }
        }
    }

    fn hint_value(&mut self) -> Result<Value, TraceqlError> {
        let negative = self.eat("-");
        let value = match self.literal() {
            Some(Value::Int(value)) if negative => Value::Int(-value),
            Some(Value::Float(value)) if negative => Value::Float(-value),
            Some(Value::Duration(value)) if negative => Value::Duration(-value),
            Some(value) if !negative => value,
            _ => return Err(self.unexpected(&["value"])),
        };
        self.at += 1;
        Ok(value)
    }

    fn end(&self) -> Result<(), TraceqlError> {
        if *self.peek() == Token::End { Ok(()) } else { Err(self.unexpected(&[])) }
    }

    fn unknown(&self, word: &str) -> TraceqlError {
        TraceqlError::syntax(self.query, format!("unknown identifier: {word}"), self.here())
    }

    /// The next word isn't one of those that can stand here.
    fn unexpected(&self, expecting: &[&str]) -> TraceqlError {
        let mut message = format!("syntax error: unexpected {}", self.peek().name());
        if !expecting.is_empty() {
            message.push_str(", expecting ");
            message.push_str(&expecting.join(" or "));
        }
        TraceqlError::syntax(self.query, message, self.here())
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, TraceqlError>) -> Result<T, TraceqlError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("query nests too deep, allowed are {MAX_DEPTH} levels");
            return Err(TraceqlError::syntax(self.query, message, self.here()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Counts one more operator or stage.
    fn operator(&mut self) -> Result<(), TraceqlError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("query has too many operators and stages, allowed are {MAX_OPERATORS}");
            return Err(TraceqlError::syntax(self.query, message, self.here()));
        }
        Ok(())
    }
}
