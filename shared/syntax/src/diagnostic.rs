use std::fmt;

use crate::Span;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Line and column of a byte offset, both from 1; a column is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
}

impl Position {
    /// The position of the byte at `offset`; one after the last character where the text ends before it.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Diagnostic {
    /// A message about a part of a text.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span }
    }

    /// Where it starts in `text`.
    #[must_use]
    pub fn position(&self, text: &str) -> Position {
        Position::of(text, self.span.start)
    }

    /// Position, message, the line concerned and carets below the part concerned.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let position = self.position(text);
        let line = text.lines().nth(position.line - 1).unwrap_or_default();
        let part = text.get(self.span.start..self.span.end).and_then(|part| part.lines().next()).unwrap_or_default();
        let left = " ".repeat(position.column - 1);
        let carets = "^".repeat(part.chars().count().max(1));
        format!("{position}: {}\n  {line}\n  {left}{carets}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_below_the_part_even_after_wide_characters_and_newlines() {
        let text = "é\n日本 bad rest";
        let start = text.find("bad").unwrap_or_default();
        let rendered = Diagnostic::new("no", Span::new(start, start + 3)).render(text);
        assert_eq!(rendered, "2:4: no\n  日本 bad rest\n     ^^^");
    }

    #[test]
    fn a_place_at_the_end_gets_one_caret() {
        assert_eq!(Diagnostic::new("unexpected end", Span::new(2, 2)).render("{a"), "1:3: unexpected end\n  {a\n    ^");
    }
}
