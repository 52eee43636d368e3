//! Texts with holes: `<name>` and `<_>`, of the `pattern` stage and of the line filters `|>` and `!>`.

use memchr::memmem;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `<name>`, or `_` for a hole without one.
    Capture(String),
    /// Text that stands there.
    Text(String),
}

/// Splits a pattern; what is no hole is text.
pub(crate) fn parts(pattern: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('<').and_then(|inner| inner.split_once('>')).map(|(name, _)| name);
        if let Some(name) = inner.filter(|name| is_name(name)) {
            parts.push(Part::Capture(name.to_owned()));
            rest = &rest[name.len() + 2..];
            continue;
        }
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let length = rest[first..].find('<').map_or(rest.len(), |next| next + first);
        let text = &rest[..length];
        match parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => parts.push(Part::Text(text.to_owned())),
        }
        rest = &rest[length..];
    }
    parts
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the whole line is the texts in order, with at least one character in each hole.
pub(crate) fn fits(parts: &[Part], line: &str) -> bool {
    let mut rest = line.as_bytes();
    let mut hole = false;
    for (index, part) in parts.iter().enumerate() {
        let text = match part {
            Part::Capture(_) => {
                hole = true;
                continue;
            }
            Part::Text(text) => text.as_bytes(),
        };
        let is_last = index + 1 == parts.len();
        let at = match (hole, is_last) {
            (false, _) => rest.starts_with(text).then_some(0),
            (true, true) => (rest.len() > text.len() && rest.ends_with(text)).then(|| rest.len() - text.len()),
            (true, false) => rest.get(1..).and_then(|rest| memmem::find(rest, text)).map(|at| at + 1),
        };
        let Some(at) = at else { return false };
        rest = &rest[at + text.len()..];
        hole = false;
    }
    if hole { !rest.is_empty() } else { rest.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_split_in_texts_and_holes() {
        let hole = |name: &str| Part::Capture(name.to_owned());
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(parts("<a> b<_>"), [hole("a"), text(" b"), hole("_")]);
        assert_eq!(parts("<1> <é> < <x"), [text("<1> <é> < <x")]);
        assert_eq!(parts("<foo <bar>"), [text("<foo "), hole("bar")]);
    }

    #[test]
    fn a_line_fits_as_a_whole_with_something_in_each_hole() {
        for (pattern, line, expected) in [
            ("<_> job=<_> queue=q1 <_>", "x job=1 queue=q1 y", true),
            ("<_> job=<_>", " job=1", false),
            ("job=<_>", "job=", false),
            ("<_>a", "xaxa", true),
            ("a<_>", "ba", false),
            ("<_>", "", false),
            ("", "", true),
            ("", "x", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a<_>b<_>c", "a1b2c", true),
            ("a<_>b<_>c", "ab2c", false),
        ] {
            assert_eq!(fits(&parts(pattern), line), expected, "{pattern} {line}");
        }
    }
}
