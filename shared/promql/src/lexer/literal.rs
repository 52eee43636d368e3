use crate::text::Text;

/// What is wrong with a string literal, and at which of its bytes.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) at: usize,
}

/// How many bytes the literal takes that `text` starts with.
pub(super) fn length(text: &str) -> Result<usize, Problem> {
    let at_start = |message: &str| Problem { message: message.to_owned(), at: 0 };
    if let Some(raw) = text.strip_prefix('`') {
        return raw.find('`').map(|length| length + 2).ok_or_else(|| at_start("unterminated raw string"));
    }
    let mut rest = &text[1..];
    loop {
        match rest.chars().next() {
            None | Some('\n') => return Err(at_start("unterminated quoted string")),
            Some('\\') => {
                let (_, length) = escape(rest, text.as_bytes()[0]).map_err(|message| at_start(&message))?;
                rest = &rest[length..];
            }
            Some(char) => {
                rest = &rest[char.len_utf8()..];
                if text.starts_with(char) {
                    return Ok(text.len() - rest.len());
                }
            }
        }
    }
}

/// What a literal says that [`length`] found.
pub(crate) fn unquote(literal: &str) -> Text {
    if let Some(raw) = literal.strip_prefix('`') {
        return Text::from(raw.trim_end_matches('`'));
    }
    let mut rest = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(char) = rest.chars().next() {
        let spelt = if char == '\\' { escape(rest, literal.as_bytes()[0]).ok() } else { None };
        let length = match spelt {
            Some((Escaped::Byte(byte), length)) => {
                bytes.push(byte);
                length
            }
            Some((Escaped::Char(char), length)) => {
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                length
            }
            None => {
                bytes.extend_from_slice(&rest.as_bytes()[..char.len_utf8()]);
                char.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Text::from_bytes(bytes)
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// Reads the escape that `text` starts with: what it stands for, and its length.
fn escape(text: &str, quote: u8) -> Result<(Escaped, usize), String> {
    let Some(kind) = text[1..].chars().next() else { return Err("escape sequence not terminated".to_owned()) };
    let simple = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        _ if u32::from(kind) == u32::from(quote) => quote,
        '0'..='7' => return number(text, 1, 3, 8, 255),
        'x' => return number(text, 2, 2, 16, 255),
        'u' => return number(text, 2, 4, 16, 0x0010_ffff),
        'U' => return number(text, 2, 8, 16, 0x0010_ffff),
        _ => return Err(format!("unknown escape sequence {}", named(kind))),
    };
    Ok((Escaped::Byte(simple), 2))
}

fn number(text: &str, from: usize, length: usize, radix: u32, max: u32) -> Result<(Escaped, usize), String> {
    let mut value = 0_u32;
    let mut chars = text[from..].chars();
    for _ in 0..length {
        let char = chars.next().ok_or("escape sequence not terminated")?;
        let digit = char.to_digit(radix).ok_or_else(|| format!("illegal character {} in escape sequence", named(char)))?;
        value = value.saturating_mul(radix).saturating_add(digit);
    }
    let invalid = || "escape sequence is an invalid Unicode code point".to_owned();
    let escaped = match u8::try_from(value) {
        _ if value > max => return Err(invalid()),
        Ok(byte) if max == 255 => Escaped::Byte(byte),
        _ => Escaped::Char(char::from_u32(value).ok_or_else(invalid)?),
    };
    Ok((escaped, from + length))
}

/// A character with its number.
fn named(char: char) -> String {
    format!("U+{:04X} '{char}'", u32::from(char))
}
