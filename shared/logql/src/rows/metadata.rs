use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_schema::columns::*;
use icegate_schema::{STREAM_RESOURCE_ATTRIBUTES, label_name};
use icegate_series::Label;

use super::columns::{BytesColumn, IntColumn, MapColumn, TextColumn, Times};
use super::labels::{RowLabels, is_error_label};
use super::stream::StreamCache;
use crate::LogqlError;

/// Columns of attributes with the columns of their types; any label may come from them.
const ATTRIBUTES: [(&str, &str); 3] = [
    (RECORD_ATTRIBUTES, RECORD_ATTRIBUTE_TYPES),
    (SCOPE_ATTRIBUTES, SCOPE_ATTRIBUTE_TYPES),
    (RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES),
];
const TEXTS: [&str; 4] = [DETECTED_LEVEL, EVENT_NAME, SCOPE_NAME, SCOPE_VERSION];
const IDS: [&str; 2] = [TRACE_ID, SPAN_ID];
const COUNTS: [&str; 4] = [SEVERITY_NUMBER, FLAGS, DROPPED_ATTRIBUTES_COUNT, SCOPE_DROPPED_ATTRIBUTES_COUNT];
const HIDDEN: [&str; 2] = [TENANT_ID, ACCOUNT_ID];

/// The columns that rows are read with whose labels are asked for; none asks for all of them.
pub(crate) fn columns_of(asked: Option<&HashSet<String>>) -> Vec<&'static str> {
    let is_asked = |name: &str| asked.is_none_or(|asked| asked.contains(name));
    let mut columns = vec![TIMESTAMP, TIMESTAMP_NANOS, BODY, STREAM_LABELS, SEVERITY_TEXT];
    let singles = TEXTS.iter().chain(&IDS).chain(&COUNTS).chain(&HIDDEN).copied();
    columns.extend(singles.filter(|name| is_asked(name)));
    if is_asked(OBSERVED_TIMESTAMP) {
        columns.extend([OBSERVED_TIMESTAMP, OBSERVED_TIMESTAMP_NANOS, ABSENT_TIMES]);
    }
    // Every other name may be one of an attribute.
    let is_owned = |name: &String| is_error_label(name) || OWNED.contains(&name.as_str()) || name == SERVICE_NAME;
    if asked.is_none_or(|asked| !asked.iter().all(is_owned)) {
        columns.extend(ATTRIBUTES.iter().flat_map(|(values, types)| [*values, *types]));
    }
    columns
}

/// Names that a column always owns, so that the column alone decides them; an attribute of that name reads as `…_extracted`.
const OWNED: [&str; 5] = [TRACE_ID, SPAN_ID, SEVERITY_NUMBER, SEVERITY_TEXT, DETECTED_LEVEL];

/// How deep key-value lists are flattened; below, they stay JSON text.
const MAX_FLATTEN_DEPTH: usize = 16;

/// Reads the labels of the rows of one batch.
pub(crate) struct RowReader<'a> {
    names: &'a mut NameCache,
    streams: &'a mut StreamCache,
    texts: Vec<(&'static str, TextColumn)>,
    hidden: Vec<(&'static str, TextColumn)>,
    ids: Vec<(&'static str, BytesColumn)>,
    counts: Vec<(&'static str, IntColumn)>,
    stream_labels: TextColumn,
    severity_text: TextColumn,
    /// Observed times, and which of them are absent.
    observed: Option<(Times, IntColumn)>,
    /// Attributes, their types, and whether they are the resource's.
    attributes: Vec<(MapColumn, MapColumn, bool)>,
}

/// Names of labels by names of attributes, of those that are asked for.
#[derive(Default)]
pub(crate) struct NameCache {
    /// Only these are asked for; none for all.
    asked: Option<HashSet<String>>,
    known: HashMap<String, Option<Arc<str>>>,
}

/// Attribute names that a cache keeps before it starts anew.
const MAX_CACHED_NAMES: usize = 65_536;

impl NameCache {
    pub(crate) fn new(asked: Option<HashSet<String>>) -> Self {
        Self { asked, known: HashMap::new() }
    }

    /// The name of the label; none where nobody asks for it.
    fn get(&mut self, attribute: &str) -> Option<Arc<str>> {
        if let Some(name) = self.known.get(attribute) {
            return name.clone();
        }
        if self.known.len() >= MAX_CACHED_NAMES {
            self.known.clear();
        }
        let name = label_name(attribute);
        let name = self.asked.as_ref().is_none_or(|asked| asked.contains(&*name)).then(|| Arc::from(&*name));
        self.known.insert(attribute.to_owned(), name.clone());
        name
    }
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(batch: &RecordBatch, streams: &'a mut StreamCache, names: &'a mut NameCache) -> Result<Self, LogqlError> {
        // What nobody asks for wasn't read, or is read for others.
        let asked = columns_of(names.asked.as_ref());
        let has = |name: &&'static str| asked.contains(name) && batch.column_by_name(name).is_some();
        let texts = |names: &[&'static str]| {
            let read = names.iter().copied().filter(has).map(|name| TextColumn::of(batch, name).map(|column| (name, column)));
            read.collect::<Result<Vec<_>, _>>()
        };
        let ids = IDS.into_iter().filter(has).map(|name| BytesColumn::of(batch, name).map(|column| (name, column)));
        let counts = COUNTS.into_iter().filter(has).map(|name| IntColumn::of(batch, name).map(|column| (name, column)));
        let attributes = ATTRIBUTES.into_iter().filter(|(values, _)| has(values)).map(|(values, types)| {
            Ok::<_, LogqlError>((MapColumn::of(batch, values)?, MapColumn::of(batch, types)?, values == RESOURCE_ATTRIBUTES))
        });
        let observed = if has(&OBSERVED_TIMESTAMP) {
            Some((Times::pair(batch, OBSERVED_TIMESTAMP, OBSERVED_TIMESTAMP_NANOS)?, IntColumn::of(batch, ABSENT_TIMES)?))
        } else {
            None
        };
        Ok(Self {
            names,
            streams,
            texts: texts(&TEXTS)?,
            hidden: texts(&HIDDEN)?,
            ids: ids.collect::<Result<_, _>>()?,
            counts: counts.collect::<Result<_, _>>()?,
            stream_labels: TextColumn::of(batch, STREAM_LABELS)?,
            severity_text: TextColumn::of(batch, SEVERITY_TEXT)?,
            observed,
            attributes: attributes.collect::<Result<_, _>>()?,
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
            if let Some(value) = column.get(row)
                && let Some(name) = self.names.get(name)
            {
                labels.hidden.push(Label { name, value: Arc::from(value) });
            }
        }
        labels
    }

    /// When a row was observed in nanoseconds, as far as that is read and known.
    pub(crate) fn observed(&self, row: usize) -> i64 {
        self.observed.as_ref().map_or(0, |(times, _)| times.get(row))
    }

    fn columns(&mut self, row: usize, labels: &mut RowLabels) {
        for (name, column) in &self.texts {
            if let Some(name) = self.names.get(name) {
                labels.add_metadata(name, column.text(row), false);
            }
        }
        for (name, column) in &self.ids {
            if let Some(name) = self.names.get(name)
                && let Some(id) = column.get(row)
            {
                labels.add_metadata(name, &hex::encode(id), false);
            }
        }
        for (name, column) in &self.counts {
            if let Some(name) = self.names.get(name)
                && let Some(count) = column.get(row).filter(|count| *count != 0)
            {
                labels.add_metadata(name, &count.cast_unsigned().to_string(), false);
            }
        }
        if let Some((times, absent)) = &self.observed
            && absent.get(row).unwrap_or_default() & (ABSENT_TIMESTAMP | ABSENT_OBSERVED_TIMESTAMP) == 0
            && let Some(name) = self.names.get(OBSERVED_TIMESTAMP)
        {
            labels.add_metadata(name, &times.get(row).to_string(), false);
        }
    }

    fn attributes(&mut self, part: usize, row: usize, labels: &mut RowLabels) {
        let (values, types, is_resource) = &self.attributes[part];
        for (key, value) in values.entries(row) {
            let Some(value) = value.filter(|_| !(*is_resource && STREAM_RESOURCE_ATTRIBUTES.contains(&key))) else { continue };
            let is_list = value.starts_with('{') && types.find(row, key).is_some();
            match is_list.then(|| serde_json::from_str::<serde_json::Value>(value)) {
                Some(Ok(serde_json::Value::Object(fields))) => flatten(&label_name(key), &fields, 1, self.names, labels),
                _ => {
                    if let Some(name) = self.names.get(key) {
                        add(name, value, labels);
                    }
                }
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
        let path = format!("{prefix}_{key}");
        if let serde_json::Value::Object(inner) = value
            && depth < MAX_FLATTEN_DEPTH
        {
            flatten(&label_name(&path), inner, depth + 1, names, labels);
            continue;
        }
        let Some(name) = names.get(&path) else { continue };
        match value {
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
