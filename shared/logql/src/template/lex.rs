use std::str::FromStr;

use icegate_syntax::text;

use super::number;
use super::tree::Place;
use super::value::Value;

/// A word inside `{{…}}`.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// A function or keyword.
    Name(String),
    /// `.a`, several in a row apart.
    Field(String),
    /// `.`
    Dot,
    /// `$`, `$x`
    Variable(String),
    Value(Value),
    /// `|`, `(`, `)`, `,`, `:=`, `=`
    Symbol(&'static str),
}

/// A word, where it stands, and whether a blank stands before it.
#[derive(Clone, Debug)]
pub(crate) struct Spaced {
    pub(crate) word: Word,
    pub(crate) place: Place,
    pub(crate) after_blank: bool,
}

/// What a template is made of.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Action(Vec<Spaced>, Place),
}

/// Why a template can't be read.
#[derive(Debug)]
pub(crate) struct ParseError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl ParseError {
    pub(crate) fn at(place: Place, message: impl Into<String>) -> Self {
        Self { line: place.line, message: message.into() }
    }
}

/// Splits a template in texts and actions; `{{-` and `-}}` trim the texts beside them, comments fall out.
pub(crate) fn pieces(template: &str) -> Result<Vec<Piece>, ParseError> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    let position = |at: usize| {
        let before = template.get(..at).unwrap_or(template);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place { line: before.matches('\n').count() + 1, column: at - line_start }
    };
    while let Some(open) = template[at..].find("{{").map(|open| at + open) {
        let mut start = open + 2;
        let trims = template[start..].starts_with('-') && template[start + 1..].starts_with([' ', '\t', '\r', '\n']);
        push_text(&mut pieces, &template[at..open], trim_next, trims);
        start += usize::from(trims);
        let place = position(open);
        let rest = template[start..].trim_start();
        if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.find("*/").ok_or_else(|| ParseError::at(place, "unclosed comment"))?;
            let after = &comment[end + 2..];
            let closed = after.trim_start();
            trim_next = closed.starts_with("-}}");
            let Some(rest) = closed.strip_prefix("-}}").or_else(|| after.strip_prefix("}}")) else {
                return Err(ParseError::at(place, "comment ends before closing delimiter"));
            };
            at = template.len() - rest.len();
            continue;
        }
        let mut lexer = Lexer { template, at: start, position: &position };
        let (words, trims) = lexer.action(place)?;
        at = lexer.at;
        trim_next = trims;
        pieces.push(Piece::Action(words, place));
    }
    push_text(&mut pieces, &template[at..], trim_next, false);
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

struct Lexer<'a, P> {
    template: &'a str,
    at: usize,
    position: &'a P,
}

impl<P: Fn(usize) -> Place> Lexer<'_, P> {
    /// Words up to `}}`, and whether it trims.
    fn action(&mut self, open: Place) -> Result<(Vec<Spaced>, bool), ParseError> {
        let mut words = Vec::new();
        loop {
            let rest = &self.template[self.at..];
            let blank = rest.len() - rest.trim_start().len();
            let after_blank = blank > 0;
            let rest = &rest[blank..];
            self.at += blank;
            if after_blank && rest.starts_with("-}}") {
                self.at += 3;
                return Ok((words, true));
            }
            if rest.starts_with("}}") {
                self.at += 2;
                return Ok((words, false));
            }
            if rest.is_empty() {
                return Err(ParseError::at(open, "unclosed action"));
            }
            let place = (self.position)(self.at);
            let (word, length) = word(rest).map_err(|message| ParseError::at(place, message))?;
            self.at += length;
            words.push(Spaced { word, place, after_blank });
        }
    }
}

/// The word that `text` starts with, and its length.
fn word(text: &str) -> Result<(Word, usize), String> {
    let name_length = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let first = text.chars().next().unwrap_or_default();
    match first {
        '"' | '`' => {
            let (value, length) = text::read(text).map_err(|error| error.to_string())?;
            Ok((Word::Value(Value::owned(value)), length))
        }
        '\'' => character(text),
        '.' if text[1..].starts_with(|c: char| c.is_ascii_digit()) => number(text),
        '.' => match name_length(&text[1..]) {
            0 => Ok((Word::Dot, 1)),
            length => Ok((Word::Field(text[1..=length].to_owned()), length + 1)),
        },
        '$' => {
            let length = 1 + name_length(&text[1..]);
            Ok((Word::Variable(text[..length].to_owned()), length))
        }
        '0'..='9' | '+' | '-' => number(text),
        _ if first == '_' || first.is_alphabetic() => {
            let length = name_length(text);
            Ok((Word::Name(text[..length].to_owned()), length))
        }
        _ => {
            let symbol = [":=", "=", "|", "(", ")", ","].into_iter().find(|symbol| text.starts_with(symbol));
            symbol.map(|symbol| (Word::Symbol(symbol), symbol.len())).ok_or_else(|| format!("unexpected {first:?} in command"))
        }
    }
}

fn number(text: &str) -> Result<(Word, usize), String> {
    let mut length = 1;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(length) {
        let sign = matches!(byte, b'+' | b'-') && matches!(bytes[length - 1], b'e' | b'E') && !text.starts_with("0x");
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign) {
            break;
        }
        length += 1;
    }
    let digits = text[..length].replace('_', "");
    let value = number::integer(&digits).map(Value::Int).or_else(|| f64::from_str(&digits).ok().map(Value::Float));
    let value = value.filter(|_| digits.contains(|c: char| c.is_ascii_digit()));
    value.map(|value| (Word::Value(value), length)).ok_or_else(|| format!("bad number syntax: {:?}", &text[..length]))
}

/// `'a'`, which is a number.
fn character(text: &str) -> Result<(Word, usize), String> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '\'' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let (end, _) = end.ok_or("unterminated character constant")?;
    let inner = text[1..end].replace("\\'", "'");
    let quoted = format!("\"{}\"", if inner == "\"" { "\\\"" } else { &inner });
    let (value, _) = text::read(&quoted).map_err(|error| error.to_string())?;
    let mut chars = value.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Ok((Word::Value(Value::Int(i64::from(u32::from(char)))), end + 1)),
        _ => Err("malformed character constant".to_owned()),
    }
}
