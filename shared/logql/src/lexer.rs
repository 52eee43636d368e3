use icegate_syntax::text::{self, InvalidText};
use icegate_syntax::{Cursor, Span, bytes, duration, number};

use crate::LogqlError;
use crate::token::{FLAGS, FUNCTIONS, KEYWORDS, SYMBOLS, Token};

/// Bytes in the longest query.
pub(crate) const MAX_QUERY_BYTES: usize = 131_071;

/// Splits a query into words; the last one is [`Token::End`].
pub(crate) fn tokens(query: &str) -> Result<Vec<(Token, Span)>, LogqlError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(LogqlError::QueryTooLong { bytes: query.len(), limit: MAX_QUERY_BYTES });
    }
    let mut lexer = Lexer { query, cursor: Cursor::new(query) };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
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
    fn skip_blank(&mut self) {
        loop {
            self.cursor.eat_while(char::is_whitespace);
            if !self.cursor.eat("#") {
                return;
            }
            self.cursor.eat_while(|c| c != '\n');
        }
    }

    fn next(&mut self) -> Result<Token, LogqlError> {
        let Some(first) = self.cursor.peek() else { return Ok(Token::End) };
        match first {
            '"' | '`' => self.text(),
            '[' => self.range(),
            '0'..='9' => self.number(),
            '.' if self.cursor.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '-' if self.cursor.rest()[1..].strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic)) => {
                self.flag()
            }
            _ if first == '_' || first.is_alphabetic() => Ok(self.word()),
            _ => self.symbol(first),
        }
    }

    fn error(&self, message: impl Into<String>, span: Span) -> LogqlError {
        LogqlError::syntax(self.query, message, span)
    }

    fn text(&mut self) -> Result<Token, LogqlError> {
        let start = self.cursor.offset();
        match text::read(self.cursor.rest()) {
            Ok((value, length)) => {
                self.cursor.advance(length);
                Ok(Token::Text(value))
            }
            Err(InvalidText::Escape(at)) => {
                Err(self.error(InvalidText::Escape(at).to_string(), Span::new(start + at, start + at + 2)))
            }
            Err(InvalidText::Unterminated) => {
                Err(self.error(InvalidText::Unterminated.to_string(), Span::new(start, self.query.len())))
            }
        }
    }

    fn range(&mut self) -> Result<Token, LogqlError> {
        let start = self.cursor.offset();
        self.cursor.bump();
        let inner = self.cursor.eat_while(|c| c != ']');
        if !self.cursor.eat("]") {
            return Err(self.error("range without ]", self.cursor.span_from(start)));
        }
        match duration::prometheus(inner.trim()) {
            Some(nanos) => Ok(Token::Range(nanos)),
            None => Err(self.error(format!("not a valid duration string: {inner:?}"), self.cursor.span_from(start))),
        }
    }

    fn number(&mut self) -> Result<Token, LogqlError> {
        let start = self.cursor.offset();
        let rest = self.cursor.rest();
        let word = Cursor::new(rest).eat_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let digits = number::length(rest);
        if let Some(value) = number::hexadecimal(word) {
            self.cursor.advance(word.len());
            return Ok(Token::Number(value));
        }
        if digits < word.len() {
            if let Some(nanos) = duration::prometheus(word).or_else(|| duration::go(word)) {
                self.cursor.advance(word.len());
                return Ok(Token::Duration(nanos));
            }
            if let Some(size) = bytes::literal(word) {
                self.cursor.advance(word.len());
                return Ok(Token::Bytes(size));
            }
            let radix = word.starts_with('0') && word[1..].starts_with(['x', 'X', 'b', 'B', 'o', 'O']);
            if radix || word[digits..].starts_with(['e', 'E']) {
                return Err(self.error(format!("not a decimal number: {word:?}"), Span::new(start, start + word.len())));
            }
        }
        self.cursor.advance(digits);
        match number::literal(&rest[..digits]) {
            Some(value) => Ok(Token::Number(value)),
            None => Err(self.error(format!("not a decimal number: {:?}", &rest[..digits]), self.cursor.span_from(start))),
        }
    }

    fn flag(&mut self) -> Result<Token, LogqlError> {
        let start = self.cursor.offset();
        let word = self.cursor.eat_while(|c| c == '-' || c.is_alphanumeric());
        match FLAGS.iter().find(|flag| **flag == word) {
            Some(flag) => Ok(Token::Flag(flag)),
            None => {
                Err(self
                    .error(format!("unexpected flag {word}, expecting --strict or --keep-empty"), self.cursor.span_from(start)))
            }
        }
    }

    fn word(&mut self) -> Token {
        let word = self.cursor.eat_while(|c| c == '_' || c.is_alphanumeric());
        let lower = word.to_ascii_lowercase();
        if let Some(keyword) = KEYWORDS.iter().find(|keyword| **keyword == lower) {
            return Token::Keyword(keyword);
        }
        match FUNCTIONS.iter().find(|function| **function == lower) {
            Some(function) if self.is_called() => Token::Function(function),
            _ => Token::Name(word.to_owned()),
        }
    }

    /// Whether `(`, or a grouping and its `(`, follows.
    fn is_called(&self) -> bool {
        let mut ahead = Lexer { query: self.query, cursor: self.cursor.clone() };
        ahead.skip_blank();
        if ahead.cursor.peek() == Some('(') {
            return true;
        }
        let word = ahead.cursor.eat_while(char::is_alphabetic).to_ascii_lowercase();
        ahead.skip_blank();
        (word == "by" || word == "without") && ahead.cursor.peek() == Some('(')
    }

    fn symbol(&mut self, first: char) -> Result<Token, LogqlError> {
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
