//! Attribute lists as map columns.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, MapArray, StringArray, StringBuilder, StructArray};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use icegate_schema::{attribute_map_fields, attribute_map_type};
use opentelemetry_proto::tonic::common::v1::KeyValue;

use crate::lists::Lists;
use crate::value::{Scratch, key, render_pair};

/// Lists up to this long are searched one by one.
const FEW: usize = 16;

/// A MAP(VARCHAR, VARCHAR) column.
pub(crate) struct MapColumn {
    keys: StringBuilder,
    values: StringBuilder,
    lists: Lists,
}

impl MapColumn {
    pub(crate) fn new(rows: usize, entries: usize) -> Self {
        const KEY_BYTES: usize = 12;
        const VALUE_BYTES: usize = 16;
        Self {
            keys: StringBuilder::with_capacity(entries, entries * KEY_BYTES),
            values: StringBuilder::with_capacity(entries, entries * VALUE_BYTES),
            lists: Lists::new(rows),
        }
    }

    pub(crate) fn entry(&mut self, key: &str, value: Option<&str>) {
        self.keys.append_value(key);
        self.values.append_option(value);
    }

    /// Ends a row's map.
    pub(crate) fn close(&mut self) {
        self.lists.close(self.keys.len());
    }

    /// Ends a row's map; without entries it is NULL.
    pub(crate) fn close_or_null(&mut self) {
        if self.lists.is_open(self.keys.len()) { self.close() } else { self.lists.null() }
    }

    pub(crate) fn null(&mut self) {
        self.lists.null();
    }

    /// All entries of a rendered list.
    pub(crate) fn entries(&mut self, entries: &Entries) -> Result<(), ArrowError> {
        self.keys.append_array(&entries.keys)?;
        self.values.append_array(&entries.values)
    }

    /// The entries of a rendered list whose keys aren't excluded.
    pub(crate) fn entries_but(&mut self, entries: &Entries, excluded: impl Fn(&str) -> bool) {
        for (key, value) in entries.iter().filter(|(key, _)| !excluded(key)) {
            self.entry(key, value);
        }
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let DataType::Map(field, sorted) = attribute_map_type() else {
            return Err(ArrowError::SchemaError("attribute columns are no maps".to_owned()));
        };
        let field: FieldRef = field;
        let columns: Vec<ArrayRef> = vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())];
        let entries = StructArray::try_new(attribute_map_fields(), columns, None)?;
        let (offsets, nulls) = self.lists.finish();
        Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?))
    }
}

/// Keys and values of one list, rendered once and appended to many rows.
pub(crate) struct Entries {
    keys: StringArray,
    values: StringArray,
}

impl Entries {
    pub(crate) fn new(entries: &[(String, Option<String>)]) -> Self {
        Self {
            keys: StringArray::from_iter_values(entries.iter().map(|(key, _)| key)),
            values: StringArray::from_iter(entries.iter().map(|(_, value)| value.as_deref())),
        }
    }

    /// Bytes of keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.value_data().len() + self.values.value_data().len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.keys.iter().flatten().zip(self.values.iter())
    }
}

/// One list of attributes, rendered: each key once, with its type where it is no string.
pub(crate) struct Rendered {
    pub(crate) values: Vec<(String, Option<String>)>,
    pub(crate) types: Vec<(String, Option<String>)>,
}

impl Rendered {
    pub(crate) fn new(attributes: &[KeyValue], scratch: &mut Scratch) -> Self {
        let mut rendered = Self { values: Vec::with_capacity(attributes.len()), types: Vec::new() };
        for pair in distinct(attributes) {
            let (key, cells) = render_pair(pair, scratch);
            rendered.values.push((key.to_string(), cells.text.map(str::to_owned)));
            if let Some(kind) = cells.kind {
                rendered.types.push((key.into_owned(), Some(kind.to_owned())));
            }
        }
        rendered
    }
}

/// The pairs whose key hasn't come before in the list.
pub(crate) fn distinct(attributes: &[KeyValue]) -> impl Iterator<Item = &KeyValue> {
    let few = attributes.len() <= FEW;
    let mut seen = HashSet::new();
    attributes.iter().enumerate().filter_map(move |(at, pair)| {
        let key = key(pair);
        let repeated = if few { attributes[..at].iter().any(|before| self::key(before) == key) } else { !seen.insert(key) };
        (!repeated).then_some(pair)
    })
}

/// The two columns of a list of attributes inside an event, link, exemplar or metric.
pub(crate) struct AttributeColumns {
    values: MapColumn,
    types: MapColumn,
}

impl AttributeColumns {
    pub(crate) fn new(rows: usize, entries: usize) -> Self {
        Self { values: MapColumn::new(rows, entries), types: MapColumn::new(rows, 0) }
    }

    /// A row's list; both columns are NULL where there is nothing.
    pub(crate) fn append(&mut self, attributes: &[KeyValue], scratch: &mut Scratch) {
        for pair in distinct(attributes) {
            let (key, cells) = render_pair(pair, scratch);
            self.values.entry(&key, cells.text);
            if cells.kind.is_some() {
                self.types.entry(&key, cells.kind);
            }
        }
        self.values.close_or_null();
        self.types.close_or_null();
    }

    /// Values and types.
    pub(crate) fn finish(self) -> Result<(ArrayRef, ArrayRef), ArrowError> {
        Ok((self.values.finish()?, self.types.finish()?))
    }
}
