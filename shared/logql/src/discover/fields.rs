use std::collections::{BTreeMap, BTreeSet, HashMap};

use icegate_series::Labels;

use super::field_type::FieldType;
use crate::ast::{LogExpr, StageKind};
use crate::eval::logs;
use crate::rows::{EXTRACTED, Names, RowLabels, is_error_label};
use crate::stage::{Wanted, fields_of_json, fields_of_logfmt, paths_of_json};
use crate::{Entry, LogqlError, OpenRows, QueryParams};

const JSON: &str = "json";
const LOGFMT: &str = "logfmt";

/// A label that lines have beside those of their streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub label: String,
    /// Its distinct values.
    pub values: BTreeSet<String>,
    /// The parsers that give it, sorted; none for structured metadata, an empty list for a label that another stage makes.
    pub parsers: Option<Vec<&'static str>>,
    /// The keys that lead to it in lines that are JSON.
    pub json_path: Vec<String>,
}

impl Field {
    /// What all its values can be read as.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        FieldType::of_all(self.values.iter().map(String::as_str))
    }
}

/// The fields of the lines that a log query answers, sorted by name: structured metadata and what its parsers find; where it has no
/// parser, what `json` finds in a line, or `logfmt` in one that isn't JSON.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn detected_fields(logs: &LogExpr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Vec<Field>, LogqlError> {
    let mut found = Found::new(logs);
    for stream in logs::answer(logs, params, rows).await? {
        for entry in &stream.entries {
            found.entry(&stream.labels, entry);
        }
    }
    Ok(found.fields.into_values().collect())
}

struct Found {
    fields: BTreeMap<String, Field>,
    /// The query's own parsers.
    parsers: Vec<&'static str>,
    /// Labels that `label_format` makes.
    formatted: Vec<String>,
    names: Names,
}

impl Found {
    fn new(logs: &LogExpr) -> Self {
        let (mut parsers, mut formatted) = (BTreeSet::new(), Vec::new());
        for stage in &logs.stages {
            match &stage.kind {
                StageKind::Json(_) => _ = parsers.insert(JSON),
                StageKind::Logfmt { .. } => _ = parsers.insert(LOGFMT),
                StageKind::Regexp(_) => _ = parsers.insert("regexp"),
                StageKind::Pattern(_) => _ = parsers.insert("pattern"),
                StageKind::Unpack => _ = parsers.insert("unpack"),
                StageKind::LabelFormat(formats) => formatted.extend(formats.iter().map(|format| format.label.clone())),
                _ => {}
            }
        }
        Self { fields: BTreeMap::new(), parsers: parsers.into_iter().collect(), formatted, names: Names::default() }
    }

    fn entry(&mut self, stream: &Labels, entry: &Entry) {
        for label in entry.metadata.iter() {
            self.note(&label.name, &label.value);
        }
        let line = Line::of(&entry.line, stream, &mut self.names);
        for label in entry.parsed.iter().filter(|label| !is_error_label(&label.name) && !label.value.is_empty()) {
            let parsers = self.parsers_of(&label.name, &line);
            let path = line.path(&label.name).filter(|_| parsers.contains(&JSON)).cloned();
            self.note_parsed(&label.name, &label.value, &parsers, path);
        }
        if self.parsers.is_empty() {
            for label in line.labels.iter().filter(|label| !is_error_label(&label.name) && !label.value.is_empty()) {
                let path = line.path(&label.name).cloned();
                self.note_parsed(&label.name, &label.value, &[line.parser], path);
            }
        }
    }

    /// The query's parsers that give a label: the only one, or the one that gives it for this line, else those that only the query
    /// knows how to run.
    fn parsers_of(&self, name: &str, line: &Line) -> Vec<&'static str> {
        if self.formatted.iter().any(|made| made == name) {
            return Vec::new();
        }
        if self.parsers.len() == 1 {
            return self.parsers.clone();
        }
        if self.parsers.contains(&line.parser) && line.has(name) {
            return vec![line.parser];
        }
        let others: Vec<_> = self.parsers.iter().copied().filter(|parser| ![JSON, LOGFMT].contains(parser)).collect();
        if others.is_empty() { self.parsers.clone() } else { others }
    }

    fn note(&mut self, label: &str, value: &str) -> &mut Field {
        let make = || Field { label: label.to_owned(), values: BTreeSet::new(), parsers: None, json_path: Vec::new() };
        let field = self.fields.entry(label.to_owned()).or_insert_with(make);
        if !field.values.contains(value) {
            field.values.insert(value.to_owned());
        }
        field
    }

    fn note_parsed(&mut self, label: &str, value: &str, parsers: &[&'static str], path: Option<Vec<String>>) {
        let field = self.note(label, value);
        let known = field.parsers.get_or_insert_default();
        known.extend(parsers.iter().filter(|parser| !known.contains(parser)).copied().collect::<Vec<_>>());
        known.sort_unstable();
        if let Some(path) = path.filter(|_| field.json_path.is_empty()) {
            field.json_path = path;
        }
    }
}

/// What parsers find in a line by themselves.
struct Line {
    parser: &'static str,
    labels: Labels,
    paths: HashMap<String, Vec<String>>,
}

impl Line {
    fn of(line: &str, stream: &Labels, names: &mut Names) -> Self {
        let mut labels = RowLabels::new(stream.clone());
        if let Some(paths) = paths_of_json(line) {
            fields_of_json(line, &mut labels, names, &Wanted::All);
            return Self { parser: JSON, labels: labels.parsed_labels(), paths };
        }
        fields_of_logfmt(line, &mut labels, names);
        Self { parser: LOGFMT, labels: labels.parsed_labels(), paths: HashMap::new() }
    }

    fn has(&self, name: &str) -> bool {
        self.labels.get(plain(name)).is_some() || self.labels.get(name).is_some()
    }

    fn path(&self, name: &str) -> Option<&Vec<String>> {
        self.paths.get(name).or_else(|| self.paths.get(plain(name)))
    }
}

/// A name without what tells it from another label of its name.
fn plain(name: &str) -> &str {
    name.strip_suffix(EXTRACTED).unwrap_or(name)
}
