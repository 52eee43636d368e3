//! `| logfmt`: pairs of keys and values.

use std::borrow::Cow;

use super::extract::{Extract, Wanted, push_name};
use super::json::{Scanner, Token};
use crate::LogqlError;
use crate::ast::Extraction;
use crate::rows::{Names, RowLabels};

/// What a line leaves that isn't logfmt, where that is asked for.
const MALFORMED: &str = "LogfmtParserErr";

/// `| logfmt`, ready to run.
#[derive(Debug)]
pub(crate) struct Logfmt {
    strict: bool,
    keep_empty: bool,
    /// Labels and the keys that they are read from; none for all keys.
    keys: Vec<(String, String)>,
    pub(super) wanted: Wanted,
}

impl Logfmt {
    pub(crate) fn new(
        (strict, keep_empty): (bool, bool),
        extractions: &[Extraction],
        wanted: Wanted,
        span: icegate_syntax::Span,
    ) -> Result<Self, LogqlError> {
        let key = |one: &Extraction| {
            let key = one.path.trim();
            if key.is_empty() || key.contains(|c: char| !(c.is_alphanumeric() || c == '_')) {
                return Err(LogqlError::meaning(format!("cannot parse expression [{}]: it is no key", one.path), span));
            }
            Ok((one.label.clone(), key.to_owned()))
        };
        Ok(Self { strict, keep_empty, keys: extractions.iter().map(key).collect::<Result<_, _>>()?, wanted })
    }

    pub(crate) fn parse(&self, line: &str, labels: &mut RowLabels, names: &mut Names) {
        if self.wanted.is_nothing() {
            return;
        }
        let mut extract = Extract::new(labels, names, &self.wanted);
        if self.keys.is_empty() { self.all(line, &mut extract) } else { self.some(line, &mut extract) }
    }

    fn all(&self, line: &str, extract: &mut Extract<'_>) {
        let mut name = String::new();
        for pair in (Pairs { line, at: 0 }) {
            match pair {
                Err(error) if self.strict => return extract.fail(MALFORMED, || error.to_string()),
                Err(_) => {}
                Ok((_, value)) if value.is_empty() && !self.keep_empty => {}
                Ok((key, value)) => {
                    name.clear();
                    push_name(&mut name, key);
                    if !extract.take(&name, &value) {
                        return;
                    }
                }
            }
        }
    }

    fn some(&self, line: &str, extract: &mut Extract<'_>) {
        let mut values: Vec<Option<Cow<'_, str>>> = vec![None; self.keys.len()];
        let mut failed = false;
        for pair in (Pairs { line, at: 0 }) {
            match pair {
                Err(error) if self.strict => {
                    extract.fail(MALFORMED, || error.to_string());
                    failed = true;
                    break;
                }
                Err(_) => {}
                Ok((key, value)) => {
                    let places = self.keys.iter().enumerate().filter(|(_, (_, wanted))| wanted == key);
                    for (place, _) in places {
                        values[place].get_or_insert_with(|| value.clone());
                    }
                }
            }
        }
        for ((label, _), value) in self.keys.iter().zip(values) {
            // What an error hid isn't known to be missing.
            if (value.is_some() || !failed) && !extract.take(label, &value.unwrap_or_default()) {
                return;
            }
        }
    }
}

/// Takes all pairs of a line that have a value.
pub(crate) fn all(line: &str, labels: &mut RowLabels, names: &mut Names) {
    let parser = Logfmt { strict: false, keep_empty: false, keys: Vec::new(), wanted: Wanted::All };
    parser.parse(line, labels, names);
}

/// Why a pair can't be read, and where.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Malformed {
    #[error("logfmt syntax error at pos {at} : unexpected {found:?}")]
    Unexpected { at: usize, found: char },
    #[error("logfmt syntax error at pos {at} : unterminated quoted value")]
    Unterminated { at: usize },
}

/// Pairs of a line; after a bad one it goes on behind the next blank.
struct Pairs<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a str, Cow<'a, str>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.at += run(&self.line[self.at..], |byte| byte <= b' ');
        if self.at >= self.line.len() {
            return None;
        }
        let pair = self.pair();
        if pair.is_err() {
            self.at += run(&self.line[self.at..], |byte| byte > b' ');
        }
        Some(pair)
    }
}

/// How many bytes `text` starts with that fit; where it doesn't end, a character ends there.
fn run(text: &str, fits: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !fits(byte)).unwrap_or(text.len())
}

impl<'a> Pairs<'a> {
    fn pair(&mut self) -> Result<(&'a str, Cow<'a, str>), Malformed> {
        let start = self.at;
        self.at += run(&self.line[self.at..], |byte| byte > b' ' && byte != b'=' && byte != b'"');
        let key = &self.line[start..self.at];
        match self.byte() {
            Some(b'"') => return Err(self.unexpected('"')),
            Some(b'=') if key.is_empty() => return Err(self.unexpected('=')),
            Some(b'=') => self.at += 1,
            _ => return Ok((key, Cow::Borrowed(""))),
        }
        Ok((key, if self.byte() == Some(b'"') { self.quoted()? } else { self.bare()? }))
    }

    fn byte(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    const fn unexpected(&self, found: char) -> Malformed {
        Malformed::Unexpected { at: self.at + 1, found }
    }

    fn bare(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        self.at += run(&self.line[self.at..], |byte| byte > b' ' && byte != b'=' && byte != b'"');
        match self.byte() {
            Some(b'=') => Err(self.unexpected('=')),
            Some(b'"') => Err(self.unexpected('"')),
            _ => Ok(Cow::Borrowed(&self.line[start..self.at])),
        }
    }

    fn quoted(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let rest = &self.line[self.at..];
        let length = quoted_length(rest);
        if let Some(length) = length
            && let Ok(Token::Text(value)) = Scanner::new(&rest[..length]).value()
        {
            self.at += length;
            return Ok(value);
        }
        self.at = self.line.len();
        Err(Malformed::Unterminated { at: self.at + 1 })
    }
}

/// Bytes of the text in quotes that `text` starts with.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    fn parsed((strict, keep_empty): (bool, bool), keys: &[(&str, &str)], line: &str) -> String {
        let extraction = |(label, path): &(&str, &str)| Extraction { label: (*label).to_owned(), path: (*path).to_owned() };
        let keys: Vec<_> = keys.iter().map(extraction).collect();
        let parser = Logfmt::new((strict, keep_empty), &keys, Wanted::All, icegate_syntax::Span::default()).unwrap();
        let mut labels = RowLabels::new(Labels::empty());
        parser.parse(line, &mut labels, &mut Names::default());
        labels.parsed_labels().to_string()
    }

    #[test]
    fn pairs_become_labels_and_bad_ones_are_passed_over() {
        for (line, labels) in [
            (r#"a=1 b="x \"y\"\tz" c= d a=2 1e=3"#, r#"{_1e="3", a="1", b="x \"y\"\tz"}"#),
            (r#"a=b=c d=1 =x e"f=2 g=3"#, r#"{d="1", g="3"}"#),
            (r#"a=1 b="open c=2"#, r#"{a="1"}"#),
            ("é=ü x.y=1", r#"{_="ü", x_y="1"}"#),
            ("", "{}"),
        ] {
            assert_eq!(parsed((false, false), &[], line), labels, "{line}");
        }
    }

    #[test]
    fn flags_keep_empty_values_and_report_bad_pairs() {
        assert_eq!(parsed((false, true), &[], "a= b c=1"), r#"{a="", b="", c="1"}"#);
        assert_eq!(
            parsed((true, false), &[], "a=1 b==2 c=3"),
            r#"{__error__="LogfmtParserErr", __error_details__="logfmt syntax error at pos 7 : unexpected '='", a="1"}"#
        );
    }

    #[test]
    fn keys_asked_for_are_always_there() {
        let keys = [("x", "a"), ("y", "no"), ("z", "a")];
        assert_eq!(parsed((false, false), &keys, "a=1 a=2"), r#"{x="1", y="", z="1"}"#);
        let failed = parsed((true, false), &keys, "a=1 b==");
        assert!(failed.contains(r#"x="1", z="1"}"#), "{failed}");
    }
}
