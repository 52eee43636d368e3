use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_schema::columns::*;
use icegate_schema::{STREAM_RESOURCE_ATTRIBUTES, label_name};
use icegate_series::Label;

use super::columns::{BytesColumn, IntColumn, MapColumn, TextColumn, Times};
use super::labels::{RowLabels, StreamCache};
use crate::LogqlError;

/// The columns that a row's labels are made of.
pub(crate) const LABEL_COLUMNS: [&str; 24] = [
    TENANT_ID,
    ACCOUNT_ID,
    STREAM_LABELS,
    SEVERITY_TEXT,
    DETECTED_LEVEL,
    TRACE_ID,
    SPAN_ID,
    SEVERITY_NUMBER,
    EVENT_NAME,
    FLAGS,
    DROPPED_ATTRIBUTES_COUNT,
    SCOPE_NAME,
    SCOPE_VERSION,
    SCOPE_DROPPED_ATTRIBUTES_COUNT,
    OBSERVED_TIMESTAMP,
    OBSERVED_TIMESTAMP_NANOS,
    ABSENT_TIMES,
    RECORD_ATTRIBUTES,
    RECORD_ATTRIBUTE_TYPES,
    SCOPE_ATTRIBUTES,
    SCOPE_ATTRIBUTE_TYPES,
    RESOURCE_ATTRIBUTES,
    RESOURCE_ATTRIBUTE_TYPES,
    SERVICE_NAME,
];

/// Names that a column always owns, so that the column alone decides them; an attribute of that name reads as `…_extracted`.
const OWNED: [&str; 5] = [TRACE_ID, SPAN_ID, SEVERITY_NUMBER, SEVERITY_TEXT, DETECTED_LEVEL];

/// How deep key-value lists are flattened; below, they stay JSON text.
const MAX_FLATTEN_DEPTH: usize = 16;

/// Reads the labels of the rows of one batch.
pub(crate) struct RowReader<'a> {
    names: &'a mut NameCache,
    streams: &'a mut StreamCache,
    texts: [(&'static str, TextColumn); 4],
    hidden: [(&'static str, TextColumn); 2],
    ids: [(&'static str, BytesColumn); 2],
    counts: [(&'static str, IntColumn); 4],
    stream_labels: TextColumn,
    severity_text: TextColumn,
    observed: Times,
    absent: IntColumn,
    /// Record, scope and resource attributes, each with their types.
    attributes: [(MapColumn, MapColumn); 3],
}

/// Names of labels by names of attributes.
#[derive(Default)]
pub(crate) struct NameCache(HashMap<String, Arc<str>>);

/// Attribute names that a cache keeps before it starts anew.
const MAX_CACHED_NAMES: usize = 65_536;

impl NameCache {
    fn get(&mut self, attribute: &str) -> Arc<str> {
        if let Some(name) = self.0.get(attribute) {
            return Arc::clone(name);
        }
        if self.0.len() >= MAX_CACHED_NAMES {
            self.0.clear();
        }
        let name: Arc<str> = Arc::from(&*label_name(attribute));
        self.0.insert(attribute.to_owned(), Arc::clone(&name));
        name
    }
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(batch: &RecordBatch, streams: &'a mut StreamCache, names: &'a mut NameCache) -> Result<Self, LogqlError> {
        let text = |name| TextColumn::of(batch, name).map(|column| (name, column));
        let count = |name| IntColumn::of(batch, name).map(|column| (name, column));
        let id = |name| BytesColumn::of(batch, name).map(|column| (name, column));
        let maps = |values, types| Ok::<_, LogqlError>((MapColumn::of(batch, values)?, MapColumn::of(batch, types)?));
        Ok(Self {
            names,
            streams,
            texts: [text(DETECTED_LEVEL)?, text(EVENT_NAME)?, text(SCOPE_NAME)?, text(SCOPE_VERSION)?],
            hidden: [text(TENANT_ID)?, text(ACCOUNT_ID)?],
            ids: [id(TRACE_ID)?, id(SPAN_ID)?],
            counts: [
                count(SEVERITY_NUMBER)?,
                count(FLAGS)?,
                count(DROPPED_ATTRIBUTES_COUNT)?,
                count(SCOPE_DROPPED_ATTRIBUTES_COUNT)?,
            ],
            stream_labels: TextColumn::of(batch, STREAM_LABELS)?,
            severity_text: TextColumn::of(batch, SEVERITY_TEXT)?,
            observed: Times::pair(batch, OBSERVED_TIMESTAMP, OBSERVED_TIMESTAMP_NANOS)?,
            absent: IntColumn::of(batch, ABSENT_TIMES)?,
            attributes: [
                maps(RECORD_ATTRIBUTES, RECORD_ATTRIBUTE_TYPES)?,
                maps(SCOPE_ATTRIBUTES, SCOPE_ATTRIBUTE_TYPES)?,
                maps(RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES)?,
            ],
        })
    }

    /// All labels of a row.
    pub(crate) fn labels(&mut self, row: usize) -> RowLabels {
        let mut labels = RowLabels::new(self.streams.get(self.stream_labels.text(row), self.severity_text.text(row)));
        self.columns(row, &mut labels);
        for part in 0..self.attributes.len() {
            self.attributes(part, row, &mut labels);
        }
        for (name, column) in &self.hidden {
            if let Some(value) = column.get(row) {
                labels.hidden.push(Label { name: Arc::from(*name), value: Arc::from(value) });
            }
        }
        labels
    }

    fn columns(&mut self, row: usize, labels: &mut RowLabels) {
        for (name, column) in &self.texts {
            labels.add_metadata(self.names.get(name), column.text(row), false);
        }
        for (name, column) in &self.ids {
            if let Some(id) = column.get(row) {
                labels.add_metadata(self.names.get(name), &hex::encode(id), false);
            }
        }
        for (name, column) in &self.counts {
            if let Some(count) = column.get(row).filter(|count| *count != 0) {
                labels.add_metadata(self.names.get(name), &count.cast_unsigned().to_string(), false);
            }
        }
        if self.absent.get(row).unwrap_or_default() & (ABSENT_TIMESTAMP | ABSENT_OBSERVED_TIMESTAMP) == 0 {
            labels.add_metadata(self.names.get(OBSERVED_TIMESTAMP), &self.observed.get(row).to_string(), false);
        }
    }

    fn attributes(&mut self, part: usize, row: usize, labels: &mut RowLabels) {
        let (values, types) = &self.attributes[part];
        let is_resource = part == 2;
        for (key, value) in values.entries(row) {
            let Some(value) = value.filter(|_| !(is_resource && STREAM_RESOURCE_ATTRIBUTES.contains(&key))) else { continue };
            let name = self.names.get(key);
            let is_list = value.starts_with('{') && types.find(row, key).is_some();
            match is_list.then(|| serde_json::from_str::<serde_json::Value>(value)) {
                Some(Ok(serde_json::Value::Object(fields))) => flatten(&name, &fields, 1, self.names, labels),
                _ => add(name, value, labels),
            }
        }
    }
}

fn flatten(
    prefix: &str,
    fields: &serde_json::Map<String, serde_json::Value>,
    depth: usize,
    names: &mut NameCache,
    labels: &mut RowLabels,
) {
    for (key, value) in fields {
        let name = names.get(&format!("{prefix}_{key}"));
        match value {
            serde_json::Value::Object(inner) if depth < MAX_FLATTEN_DEPTH => flatten(&name, inner, depth + 1, names, labels),
            serde_json::Value::String(text) => add(name, text, labels),
            serde_json::Value::Null => {}
            other => add(name, &other.to_string(), labels),
        }
    }
}

fn add(name: Arc<str>, value: &str, labels: &mut RowLabels) {
    // The attribute that a column was made from says nothing new.
    if labels.get(&name) == Some(value) {
        return;
    }
    let owned = OWNED.contains(&&*name);
    labels.add_metadata(name, value, owned);
}
