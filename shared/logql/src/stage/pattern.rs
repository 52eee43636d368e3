//! `| pattern "<a> …"`: what stands between texts.

use icegate_syntax::Span;

use super::extract::{Extract, Wanted};
use super::line_pattern::{Part, parts};
use crate::LogqlError;
use crate::rows::{Names, RowLabels};

/// `| pattern`, ready to run.
#[derive(Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    pub(super) wanted: Wanted,
}

impl Pattern {
    pub(crate) fn new(pattern: &str, wanted: Wanted, span: Span) -> Result<Self, LogqlError> {
        let parts = parts(pattern);
        let mut names: Vec<_> =
            parts.iter().filter_map(|part| if let Part::Capture(name) = part { Some(name) } else { None }).collect();
        names.retain(|name| *name != "_");
        let captures = names.len();
        names.sort_unstable();
        names.dedup();
        let problem = if has_adjacent_captures(&parts) {
            "found consecutive captures"
        } else if captures == 0 {
            "at least one capture is required"
        } else if names.len() < captures {
            "duplicate capture name"
        } else {
            return Ok(Self { parts, wanted });
        };
        Err(LogqlError::meaning(format!("invalid pattern parser: {problem}"), span))
    }

    /// Takes captures from the left as far as texts are found; the one before a text that isn't takes the rest of the line.
    pub(crate) fn parse(&self, line: &str, labels: &mut RowLabels, names: &mut Names) {
        if self.wanted.is_nothing() || line.is_empty() {
            return;
        }
        let mut extract = Extract::new(labels, names, &self.wanted);
        let mut rest = line;
        let mut parts = self.parts.iter().peekable();
        if let Some(Part::Text(text)) = parts.next_if(|part| matches!(part, Part::Text(_))) {
            let Some(after) = rest.strip_prefix(text.as_str()) else { return };
            rest = after;
        }
        while let Some(part) = parts.next() {
            let Part::Capture(name) = part else { continue };
            let found = match parts.next() {
                Some(Part::Text(text)) => rest.split_once(text.as_str()),
                _ => None,
            };
            let (value, after) = found.unwrap_or((rest, ""));
            if name != "_" && !value.is_empty() && !extract.take(name, value) {
                return;
            }
            if found.is_none() {
                return;
            }
            rest = after;
        }
    }
}

/// Whether two holes stand next to each other, so that nothing says where one ends.
pub(crate) fn has_adjacent_captures(parts: &[Part]) -> bool {
    parts.windows(2).any(|pair| matches!(pair, [Part::Capture(_), Part::Capture(_)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use icegate_series::Labels;

    fn parsed(pattern: &str, line: &str) -> String {
        let mut labels = RowLabels::new(Labels::empty());
        Pattern::new(pattern, Wanted::All, Span::default()).unwrap().parse(line, &mut labels, &mut Names::default());
        labels.parsed_labels().to_string()
    }

    #[test]
    fn captures_are_what_stands_between_texts() {
        for (pattern, line, labels) in [
            ("<ip> - <_> [<at>]", "1.2.3.4 - bob [now] tail", r#"{at="now", ip="1.2.3.4"}"#),
            ("<path>?<_>", "/a/b", r#"{path="/a/b"}"#),
            ("foo <f>", "bar", "{}"),
            ("<a> <b>", "x y z", r#"{a="x", b="y z"}"#),
            ("<a>x<b>", "xy", r#"{b="y"}"#),
            ("<a>,<b>,<c>", "1,2", r#"{a="1", b="2"}"#),
        ] {
            assert_eq!(parsed(pattern, line), labels, "{pattern} {line}");
        }
    }
}
