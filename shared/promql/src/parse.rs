//! Tokens to a syntax tree, by precedence.

mod aggregate;
mod binary;
mod duration;
mod modifier;
mod selector;

use icegate_syntax::{Diagnostic, Place, Span};

use crate::PromqlError;
use crate::ast::{Call, Expr, Number, Paren, TextLiteral, Unary};
use crate::lexer::{Lexer, number_value, unquote};
use crate::signature::lookup;
use crate::token::{Kind, Token};

/// Bytes of a query.
pub const MAX_QUERY_BYTES: usize = 1 << 20;
/// Tokens of a query.
const MAX_TOKENS: usize = 250_000;
/// How deep brackets, calls and signs may be nested in each other: reading them doesn't run out of stack.
pub const MAX_NESTING: usize = 100;
/// How many levels a tree may have, to which each operation of a chain adds one: no walk over it runs out of stack.
pub const MAX_DEPTH: usize = 256;

/// What has to be switched on to be read. The default is Prometheus' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseOptions {
    /// Functions and aggregations that may change.
    pub experimental_functions: bool,
    /// `[2m * 2]`
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`.
    pub binary_fill: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { experimental_functions: false, duration_expressions: true, extended_range_selectors: false, binary_fill: false }
    }
}

impl ParseOptions {
    /// Everything switched on.
    #[must_use]
    pub const fn all() -> Self {
        Self { experimental_functions: true, duration_expressions: true, extended_range_selectors: true, binary_fill: true }
    }
}

/// Reads a query and checks its types.
///
/// # Errors
/// [`PromqlError::Parse`] with the position, [`PromqlError::QueryTooLong`].
pub fn parse(query: &str, options: ParseOptions) -> Result<Expr, PromqlError> {
    let parsed = with_parser(query, options, |parser| {
        if parser.peek()?.kind == Kind::End {
            return Err(Diagnostic::new("no expression found in input", Span::new(0, 0)));
        }
        let (expr, _) = parser.expr(0, 0)?;
        parser.end()?;
        Ok(expr)
    })?;
    crate::check::check(parsed).map_err(|diagnostic| PromqlError::parse(query, diagnostic))
}

/// Reads an instant vector selector, as `match[]` has it; it may be without a condition that excludes the empty value.
///
/// # Errors
/// As [`parse`].
pub fn parse_selector(query: &str) -> Result<crate::ast::Selector, PromqlError> {
    with_parser(query, ParseOptions::default(), |parser| {
        let (expr, _) = parser.primary(0)?;
        parser.end()?;
        match expr {
            Expr::Selector(selector) => Ok(*selector),
            other => Err(Diagnostic::new("only a selector is allowed here", other.span())),
        }
    })
}

fn with_parser<T>(
    query: &str,
    options: ParseOptions,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, Diagnostic>,
) -> Result<T, PromqlError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(PromqlError::QueryTooLong { bytes: query.len(), limit: MAX_QUERY_BYTES });
    }
    let (tokens, problem) = Lexer::new(query).tokens(MAX_TOKENS);
    let mut parser = Parser { tokens, problem, at: 0, options, context: ("", "") };
    read(&mut parser).map_err(|diagnostic| PromqlError::parse(query, diagnostic))
}

/// An expression and how many levels it has.
type Parsed = Result<(Expr, usize), Diagnostic>;

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    /// What the lexer stumbled over behind the last token.
    problem: Option<Diagnostic>,
    at: usize,
    options: ParseOptions,
    /// Where the duration stands that is read, and what may stand there.
    context: (&'static str, &'static str),
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Result<Token<'a>, Diagnostic> {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> Result<Token<'a>, Diagnostic> {
        match self.tokens.get(self.at + count).or_else(|| self.tokens.last().filter(|token| token.kind == Kind::End)) {
            Some(token) => Ok(*token),
            None => Err(self.problem.clone().unwrap_or_else(|| Diagnostic::new("unexpected end of input", Span::default()))),
        }
    }

    fn next(&mut self) -> Result<Token<'a>, Diagnostic> {
        let token = self.peek()?;
        self.at += 1;
        Ok(token)
    }

    fn eat(&mut self, symbol: &str) -> Result<bool, Diagnostic> {
        let found = self.peek()?.is(symbol);
        self.at += usize::from(found);
        Ok(found)
    }

    fn eat_keyword(&mut self, word: &str) -> Result<bool, Diagnostic> {
        let found = self.peek()?.is_keyword(word);
        self.at += usize::from(found);
        Ok(found)
    }

    fn expect(&mut self, symbol: &str) -> Result<Token<'a>, Diagnostic> {
        let token = self.peek()?;
        if token.is(symbol) { self.next() } else { Err(unexpected(&token, "", "")) }
    }

    fn end(&self) -> Result<(), Diagnostic> {
        let token = self.peek()?;
        if token.kind == Kind::End { Ok(()) } else { Err(unexpected(&token, "", "")) }
    }

    /// The span of the last token that was taken.
    fn last_span(&self) -> Span {
        self.tokens.get(self.at.saturating_sub(1)).map_or_else(Span::default, |token| token.span)
    }

    /// An operand with its signs and modifiers.
    fn unary(&mut self, depth: usize) -> Parsed {
        let token = self.peek()?;
        if !token.is_operator("-") && !token.is_operator("+") {
            let (expr, levels) = self.primary(depth)?;
            return self.modifiers(expr, levels);
        }
        self.deeper(depth, &token)?;
        self.next()?;
        let negative = token.is_operator("-");
        let (expr, levels) = self.expr(binary::UNARY, depth + 1)?;
        Ok(match expr {
            Expr::Number(number) => {
                let value = if negative { -number.value } else { number.value };
                (Expr::Number(Number { value, place: Place(token.span.to(number.place.0)), ..number }), levels)
            }
            expr => (Expr::Unary(Box::new(Unary { negative, expr, place: Place(token.span) })), levels + 1),
        })
    }

    /// Whether something may be nested one deeper.
    fn deeper(&self, depth: usize, token: &Token<'_>) -> Result<(), Diagnostic> {
        within(depth, MAX_NESTING, token)
    }

    /// Whether a tree may have one more level.
    fn higher(&self, levels: usize, token: &Token<'_>) -> Result<(), Diagnostic> {
        within(levels, MAX_DEPTH, token)
    }

    fn primary(&mut self, depth: usize) -> Parsed {
        let token = self.peek()?;
        self.deeper(depth, &token)?;
        let is_called = |parser: &Self| parser.ahead(1).is_ok_and(|next| next.is("("));
        match token.kind {
            Kind::Number | Kind::Duration => Ok((Expr::Number(self.number()?), 1)),
            Kind::Text => {
                self.next()?;
                Ok((Expr::Text(TextLiteral { text: unquote(token.text), place: Place(token.span) }), 1))
            }
            Kind::Symbol("(") => self.paren(depth),
            Kind::Symbol("{") => Ok((Expr::Selector(Box::new(self.selector(None)?)), 1)),
            Kind::Aggregation(op) if self.is_aggregated() => self.aggregate(op, depth),
            Kind::Name if is_called(self) => self.call(depth),
            Kind::Keyword("start" | "end" | "step" | "range") if is_called(self) => self.call(depth),
            Kind::Name
            | Kind::MetricName
            | Kind::Aggregation(_)
            | Kind::WordOperator("and" | "or" | "unless")
            | Kind::Keyword(
                "by" | "without" | "offset" | "start" | "end" | "step" | "range" | "anchored" | "smoothed" | "fill" | "fill_left"
                | "fill_right",
            ) => {
                let name = self.next()?;
                Ok((Expr::Selector(Box::new(self.selector(Some(name))?)), 1))
            }
            _ => Err(unexpected(&token, "", "")),
        }
    }

    fn paren(&mut self, depth: usize) -> Parsed {
        let start = self.expect("(")?.span;
        let (expr, levels) = self.expr(0, depth + 1)?;
        let end = self.expect(")")?.span;
        Ok((Expr::Paren(Box::new(Paren { expr, place: Place(start.to(end)) })), levels + 1))
    }

    fn call(&mut self, depth: usize) -> Parsed {
        let name = self.next()?;
        let (args, levels) = self.arguments(depth)?;
        let is_word = matches!(name.kind, Kind::Keyword(_));
        let lower = name.text.to_ascii_lowercase();
        let function = lookup(if is_word { &lower } else { name.text })
            .ok_or_else(|| Diagnostic::new(format!("unknown function with name {:?}", name.text), name.span))?;
        if function.is_experimental && !self.options.experimental_functions {
            return Err(Diagnostic::new(format!("function {:?} is not enabled", name.text), name.span));
        }
        Ok((Expr::Call(Call { function, args, place: Place(name.span.to(self.last_span())) }), levels + 1))
    }

    /// What stands in round brackets, and the levels of the deepest.
    fn arguments(&mut self, depth: usize) -> Result<(Vec<Expr>, usize), Diagnostic> {
        self.expect("(")?;
        let (mut args, mut levels) = (Vec::new(), 0);
        if self.eat(")")? {
            return Ok((args, levels));
        }
        loop {
            let (arg, own) = self.expr(0, depth + 1)?;
            args.push(arg);
            levels = levels.max(own);
            let token = self.next()?;
            if token.is(")") {
                return Ok((args, levels));
            }
            if !token.is(",") {
                return Err(unexpected(&token, "", ""));
            }
            if self.peek()?.is(")") {
                return Err(Diagnostic::new("trailing commas not allowed in function call args", token.span));
            }
        }
    }

    /// A number or a duration.
    fn number(&mut self) -> Result<Number, Diagnostic> {
        let token = self.next()?;
        let at = |message| Diagnostic::new(message, token.span);
        let place = Place(token.span);
        #[allow(clippy::cast_precision_loss, reason = "a duration is below 2^53 ms")]
        match token.kind {
            Kind::Duration => {
                let millis = crate::duration::parse(token.text).map_err(at)?;
                Ok(Number { value: millis as f64 / 1000.0, is_duration: true, place })
            }
            _ => Ok(Number { value: number_value(token.text).map_err(at)?, is_duration: false, place }),
        }
    }
}

fn within(levels: usize, limit: usize, token: &Token<'_>) -> Result<(), Diagnostic> {
    if levels < limit {
        return Ok(());
    }
    Err(Diagnostic::new(format!("query is nested more than {limit} levels deep"), token.span))
}

/// What an unexpected token is called, where, and what should stand there.
fn unexpected(token: &Token<'_>, context: &str, expected: &str) -> Diagnostic {
    let mut message = format!("unexpected {}", token.description());
    if !context.is_empty() {
        message = format!("{message} in {context}");
    }
    if !expected.is_empty() {
        message = format!("{message}, expected {expected}");
    }
    Diagnostic::new(message, token.span)
}
