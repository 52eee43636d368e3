//! Loki's `detected_level` of a log record.

use std::borrow::Cow;

use icegate_schema::{LEVEL_LABELS, label_name};

use crate::line;

/// The level of a record that doesn't tell one.
const UNKNOWN: &str = "unknown";
/// A label of this name is the level already.
const DETECTED_LEVEL: &str = "detected_level";
/// Where the record's own severity text stands among them: it is metadata of that name.
const SEVERITY_TEXT: usize = 11;

/// The best candidate so far; a lower rank is better, of equal ranks the first one given stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidate<'a>(Option<(usize, Cow<'a, str>)>);

impl<'a> Candidate<'a> {
    /// Considers an attribute under its Loki name; its text is asked for only where the name is a level's.
    pub(crate) fn attribute(&mut self, key: &str, value: impl FnOnce() -> Option<Cow<'a, str>>) {
        if let Some(rank) = rank(key)
            && self.0.as_ref().is_none_or(|(best, _)| rank < *best)
            && let Some(value) = value()
        {
            self.offer(rank, value);
        }
    }

    /// Considers the record's severity text.
    pub(crate) fn severity_text(&mut self, text: &'a str) {
        self.offer(SEVERITY_TEXT + 1, Cow::Borrowed(text));
    }

    /// Considers what another candidate found.
    pub(crate) fn or(&mut self, other: &'a Candidate<'_>) {
        if let Some((rank, value)) = &other.0 {
            self.offer(*rank, Cow::Borrowed(value));
        }
    }

    /// Gives way to what labels found, whatever their names; only a level under its own name stays.
    pub(crate) fn behind(&mut self, labels: &'a Candidate<'_>) {
        if let Some((rank, value)) = &labels.0
            && self.0.as_ref().is_none_or(|(own, _)| *own > 0 || *rank == 0)
        {
            self.0 = Some((*rank, Cow::Borrowed(value)));
        }
    }

    /// Loki drops labels without a value, so an empty one doesn't count.
    fn offer(&mut self, rank: usize, value: Cow<'a, str>) {
        if !value.is_empty() && self.0.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.0 = Some((rank, value));
        }
    }

    /// The level: the candidate's, else by severity number, else from the line.
    pub(crate) fn level(self, severity_number: i32, line: Option<&str>) -> Cow<'a, str> {
        if let Some((_, value)) = self.0 {
            return normalised(&value).map_or(value, Cow::Borrowed);
        }
        Cow::Borrowed(match severity_number {
            0 => line.and_then(of_line).unwrap_or(UNKNOWN),
            number => of_number(number),
        })
    }
}

/// Whether an attribute of that key can hold a level; where its name stands among them.
fn rank(key: &str) -> Option<usize> {
    if !matches!(key.as_bytes().first(), Some(b'l' | b'L' | b's' | b'S' | b'd')) {
        return None;
    }
    let name = label_name(key);
    if name == DETECTED_LEVEL {
        return Some(0);
    }
    LEVEL_LABELS.iter().position(|level| *level == name).map(|rank| rank + 1)
}

fn of_number(number: i32) -> &'static str {
    match number {
        i32::MIN..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        25.. => UNKNOWN,
    }
}

fn of_line(line: &str) -> Option<&'static str> {
    let named = if line::is_json(line) {
        line::json_level(line)
    } else if line.contains('=') {
        line::logfmt_level(line)
    } else {
        None
    };
    named.as_deref().and_then(normalised).or_else(|| line::word_level(line))
}

/// The level that a word names, in its usual spellings and abbreviations; `None` for any other word.
pub(crate) fn normalised(text: &str) -> Option<&'static str> {
    const LONGEST: usize = "information".len();
    let mut lower = [0_u8; LONGEST];
    let lower = lower.get_mut(..text.len())?;
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"trace" | b"trc" => "trace",
        b"debug" | b"dbg" => "debug",
        b"info" | b"inf" | b"information" => "info",
        b"warn" | b"wrn" | b"warning" => "warn",
        b"error" | b"err" => "error",
        b"critical" | b"crit" => "critical",
        b"fatal" => "fatal",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(attributes: &[(&str, &str)], text: &str, number: i32, line: &str) -> String {
        let mut candidate = Candidate::default();
        for (key, value) in attributes {
            candidate.attribute(key, || Some(Cow::Borrowed(*value)));
        }
        candidate.severity_text(text);
        candidate.level(number, Some(line)).into_owned()
    }

    #[test]
    fn an_attribute_wins_over_severity_number_and_line() {
        assert_eq!(level(&[("level", "WARNING")], "", 9, "error"), "warn");
        assert_eq!(level(&[("level", "custom")], "", 9, "error"), "custom");
        assert_eq!(level(&[("lvl", "dbg"), ("severity", "Information")], "", 0, ""), "info");
        assert_eq!(level(&[("severity.text", "fatal")], "", 0, ""), "fatal");
        assert_eq!(level(&[("level", "info"), ("detected_level", "ERR")], "", 0, ""), "error");
    }

    #[test]
    fn an_empty_attribute_does_not_count() {
        assert_eq!(level(&[("level", "")], "", 17, ""), "error");
    }

    #[test]
    fn the_dotted_name_counts_in_lines_only() {
        assert_eq!(level(&[("log.level", "error")], "", 0, ""), "unknown");
        assert_eq!(level(&[], "", 0, r#"{"log.level":"error"}"#), "error");
    }

    #[test]
    fn severity_text_comes_before_severity_number() {
        assert_eq!(level(&[], "Notice", 17, ""), "Notice");
        assert_eq!(level(&[("level", "info")], "ERROR", 17, ""), "info");
    }

    #[test]
    fn severity_numbers_map_in_fours() {
        for (number, expected) in
            [(1, "trace"), (4, "trace"), (5, "debug"), (9, "info"), (16, "warn"), (17, "error"), (24, "fatal"), (25, "unknown")]
        {
            assert_eq!(level(&[], "", number, "error"), expected);
        }
    }

    #[test]
    fn lines_tell_their_level_as_json_logfmt_or_word() {
        for (line, expected) in [
            (r#"{"a":{"level":"err"},"level":"info"}"#, "error"),
            (r#"{"a":{"b":{"level":"odd"}}}"#, "unknown"),
            (r#"{"level":7,"lvl":"wrn"}"#, "warn"),
            (r#"{"level":"odd","msg":"a warning"}"#, "warn"),
            (r#"{"level":"debug", broken}"#, "debug"),
            ("lvl=info level=debug", "debug"),
            ("ts=1 LeVeL=\"crit\\\"\" error", "critical"),
            ("a=b severity=\"FATAL\"", "fatal"),
            ("[ERROR] no trace of it", "error"),
            ("terror errors", "unknown"),
            ("errors and an error", "error"),
            ("CRITICAL: disk", "critical"),
            ("", "unknown"),
        ] {
            assert_eq!(level(&[], "", 0, line), expected, "{line}");
        }
    }
}
