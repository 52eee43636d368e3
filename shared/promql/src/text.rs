use std::fmt;

/// What a string literal says: bytes, since escapes can spell what isn't UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The text, where it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The text, with `U+FFFD` for what isn't UTF-8.
    #[must_use]
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// As a literal that reads back equal.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().try_for_each(|char| quoted(char, f))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn quoted(char: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match char {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{7}' => f.write_str("\\a"),
        '\u{8}' => f.write_str("\\b"),
        '\u{c}' => f.write_str("\\f"),
        '\u{b}' => f.write_str("\\v"),
        _ if u32::from(char) < 0x20 || char == '\u{7f}' => write!(f, "\\x{:02x}", u32::from(char)),
        _ if is_hidden(char) && u32::from(char) > 0xffff => write!(f, "\\U{:08x}", u32::from(char)),
        _ if is_hidden(char) => write!(f, "\\u{:04x}", u32::from(char)),
        _ => fmt::Write::write_char(f, char),
    }
}

/// Characters that a reader can't see: spaces other than the plain one, and what `Debug` of the standard library escapes.
fn is_hidden(char: char) -> bool {
    !char.is_ascii() && (char.is_whitespace() || char.is_control() || char.escape_debug().len() > 1)
}

/// A string as a literal that reads back equal.
pub(crate) fn quote(text: &str) -> String {
    Text::from(text).to_string()
}
