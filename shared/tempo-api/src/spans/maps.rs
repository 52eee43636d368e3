use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringArray, StructArray};
use icegate_traceql::{Attributes, Instrumentation, Value};

use super::value::typed;
use crate::TempoError;

/// Texts of which one is kept, for as many as occur again and again.
const MAX_KNOWN: usize = 10_000;
/// Longer texts are seldom the same.
const MAX_KNOWN_BYTES: usize = 128;

/// Texts that many spans share.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<Arc<str>>);

impl Known {
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if text.len() > MAX_KNOWN_BYTES {
            return text.into();
        }
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        if self.0.len() < MAX_KNOWN {
            self.0.insert(Arc::clone(&text));
        }
        text
    }
}

/// A map of texts.
#[derive(Clone, Copy)]
struct Map<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Map<'a> {
    fn new(array: &'a ArrayRef, column: &'static str) -> Result<Self, TempoError> {
        let wrong = || TempoError::Column { column, expected: "map of text to text" };
        let map = array.as_map_opt().ok_or_else(wrong)?;
        let keys = map.keys().as_string_opt().ok_or_else(wrong)?;
        let values = map.values().as_string_opt().ok_or_else(wrong)?;
        Ok(Self { map, keys, values })
    }

    fn range(&self, row: usize) -> Range<usize> {
        let offsets = self.map.value_offsets();
        let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
        if self.map.is_valid(row) { at(row)..at(row + 1) } else { 0..0 }
    }

    fn entries(&self, row: usize) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let (keys, values) = (self.keys, self.values);
        self.range(row).map(move |entry| (keys.value(entry), values.is_valid(entry).then(|| values.value(entry))))
    }
}

/// Attributes with their types, in two columns.
#[derive(Clone, Copy)]
pub(super) struct Maps<'a> {
    column: &'static str,
    values: Map<'a>,
    types: Map<'a>,
}

impl<'a> Maps<'a> {
    pub(super) fn new(values: &'a ArrayRef, types: &'a ArrayRef, column: &'static str) -> Result<Self, TempoError> {
        Ok(Self { column, values: Map::new(values, column)?, types: Map::new(types, column)? })
    }

    /// Of the items of a list.
    pub(super) fn of_items(items: &'a StructArray, values: &'static str, types: &'static str) -> Result<Self, TempoError> {
        let column = |name: &'static str| {
            items.column_by_name(name).ok_or(TempoError::Column { column: name, expected: "map of text to text" })
        };
        Self::new(column(values)?, column(types)?, values)
    }

    /// A row's attributes, and about how many bytes they take.
    pub(super) fn at(&self, row: usize, known: &mut Known) -> Result<(Attributes, usize), TempoError> {
        let types: Vec<_> = self.types.entries(row).collect();
        let mut attributes = Attributes::default();
        let mut bytes = 0;
        for (key, text) in self.values.entries(row) {
            let kind = types.iter().find(|(typed, _)| *typed == key).and_then(|(_, kind)| *kind);
            let value = match (text, kind) {
                (Some(text), None) => Value::Text(known.text(text)),
                _ => typed(text, kind).ok_or_else(|| TempoError::Value { column: self.column, key: key.to_owned() })?,
            };
            bytes += ENTRY_BYTES + text.map_or(0, str::len);
            attributes.set(known.text(key), value);
        }
        Ok((attributes, bytes))
    }

    /// All that tells a row's attributes from others.
    fn fingerprint(&self, row: usize, into: &mut String) {
        for (map, sign) in [(self.values, '\u{1}'), (self.types, '\u{2}')] {
            for (key, text) in map.entries(row) {
                // With its length no text can pass for two. Writing to a text can't fail.
                _ = write!(into, "{sign}{}:{key}", key.len());
                _ = match text {
                    Some(text) => write!(into, "={}:{text}", text.len()),
                    None => write!(into, "-"),
                };
            }
        }
    }
}

/// About what one attribute takes beside its text: key, value and their counts.
const ENTRY_BYTES: usize = 72;
/// What is shared by spans is kept for so many.
const MAX_SHARED: usize = 1_000;
/// What is larger is made anew for each span.
const MAX_SHARED_BYTES: usize = 16 << 10;

/// Resources that many spans share.
#[derive(Default)]
pub(super) struct Resources(HashMap<String, Arc<Attributes>>);

impl Resources {
    /// A row's resource, and what it takes where it is new.
    pub(super) fn at(&mut self, maps: &Maps<'_>, row: usize, known: &mut Known) -> Result<(Arc<Attributes>, usize), TempoError> {
        let mut key = String::new();
        maps.fingerprint(row, &mut key);
        if let Some(resource) = self.0.get(&key) {
            return Ok((Arc::clone(resource), 0));
        }
        let (attributes, bytes) = maps.at(row, known)?;
        let resource = Arc::new(attributes);
        keep(&mut self.0, key, &resource, bytes);
        Ok((resource, bytes))
    }
}

/// Scopes that many spans share.
#[derive(Default)]
pub(super) struct Scopes(HashMap<String, Arc<Instrumentation>>);

impl Scopes {
    /// A row's scope, and what it takes where it is new.
    pub(super) fn at(
        &mut self,
        (name, version): (&str, &str),
        maps: &Maps<'_>,
        row: usize,
        known: &mut Known,
    ) -> Result<(Arc<Instrumentation>, usize), TempoError> {
        let mut key = format!("{}:{name}{}:{version}", name.len(), version.len());
        maps.fingerprint(row, &mut key);
        if let Some(scope) = self.0.get(&key) {
            return Ok((Arc::clone(scope), 0));
        }
        let (attributes, bytes) = maps.at(row, known)?;
        let scope = Arc::new(Instrumentation { name: known.text(name), version: known.text(version), attributes });
        keep(&mut self.0, key, &scope, bytes);
        Ok((scope, bytes))
    }
}

fn keep<T>(all: &mut HashMap<String, Arc<T>>, key: String, one: &Arc<T>, bytes: usize) {
    if bytes > MAX_SHARED_BYTES {
        return;
    }
    if all.len() >= MAX_SHARED {
        all.clear();
    }
    all.insert(key, Arc::clone(one));
}
