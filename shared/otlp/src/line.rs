//! Levels that stand in a log line itself, as Loki looks for them.

use std::borrow::Cow;
use std::fmt;

use icegate_schema::LEVEL_LABELS;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::level::normalised;

/// Objects inside each other that are searched.
const JSON_DEPTH: usize = 2;

/// Whether the line looks like a JSON object.
pub(crate) fn is_json(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('{') && line.ends_with('}')
}

/// The first member with a level's name and a text, in the order of the line; found even if the line is broken behind it.
pub(crate) fn json_level(line: &str) -> Option<Cow<'_, str>> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(line);
    // Finding the level ends the reading with an error, as does a broken line.
    let _ = Search { depth: 0, found: &mut found, wanted: false }.deserialize(&mut reader);
    found.map(Cow::Owned)
}

struct Search<'a> {
    depth: usize,
    found: &'a mut Option<String>,
    /// Whether the value's name is a level's.
    wanted: bool,
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if !self.wanted {
            return Ok(());
        }
        *self.found = Some(text.to_owned());
        Err(E::custom("found"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            if self.depth < JSON_DEPTH {
                let wanted = LEVEL_LABELS.contains(&name.as_ref());
                members.next_value_seed(Search { depth: self.depth + 1, found: self.found, wanted })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The value of the `key=value` pair whose key, in any case, comes first among the levels' names.
pub(crate) fn logfmt_level(line: &str) -> Option<Cow<'_, str>> {
    let mut best: Option<(usize, Cow<'_, str>)> = None;
    let mut rest = line;
    while let Some((key, value, after)) = next_pair(rest) {
        rest = after;
        let rank = LEVEL_LABELS.iter().position(|name| name.eq_ignore_ascii_case(key));
        if let Some(rank) = rank
            && best.as_ref().is_none_or(|(least, _)| rank < *least)
        {
            best = Some((rank, value));
        }
        if matches!(best, Some((0, _))) {
            break;
        }
    }
    best.map(|(_, value)| value)
}

/// The next key with its value, and what comes after; a word without `=` is a key without value.
fn next_pair(line: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let line = line.trim_start_matches(|char: char| char <= ' ');
    if line.is_empty() {
        return None;
    }
    let end = line.find(|char: char| char <= ' ' || char == '=').unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let Some(rest) = rest.strip_prefix('=') else { return Some((key, Cow::Borrowed(""), rest)) };
    if let Some(quoted) = rest.strip_prefix('"') {
        let (value, after) = until_quote(quoted);
        return Some((key, value, after));
    }
    let end = rest.find(|char: char| char <= ' ').unwrap_or(rest.len());
    Some((key, Cow::Borrowed(&rest[..end]), &rest[end..]))
}

/// A value up to its closing quote, and what comes after; without one it is all the rest.
fn until_quote(text: &str) -> (Cow<'_, str>, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' if value.len() == at => return (Cow::Borrowed(&text[..at]), &text[at + 1..]),
            '"' => return (Cow::Owned(value), &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (Cow::Owned(value), "")
}

/// The first word of the line that names a level; a word is a run of letters and digits.
pub(crate) fn word_level(line: &str) -> Option<&'static str> {
    line.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).find_map(normalised)
}
