//! `| decolorize`: a line without what only terminals understand.

use std::borrow::Cow;

/// Takes out escape sequences: `ESC [ … letter`, `ESC ] … BEL`, and `ESC` with one character.
pub(crate) fn decolorize(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = &rest[sequence(rest)..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Bytes of the sequence behind ESC; none where it isn't one.
fn sequence(text: &str) -> usize {
    let parameters = |text: &str| text.bytes().take_while(|byte| (0x20..0x40).contains(byte)).count();
    match text.as_bytes().first() {
        Some(b'[') => {
            let length = 1 + parameters(&text[1..]);
            length + text[length..].chars().next().filter(char::is_ascii).map_or(0, |_| 1)
        }
        Some(b']') => text.find('\u{7}').map_or(1, |end| end + 1),
        Some(byte) if byte.is_ascii_graphic() => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::decolorize;

    #[test]
    fn sequences_go_and_text_stays() {
        for (line, plain) in [
            ("plain é", "plain é"),
            ("\u{1b}[0;32mgreen\u{1b}[0m \u{1b}[1mé\u{1b}[K", "green é"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}é", "aé"),
        ] {
            assert_eq!(decolorize(line), plain, "{line:?}");
        }
    }
}
