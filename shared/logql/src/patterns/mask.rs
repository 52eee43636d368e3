/// Stands for what varies; no text of a line has it, since words that do are replaced.
const VARIES: char = '\0';
/// The mask of lines that have nothing in common.
pub(super) const ANY: &str = "\0";
/// Words of a mask; behind them all is one that varies.
const MAX_WORDS: usize = 128;
/// Bytes of a mask, likewise.
const MAX_BYTES: usize = 4_096;

/// Whether words end here. `<` and `>` don't end them: in a pattern they are part of what varies.
fn separates(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | ',' | ';' | ':' | '=' | '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '|')
}

/// A part of a line: a word, or what stands between words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Word(&'a str),
    Between(&'a str),
}

/// The parts of a line or mask, in order.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let separates_first = separates(rest.chars().next()?);
        let length = rest.find(|char| separates(char) != separates_first).unwrap_or(rest.len());
        let (part, after) = rest.split_at(length);
        rest = after;
        Some(if separates_first { Part::Between(part) } else { Part::Word(part) })
    })
}

/// The line with a NUL in place of each word that has a digit, or that a pattern can't hold.
pub(super) fn mask(line: &str) -> String {
    let mut mask = String::with_capacity(line.len().min(MAX_BYTES));
    let mut words = 0;
    for part in parts(line) {
        let (Part::Word(text) | Part::Between(text)) = part;
        words += usize::from(matches!(part, Part::Word(_)));
        if words > MAX_WORDS || mask.len() + text.len() > MAX_BYTES {
            push(&mut mask, ANY);
            break;
        }
        let varies =
            matches!(part, Part::Word(word) if word.contains(|c: char| c.is_ascii_digit() || matches!(c, '<' | '>' | VARIES)));
        push(&mut mask, if varies { ANY } else { text });
    }
    mask
}

/// Adds a part; two that vary side by side are one.
fn push(mask: &mut String, text: &str) {
    if text != ANY || !mask.ends_with(VARIES) {
        mask.push_str(text);
    }
}

/// The pattern of a mask.
pub(super) fn shown(mask: &str) -> String {
    mask.replace(VARIES, super::ANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_digits_vary_and_what_stands_between_words_stays() {
        for (line, pattern) in [
            ("GET /api/v1/cart took 15ms, status=200", "GET <_> took <_>, status=<_>"),
            (r#"{"level":"info","n":5,"msg":"card declined"}"#, r#"{"level":"info","n":<_>,"msg":"card declined"}"#),
            ("user <bob> logged in", "user <_> logged in"),
            ("a <_><_> b", "a <_> b"),
            ("1\u{0}", "<_>"),
            ("", ""),
            ("  ", "  "),
            ("日本 42", "日本 <_>"),
        ] {
            assert_eq!(shown(&mask(line)), pattern, "{line:?}");
        }
    }

    #[test]
    fn long_lines_end_in_one_part_that_varies() {
        let words = "word ".repeat(1_000);
        assert_eq!(shown(&mask(&words)), format!("{}<_>", "word ".repeat(MAX_WORDS)));
        assert_eq!(shown(&mask(&"x".repeat(10_000))), "<_>");
    }
}
