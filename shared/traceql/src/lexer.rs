use icegate_syntax::text::{self, InvalidText};
use icegate_syntax::{Cursor, Span, duration, number};

use crate::ast::{Field, Intrinsic, Scope, ends_name};
use crate::token::{self, SYMBOLS, Token};
use crate::{TraceqlError, Value};

/// Bytes in the longest query.
pub(crate) const MAX_QUERY_BYTES: usize = 131_072;

/// Splits a query into words; the last one is [`Token::End`].
pub(crate) fn tokens(query: &str) -> Result<Vec<(Token, Span)>, TraceqlError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(TraceqlError::QueryTooLong { bytes: query.len(), limit: MAX_QUERY_BYTES });
    }
    let mut lexer = Lexer { query, cursor: Cursor::new(query) };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let start = lexer.cursor.offset();
        let token = lexer.next()?;
        let span = lexer.cursor.span_from(start);
        let last = token == Token::End;
        tokens.push((token, span));
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    query: &'a str,
    cursor: Cursor<'a>,
}

impl Lexer<'_> {
    /// White space and comments, `// …` and `/* … */`.
    fn skip_blank(&mut self) -> Result<(), TraceqlError> {
        loop {
            self.cursor.eat_while(char::is_whitespace);
            let start = self.cursor.offset();
            if self.cursor.eat("//") {
                self.cursor.eat_while(|c| c != '\n');
            } else if self.cursor.eat("/*") {
                let rest = self.cursor.rest();
                let Some(length) = rest.find("*/") else {
                    return Err(self.error("comment not terminated", Span::new(start, start + 2)));
                };
                self.cursor.advance(length + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Token, TraceqlError> {
        let Some(first) = self.cursor.peek() else { return Ok(Token::End) };
        let digit_follows = || self.cursor.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        match first {
            '"' | '`' => self.text(),
            '0'..='9' => self.number(),
            '.' if digit_follows() => self.number(),
            '.' => {
                self.cursor.bump();
                Ok(Token::Field(Field::attribute(None, self.attribute_name()?)))
            }
            _ if first == '_' || first.is_ascii_alphabetic() => self.word(),
            _ => self.symbol(first),
        }
    }

    fn error(&self, message: impl Into<String>, span: Span) -> TraceqlError {
        TraceqlError::syntax(self.query, message, span)
    }

    fn text(&mut self) -> Result<Token, TraceqlError> {
        let start = self.cursor.offset();
        match text::read(self.cursor.rest()) {
            Ok((value, length)) => {
                self.cursor.advance(length);
                Ok(Token::Value(Value::text(value)))
            }
            Err(error @ InvalidText::Escape(at)) => {
                Err(self.error(error.to_string(), Span::new(start + at, (start + at + 2).min(self.query.len()))))
            }
            Err(error @ InvalidText::Unterminated) => Err(self.error(error.to_string(), Span::new(start, self.query.len()))),
        }
    }

    fn number(&mut self) -> Result<Token, TraceqlError> {
        let start = self.cursor.offset();
        let rest = self.cursor.rest();
        let digits = number::length(rest);
        let word = Cursor::new(rest).eat_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | 'µ'));
        if digits < word.len() {
            self.cursor.advance(word.len());
            return match duration::go(word).or_else(|| duration::prometheus(word)) {
                Some(nanos) => Ok(Token::Value(Value::Duration(nanos))),
                None => Err(self.error(format!("not a number or duration: {word}"), self.cursor.span_from(start))),
            };
        }
        self.cursor.advance(digits);
        let text = &rest[..digits];
        let value = if text.contains(['.', 'e', 'E']) {
            number::literal(text).map(Value::Float)
        } else {
            number::literal(text).and_then(|_| text.replace('_', "").parse().ok()).map(Value::Int)
        };
        value.map(Token::Value).ok_or_else(|| self.error(format!("number out of range: {text}"), self.cursor.span_from(start)))
    }

    /// A bare word, or one that a scope and `.` or `:` make a field.
    fn word(&mut self) -> Result<Token, TraceqlError> {
        let start = self.cursor.offset();
        let word = self.cursor.eat_while(|c| c == '_' || c.is_ascii_alphanumeric());
        let scope = token::scope(word);
        if (scope.is_some() || word == "parent") && self.cursor.eat(".") {
            let name = self.attribute_name()?;
            return Ok(scope.map_or(Token::Parent, |scope| Token::Field(Field::attribute(Some(scope), name))));
        }
        if (scope.is_some_and(|scope| scope != Scope::Resource) || word == "trace") && self.cursor.eat(":") {
            self.cursor.eat_while(|c| c == '_' || c.is_ascii_alphanumeric());
            let span = self.cursor.span_from(start);
            let name = &self.query[span.start..span.end];
            return match Intrinsic::named(name) {
                Some((intrinsic, _)) => Ok(Token::Field(Field::Intrinsic(intrinsic, true))),
                None => Err(self.error(format!("unknown identifier: {name}"), span)),
            };
        }
        if word == "parent" {
            return Ok(Token::Parent);
        }
        Ok(Token::Word(word.to_owned()))
    }

    /// The name behind a scope's point. Parts of it may be quoted, with `\"` and `\\` inside.
    fn attribute_name(&mut self) -> Result<String, TraceqlError> {
        let start = self.cursor.offset();
        let mut name = String::new();
        while let Some(next) = self.cursor.peek() {
            if next == '"' {
                self.quoted_part(&mut name)?;
            } else if ends_name(next) {
                break;
            } else {
                name.push(next);
                self.cursor.bump();
            }
        }
        if self.cursor.offset() == start {
            let end = start + self.cursor.peek().map_or(0, char::len_utf8);
            return Err(self.error("attribute without a name", Span::new(start, end)));
        }
        Ok(name)
    }

    fn quoted_part(&mut self, name: &mut String) -> Result<(), TraceqlError> {
        let start = self.cursor.offset();
        self.cursor.bump();
        loop {
            let at = self.cursor.offset();
            match self.cursor.bump() {
                Some('"') => return Ok(()),
                Some('\\') => match self.cursor.bump() {
                    Some(escaped @ ('"' | '\\')) => name.push(escaped),
                    _ => return Err(self.error("invalid char escape in the name of an attribute", self.cursor.span_from(at))),
                },
                Some(other) => name.push(other),
                None => return Err(self.error("name of an attribute not terminated", Span::new(start, self.query.len()))),
            }
        }
    }

    fn symbol(&mut self, first: char) -> Result<Token, TraceqlError> {
        for symbol in SYMBOLS {
            if self.cursor.eat(symbol) {
                return Ok(Token::Symbol(symbol));
            }
        }
        let start = self.cursor.offset();
        self.cursor.bump();
        Err(self.error(format!("unexpected character {first:?}"), self.cursor.span_from(start)))
    }
}
