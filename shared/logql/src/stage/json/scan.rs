use std::borrow::Cow;

/// What a value that isn't an object is.
#[derive(Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// A text, escapes resolved.
    Text(Cow<'a, str>),
    /// A number, `true`, `false` or `null`, as written.
    Bare(&'a str),
    /// An array or object, as written.
    Block(&'a str),
}

const OBJECT: &str = "Value looks like object, but can't find closing '}' symbol";
const ARRAY: &str = "Value is array, but can't find closing ']' symbol";
const TEXT: &str = "Value looks like string, but can't find closing '\"' symbol";
const UNKNOWN: &str = "Unknown value type";
const JSON: &str = "Malformed JSON error";

/// Reads JSON from left to right, as little as it can. Errors are what users of the `json` stage know.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that isn't blank, left where it is.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    pub(crate) fn is_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    pub(crate) fn is_array(&mut self) -> bool {
        self.peek() == Some(b'[')
    }

    /// Takes `{`.
    pub(crate) fn open_object(&mut self) -> Result<(), &'static str> {
        if !self.is_object() {
            return Err(OBJECT);
        }
        self.at += 1;
        if self.peek().is_none() { Err(JSON) } else { Ok(()) }
    }

    /// Takes a key and its colon; `None`, and `}` taken, at the end of the object.
    pub(crate) fn key(&mut self) -> Result<Option<Cow<'a, str>>, &'static str> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b'"') => {}
            _ => return Err(OBJECT),
        }
        let key = self.string().ok_or(JSON)?;
        if self.peek() != Some(b':') {
            return Err(JSON);
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Takes the comma after a value, or stands before the end of the object.
    pub(crate) fn after_value(&mut self) -> Result<(), &'static str> {
        match self.peek() {
            Some(b'}') => Ok(()),
            Some(b',') => {
                self.at += 1;
                if self.peek().is_none() { Err(ARRAY) } else { Ok(()) }
            }
            Some(_) => Err(OBJECT),
            None => Err(ARRAY),
        }
    }

    /// Takes `[`, or the comma before an element; `None`, and `]` taken, at the end of the array.
    pub(crate) fn element(&mut self) -> Result<Option<()>, &'static str> {
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                Ok(None)
            }
            Some(b'[' | b',') => {
                self.at += 1;
                if self.peek() == Some(b']') {
                    self.at += 1;
                    return Ok(None);
                }
                Ok(Some(()))
            }
            _ => Err(ARRAY),
        }
    }

    /// Takes a value.
    pub(crate) fn value(&mut self) -> Result<Token<'a>, &'static str> {
        match self.peek() {
            Some(b'"') => self.string().map(Token::Text).ok_or(TEXT),
            Some(b'{') => self.block(b'{', b'}').map(Token::Block).ok_or(OBJECT),
            Some(b'[') => self.block(b'[', b']').map(Token::Block).ok_or(ARRAY),
            Some(first) => self.bare(first),
            None => Err(JSON),
        }
    }

    /// Passes over a value.
    pub(crate) fn skip(&mut self) -> Result<(), &'static str> {
        if self.peek() == Some(b'"') {
            let length = string_length(&self.text.as_bytes()[self.at..]).ok_or(TEXT)?;
            self.at += length;
            return Ok(());
        }
        self.value().map(|_| ())
    }

    fn bare(&mut self, first: u8) -> Result<Token<'a>, &'static str> {
        let rest = &self.text[self.at..];
        let length = rest.find([' ', '\n', '\r', '\t', ',', '}', ']']).unwrap_or(rest.len());
        let word = &rest[..length];
        let is_known = match first {
            b't' | b'f' => word == "true" || word == "false",
            b'n' => word == "null",
            _ => first.is_ascii_digit() || first == b'-',
        };
        self.at += length;
        if is_known { Ok(Token::Bare(word)) } else { Err(UNKNOWN) }
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = &self.text[self.at..];
        let length = string_length(rest.as_bytes())?;
        self.at += length;
        let raw = &rest[1..length - 1];
        Some(if raw.contains('\\') { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) })
    }

    /// Takes a block to the bracket that closes it; brackets in texts don't count.
    fn block(&mut self, open: u8, close: u8) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            match *byte {
                b'"' => {
                    at += string_length(&bytes[at..])?;
                    continue;
                }
                byte if byte == open => depth += 1,
                byte if byte == close => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = at + 1;
                        return self.text.get(start..=at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// Bytes of the text in quotes that `bytes` start with.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Resolves escapes; what is none stays as it is.
pub(crate) fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, length) = escape(rest).unwrap_or(('\\', 1));
        text.push(char);
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// The character of the escape that `text` starts with, and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let char = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'\'' => '\'',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((char, 2))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| u16::from_str_radix(text.get(from..from + 4).filter(|digits| !digits.starts_with('+'))?, 16).ok();
    let first = unit(2)?;
    if let Some(char) = char::from_u32(u32::from(first)) {
        return Some((char, 6));
    }
    let second = text.get(6..8).filter(|start| *start == "\\u").and_then(|_| unit(8));
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    Some(pair.map_or((char::REPLACEMENT_CHARACTER, 6), |char| (char, 12)))
}
