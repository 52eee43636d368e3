//! String literals in Go's manner: `"…"` with escapes, and raw `` `…` ``.

use std::fmt::Write as _;

/// Why a string literal can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// The closing quote is missing.
    #[error("literal not terminated")]
    Unterminated,
    /// An escape that isn't one, at this byte of the literal.
    #[error("invalid char escape")]
    Escape(usize),
}

/// Reads the literal that `text` starts with: what it says, and how many bytes it takes.
///
/// # Errors
/// [`InvalidText`]; also where `text` starts with neither `"` nor `` ` ``.
pub fn read(text: &str) -> Result<(String, usize), InvalidText> {
    if let Some(raw) = text.strip_prefix('`') {
        let length = raw.find('`').ok_or(InvalidText::Unterminated)?;
        return Ok((raw[..length].replace('\r', ""), length + 2));
    }
    let quoted = text.strip_prefix('"').ok_or(InvalidText::Unterminated)?;
    // Escapes can spell single bytes of a character, so bytes are gathered first.
    let mut bytes = Vec::new();
    let mut rest = quoted;
    loop {
        let next = rest.chars().next().ok_or(InvalidText::Unterminated)?;
        let at = text.len() - rest.len();
        match next {
            '"' => return Ok((String::from_utf8_lossy(&bytes).into_owned(), at + 1)),
            '\n' => return Err(InvalidText::Unterminated),
            '\\' => rest = &rest[escape(rest, &mut bytes).ok_or(InvalidText::Escape(at))?..],
            _ => {
                bytes.extend_from_slice(&rest.as_bytes()[..next.len_utf8()]);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
}

/// Reads the escape that `text` starts with; gives its length.
fn escape(text: &str, into: &mut Vec<u8>) -> Option<usize> {
    let kind = text.as_bytes().get(1)?;
    let simple = match kind {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'"' => b'"',
        b'x' => return digits(text, 2, 2, 16).and_then(|value| u8::try_from(value).ok()).map(|byte| push(into, &[byte], 4)),
        b'0'..=b'7' => {
            return digits(text, 1, 3, 8).and_then(|value| u8::try_from(value).ok()).map(|byte| push(into, &[byte], 4));
        }
        b'u' | b'U' => {
            let length = if *kind == b'u' { 4 } else { 8 };
            let char = char::from_u32(digits(text, 2, length, 16)?)?;
            return Some(push(into, char.encode_utf8(&mut [0; 4]).as_bytes(), 2 + length));
        }
        _ => return None,
    };
    Some(push(into, &[simple], 2))
}

fn push(into: &mut Vec<u8>, bytes: &[u8], length: usize) -> usize {
    into.extend_from_slice(bytes);
    length
}

fn digits(text: &str, from: usize, length: usize, radix: u32) -> Option<u32> {
    let digits = text.get(from..from + length)?;
    if digits.chars().all(|digit| digit.is_digit(radix)) { u32::from_str_radix(digits, radix).ok() } else { None }
}

/// Writes `text` as a `"…"` literal that reads back equal.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // Writing to a string can't fail.
            _ if char.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(char)),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_read_as_in_go() {
        let (text, length) = read(r#""a\x41\u00e9\U0001F389\101\n\"" rest"#).unwrap();
        assert_eq!((text.as_str(), length), ("aAé🎉A\n\"", 31));
        assert_eq!(read("`a\\n\nb` x").unwrap(), ("a\\n\nb".to_owned(), 7));
        assert_eq!(read(r#""\d""#), Err(InvalidText::Escape(1)));
        assert_eq!(read(r#""\u12""#), Err(InvalidText::Escape(1)));
        assert_eq!(read("\"abc"), Err(InvalidText::Unterminated));
        assert_eq!(read("\"a\nb\""), Err(InvalidText::Unterminated));
        assert_eq!(read("'a'"), Err(InvalidText::Unterminated));
    }

    proptest! {
        #[test]
        fn quoted_text_reads_back_equal(text in "\\PC*|[\\x00-\\x7f]*") {
            let quoted = quote(&text);
            prop_assert_eq!(read(&quoted).unwrap(), (text, quoted.len()));
        }

        #[test]
        fn reading_any_text_never_panics(text in "[\"`\\\\xuU0-7é\n]*") {
            let _ = read(&text);
        }
    }
}
