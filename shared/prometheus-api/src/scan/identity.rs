//! What tells the points of one series from those of another, before it is translated.

use arrow::array::{Array, BooleanArray, RecordBatch, StringViewArray};
use icegate_engine::EngineError;
use icegate_schema::columns;

use super::columns::{Attributes, boolean, text, text_at};
use crate::translate::{Kind, Metric, Parts};

/// The columns that an identity is made of.
pub(super) const COLUMNS: [&str; 12] = [
    columns::METRIC_NAME,
    columns::METRIC_TYPE,
    columns::UNIT,
    columns::IS_MONOTONIC,
    columns::AGGREGATION_TEMPORALITY,
    columns::RESOURCE_ATTRIBUTES,
    columns::SCOPE_NAME,
    columns::SCOPE_VERSION,
    columns::SCOPE_SCHEMA_URL,
    columns::SCOPE_ATTRIBUTES,
    columns::RECORD_ATTRIBUTES,
    columns::PROMETHEUS_TYPE,
];

/// [`COLUMNS`] of a batch.
pub(super) struct Identities<'a> {
    names: &'a StringViewArray,
    types: &'a StringViewArray,
    units: &'a StringViewArray,
    monotonic: &'a BooleanArray,
    temporality: &'a StringViewArray,
    resource: Attributes<'a>,
    scope_names: &'a StringViewArray,
    scope_versions: &'a StringViewArray,
    scope_urls: &'a StringViewArray,
    scope: Attributes<'a>,
    record: Attributes<'a>,
    written: &'a StringViewArray,
}

impl<'a> Identities<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        Ok(Self {
            names: text(batch, columns::METRIC_NAME)?,
            types: text(batch, columns::METRIC_TYPE)?,
            units: text(batch, columns::UNIT)?,
            monotonic: boolean(batch, columns::IS_MONOTONIC)?,
            temporality: text(batch, columns::AGGREGATION_TEMPORALITY)?,
            resource: Attributes::of(batch, columns::RESOURCE_ATTRIBUTES)?,
            scope_names: text(batch, columns::SCOPE_NAME)?,
            scope_versions: text(batch, columns::SCOPE_VERSION)?,
            scope_urls: text(batch, columns::SCOPE_SCHEMA_URL)?,
            scope: Attributes::of(batch, columns::SCOPE_ATTRIBUTES)?,
            record: Attributes::of(batch, columns::RECORD_ATTRIBUTES)?,
            written: text(batch, columns::PROMETHEUS_TYPE)?,
        })
    }

    /// Writes the bytes that are equal for points of the same identity alone.
    pub(super) fn key(&self, row: usize, key: &mut Vec<u8>) {
        key.clear();
        let texts = [self.names, self.types, self.units, self.temporality, self.written];
        for column in texts.into_iter().chain([self.scope_names, self.scope_versions, self.scope_urls]) {
            push(key, text_at(column, row));
        }
        key.push(u8::from(self.is_monotonic(row)));
        for map in [&self.resource, &self.scope, &self.record] {
            push_map(key, map, row);
        }
    }

    /// The same for the resource alone.
    pub(super) fn resource_key(&self, row: usize, key: &mut Vec<u8>) {
        key.clear();
        push_map(key, &self.resource, row);
    }

    fn is_monotonic(&self, row: usize) -> bool {
        self.monotonic.is_valid(row) && self.monotonic.value(row)
    }

    /// `None` for a type that this build doesn't know.
    pub(super) fn metric(&self, row: usize) -> Option<Metric<'a>> {
        let kind = Kind::of(text_at(self.types, row), self.is_monotonic(row))?;
        let (name, unit, written) = (text_at(self.names, row), text_at(self.units, row), text_at(self.written, row));
        Some(Metric { name, unit, kind, written })
    }

    pub(super) fn is_delta(&self, row: usize) -> bool {
        text_at(self.temporality, row) == "delta"
    }

    pub(super) fn resource(&self, row: usize) -> Vec<(&'a str, &'a str)> {
        self.resource.at(row).collect()
    }

    /// Hands the parts of a row's labels to `read`.
    pub(super) fn parts<T>(&self, row: usize, read: impl FnOnce(&Parts<'_>) -> T) -> T {
        let (attributes, resource) = (self.record.at(row).collect::<Vec<_>>(), self.resource(row));
        let scope_attributes = self.scope.at(row).collect::<Vec<_>>();
        read(&Parts {
            attributes: &attributes,
            resource: &resource,
            scope_name: text_at(self.scope_names, row),
            scope_version: text_at(self.scope_versions, row),
            scope_schema_url: text_at(self.scope_urls, row),
            scope_attributes: &scope_attributes,
            is_delta: self.is_delta(row),
        })
    }
}

fn push_map(key: &mut Vec<u8>, map: &Attributes<'_>, row: usize) {
    let start = key.len();
    key.extend_from_slice(&[0; 4]);
    let mut entries = 0_u32;
    for (name, value) in map.at(row) {
        push(key, name);
        push(key, value);
        entries += 1;
    }
    key[start..start + 4].copy_from_slice(&entries.to_le_bytes());
}

/// With its length before it, so that no two sequences of texts are the same bytes.
fn push(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(&text.len().to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}
