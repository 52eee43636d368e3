use std::collections::HashMap;

use arrow::array::{Array, AsArray, MapArray, StringArray, StructArray};
use opentelemetry_proto::tonic::common::v1::KeyValue;

use crate::error::OtlpError;
use crate::rebuild::cells::{column, given_text};
use crate::rebuild::value::pair;

/// A list of attributes in two columns.
pub(super) struct Attributes<'a> {
    column: &'static str,
    values: Map<'a>,
    types: Map<'a>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(rows: &'a StructArray, values: &'static str, types: &'static str) -> Result<Self, OtlpError> {
        Ok(Self { column: values, values: Map::new(rows, values)?, types: Map::new(rows, types)? })
    }

    /// A row's list, `None` for NULL.
    pub(super) fn given(&self, row: usize) -> Result<Option<Vec<KeyValue>>, OtlpError> {
        if self.values.map.is_null(row) {
            return Ok(None);
        }
        let types: HashMap<&str, Option<&str>> = self.types.entries(row).collect();
        let pairs = self.values.entries(row).map(|(key, text)| {
            let kind = types.get(key).copied().flatten();
            pair(self.column, key, text, kind)
        });
        pairs.collect::<Result<_, _>>().map(Some)
    }

    /// A row's list, empty for NULL.
    pub(super) fn at(&self, row: usize) -> Result<Vec<KeyValue>, OtlpError> {
        Ok(self.given(row)?.unwrap_or_default())
    }
}

struct Map<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Map<'a> {
    fn new(rows: &'a StructArray, name: &'static str) -> Result<Self, OtlpError> {
        let map: &MapArray = column(rows, name)?;
        let text = |array: &'a dyn Array| {
            let expected = || "map of text to text".to_owned();
            array.as_string_opt::<i32>().ok_or_else(|| OtlpError::Column { column: name, expected: expected() })
        };
        Ok(Self { map, keys: text(map.keys().as_ref())?, values: text(map.values().as_ref())? })
    }

    /// A row's keys and values, nothing for NULL.
    fn entries(&self, row: usize) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let offsets = self.map.value_offsets();
        let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
        let range = if self.map.is_valid(row) { at(row)..at(row + 1) } else { 0..0 };
        let (keys, values) = (self.keys, self.values);
        range.map(move |entry| (keys.value(entry), given_text(values, entry)))
    }
}
