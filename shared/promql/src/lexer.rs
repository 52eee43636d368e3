//! Queries to tokens. What a character means depends on the brackets around it.

mod literal;
mod number;

use icegate_syntax::{Cursor, Diagnostic, Span};

use crate::token::{Kind, Token, word};

/// Which brackets are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// None but round ones.
    Expression,
    /// `{…}`
    Matchers,
    /// `[…]`
    Range,
}

#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    query: &'a str,
    cursor: Cursor<'a>,
    inside: Inside,
    /// Open round brackets.
    round: usize,
    /// Inside a range: whether a colon, and whether a duration was there.
    colon: bool,
    duration: bool,
}

/// Symbols and operators outside of brackets, the longer first.
const OPERATORS: [&str; 17] = ["==", "!=", "<=", ">=", "</", ">/", "+", "-", "*", "/", "%", "^", "<", ">", "@", ",", "="];

impl<'a> Lexer<'a> {
    pub(crate) const fn new(query: &'a str) -> Self {
        let cursor = Cursor::new(query);
        Self { query, cursor, inside: Inside::Expression, round: 0, colon: false, duration: false }
    }

    /// All tokens up to the first error; the error comes where the parser gets there.
    pub(crate) fn tokens(mut self, limit: usize) -> (Vec<Token<'a>>, Option<Diagnostic>) {
        let mut tokens = Vec::new();
        loop {
            match self.next() {
                Ok(token) => {
                    tokens.push(token);
                    if token.kind == Kind::End {
                        return (tokens, None);
                    }
                }
                Err(error) => return (tokens, Some(error)),
            }
            if tokens.len() >= limit {
                let span = Span::new(self.cursor.offset(), self.cursor.offset());
                return (tokens, Some(Diagnostic::new(format!("query has more than {limit} tokens"), span)));
            }
        }
    }

    fn next(&mut self) -> Result<Token<'a>, Diagnostic> {
        self.skip_blank();
        match self.inside {
            Inside::Expression => self.in_expression(),
            Inside::Matchers => self.in_matchers(),
            Inside::Range => self.in_range(),
        }
    }

    fn skip_blank(&mut self) {
        loop {
            self.cursor.eat_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.cursor.peek() != Some('#') || self.inside != Inside::Expression {
                return;
            }
            self.cursor.eat_while(|c| c != '\n' && c != '\r');
        }
    }

    fn in_expression(&mut self) -> Result<Token<'a>, Diagnostic> {
        let start = self.cursor.offset();
        let Some(next) = self.cursor.peek() else {
            return if self.round > 0 { Err(self.error("unclosed left parenthesis")) } else { Ok(self.token(Kind::End, start)) };
        };
        match next {
            '(' | ')' => self.round_bracket(next),
            '{' => {
                self.inside = Inside::Matchers;
                Ok(self.symbol("{"))
            }
            '[' => {
                (self.inside, self.colon, self.duration) = (Inside::Range, false, false);
                Ok(self.symbol("["))
            }
            ']' => Err(self.error("unexpected right bracket ']'")),
            '"' | '\'' | '`' => self.text(),
            '0'..='9' | '.' if self.starts_number() => self.number(),
            ':' | '_' | 'a'..='z' | 'A'..='Z' => {
                let text = self.cursor.eat_while(|c| c == ':' || is_alphanumeric(c));
                Ok(self.token(word(text), start))
            }
            '=' | '!'
                if !self.cursor.rest()[1..].starts_with('=') && (next == '!' || self.cursor.rest()[1..].starts_with('~')) =>
            {
                let after = self.cursor.rest()[1..].chars().next();
                Err(self.error(format!("unexpected character after '{next}': {}", shown(after))))
            }
            _ => self.operator(next),
        }
    }

    fn operator(&mut self, next: char) -> Result<Token<'a>, Diagnostic> {
        for operator in OPERATORS {
            if self.cursor.rest().starts_with(operator) {
                let token = self.symbol(operator);
                let is_symbol = matches!(operator, "," | "=");
                return Ok(if is_symbol { token } else { Token { kind: Kind::Operator(operator), ..token } });
            }
        }
        Err(self.error(format!("unexpected character: {}", shown(Some(next)))))
    }

    fn round_bracket(&mut self, bracket: char) -> Result<Token<'a>, Diagnostic> {
        if bracket == '(' {
            self.round += 1;
            return Ok(self.symbol("("));
        }
        let token = self.symbol(")");
        if self.round == 0 {
            return Err(self.error("unexpected right parenthesis ')'"));
        }
        self.round -= 1;
        Ok(token)
    }

    fn in_matchers(&mut self) -> Result<Token<'a>, Diagnostic> {
        let start = self.cursor.offset();
        let Some(next) = self.cursor.peek() else { return Err(self.error("unexpected end of input inside braces")) };
        match next {
            '}' => {
                self.inside = Inside::Expression;
                Ok(self.symbol("}"))
            }
            ',' => Ok(self.symbol(",")),
            '"' | '\'' | '`' => self.text(),
            '_' | 'a'..='z' | 'A'..='Z' => {
                self.cursor.eat_while(is_alphanumeric);
                Ok(self.token(Kind::Name, start))
            }
            '=' if self.cursor.rest().starts_with("=~") => Ok(self.symbol("=~")),
            '=' => Ok(self.symbol("=")),
            '!' if self.cursor.rest().starts_with("!~") => Ok(self.symbol("!~")),
            '!' if self.cursor.rest().starts_with("!=") => Ok(self.symbol("!=")),
            '!' => {
                let after = self.cursor.rest()[1..].chars().next();
                Err(self.error(format!("unexpected character after '!' inside braces: {}", shown(after))))
            }
            '{' => Err(self.error("unexpected left brace '{'")),
            _ => Err(self.error(format!("unexpected character inside braces: {}", shown(Some(next))))),
        }
    }

    fn in_range(&mut self) -> Result<Token<'a>, Diagnostic> {
        let start = self.cursor.offset();
        let Some(next) = self.cursor.peek() else { return Err(self.error("unexpected end of input in duration expression")) };
        match next {
            ']' => {
                self.inside = Inside::Expression;
                Ok(self.symbol("]"))
            }
            ':' if !self.duration => Err(self.error("unexpected colon before duration in duration expression")),
            ':' if self.colon => Err(self.error("unexpected repeated colon in duration expression")),
            ':' => {
                self.colon = true;
                Ok(self.symbol(":"))
            }
            '(' | ')' => self.round_bracket(next),
            ',' => Ok(self.symbol(",")),
            '+' | '-' | '*' | '/' | '%' | '^' => self.operator(next),
            '0'..='9' | '.' if self.starts_number() => {
                self.duration = true;
                self.number()
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let text = self.cursor.clone().eat_while(is_alphanumeric);
                let lower = text.to_ascii_lowercase();
                match ["step", "range", "min_of", "max_of"].into_iter().find(|word| *word == lower) {
                    Some(word) => {
                        self.duration = true;
                        self.cursor.advance(text.len());
                        Ok(self.token(if word.contains('_') { Kind::Name } else { Kind::Keyword(word) }, start))
                    }
                    None if self.duration => {
                        Err(self.error(format!("unexpected character: {}, expected ':'", shown(Some(next)))))
                    }
                    None => Err(self.error(format!("unexpected character in duration expression: {}", shown(Some(next))))),
                }
            }
            _ => Err(self.error(format!("unexpected character in duration expression: {}", shown(Some(next))))),
        }
    }

    fn starts_number(&self) -> bool {
        let mut bytes = self.cursor.rest().bytes();
        let first = bytes.next();
        first.is_some_and(|byte| byte.is_ascii_digit())
            || first == Some(b'.') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
    }

    fn number(&mut self) -> Result<Token<'a>, Diagnostic> {
        let start = self.cursor.offset();
        let rest = self.cursor.rest();
        match number::scan(rest) {
            Ok((length, kind)) => {
                self.cursor.advance(length);
                Ok(self.token(kind, start))
            }
            Err(length) => Err(self.error(format!("bad number or duration syntax: {}", crate::text::quote(&rest[..length])))),
        }
    }

    fn text(&mut self) -> Result<Token<'a>, Diagnostic> {
        let start = self.cursor.offset();
        match literal::length(self.cursor.rest()) {
            Ok(length) => {
                self.cursor.advance(length);
                Ok(self.token(Kind::Text, start))
            }
            Err(problem) => Err(Diagnostic::new(problem.message, Span::new(start + problem.at, start + problem.at))),
        }
    }

    fn symbol(&mut self, symbol: &'static str) -> Token<'a> {
        let start = self.cursor.offset();
        self.cursor.advance(symbol.len());
        self.token(Kind::Symbol(symbol), start)
    }

    fn token(&self, kind: Kind, start: usize) -> Token<'a> {
        let span = self.cursor.span_from(start);
        Token { kind, text: self.query.get(span.start..span.end).unwrap_or_default(), span }
    }

    /// An error about the next character.
    fn error(&self, message: impl Into<String>) -> Diagnostic {
        let at = self.cursor.offset();
        Diagnostic::new(message, Span::new(at, at))
    }
}

pub(crate) use literal::unquote;
pub(crate) use number::value as number_value;

pub(crate) const fn is_alphanumeric(char: char) -> bool {
    char == '_' || char.is_ascii_alphanumeric()
}

/// A character as an error names it.
fn shown(char: Option<char>) -> String {
    match char {
        None => "'\u{fffd}'".to_owned(),
        Some('\'') => "'\\''".to_owned(),
        Some('"') => "'\"'".to_owned(),
        Some(char) => format!("'{}'", crate::text::quote(&char.to_string()).trim_matches('"')),
    }
}
