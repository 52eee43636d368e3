use std::collections::HashMap;
use std::sync::Arc;

use icegate_schema::columns;
use icegate_series::{Label, Labels, LabelsBuilder};

/// The label that names the error of a stage.
pub(crate) const ERROR: &str = "__error__";
/// The label that explains it.
pub(crate) const ERROR_DETAILS: &str = "__error_details__";

/// Labels of the column `stream_labels`; none where it isn't an object of texts.
pub(crate) fn parse_stream(json: &str) -> LabelsBuilder {
    let mut builder = LabelsBuilder::default();
    let parsed: HashMap<String, String> = serde_json::from_str(json).unwrap_or_default();
    for (name, value) in parsed {
        builder.set(name, value);
    }
    builder
}

/// Distinct stream labels that a cache keeps before it starts anew.
const MAX_CACHED_STREAMS: usize = 65_536;

/// The stream labels of rows, each distinct one parsed once.
#[derive(Default)]
pub(crate) struct StreamCache {
    known: HashMap<(String, String), Labels>,
    last: Option<(String, String, Labels)>,
}

impl StreamCache {
    /// Stream labels, with `severity_text` where it isn't empty.
    pub(crate) fn get(&mut self, json: &str, severity: &str) -> Labels {
        if let Some((last_json, last_severity, labels)) = &self.last
            && last_json == json
            && last_severity == severity
        {
            return labels.clone();
        }
        let key = (json.to_owned(), severity.to_owned());
        if self.known.len() >= MAX_CACHED_STREAMS {
            self.known.clear();
        }
        let labels = self.known.entry(key.clone()).or_insert_with(|| {
            let mut builder = parse_stream(json);
            builder.set(columns::SEVERITY_TEXT, severity);
            builder.build()
        });
        let labels = labels.clone();
        self.last = Some((key.0, key.1, labels.clone()));
        labels
    }
}

/// The labels of one row on its way through a pipeline. Later categories hide earlier ones of the same name.
#[derive(Clone, Debug)]
pub(crate) struct RowLabels {
    pub(crate) stream: Labels,
    pub(crate) metadata: Vec<Label>,
    pub(crate) parsed: Vec<Label>,
    /// Columns that can be asked for but are no labels.
    pub(crate) hidden: Vec<Label>,
    pub(crate) error: Option<&'static str>,
    pub(crate) error_details: String,
    /// A stage asked for the error, so it doesn't fail the query.
    pub(crate) error_is_kept: bool,
}

impl RowLabels {
    pub(crate) fn new(stream: Labels) -> Self {
        Self {
            stream,
            metadata: Vec::new(),
            parsed: Vec::new(),
            hidden: Vec::new(),
            error: None,
            error_details: String::new(),
            error_is_kept: false,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        match name {
            ERROR => return self.error,
            ERROR_DETAILS => return self.error.is_some().then_some(self.error_details.as_str()),
            _ => {}
        }
        let find = |labels: &'_ [Label]| labels.iter().position(|label| *label.name == *name);
        if let Some(at) = find(&self.parsed) {
            return Some(&self.parsed[at].value);
        }
        if let Some(at) = find(&self.metadata) {
            return Some(&self.metadata[at].value);
        }
        self.stream.get(name).or_else(|| find(&self.hidden).map(|at| &*self.hidden[at].value))
    }

    /// Adds metadata; a name that a stream label or other metadata has gets `_extracted`. Empty values fall out.
    pub(crate) fn add_metadata(&mut self, name: Arc<str>, value: &str, taken: bool) {
        if value.is_empty() {
            return;
        }
        let clashes = taken || self.stream.get(&name).is_some() || self.metadata.iter().any(|label| label.name == name);
        let name = if clashes { Arc::from(format!("{name}_extracted")) } else { name };
        if !self.metadata.iter().any(|label| label.name == name) {
            self.metadata.push(Label { name, value: Arc::from(value) });
        }
    }

    /// The first error stays.
    pub(crate) fn set_error(&mut self, error: &'static str, details: impl FnOnce() -> String) {
        if self.error.is_none() {
            self.error = Some(error);
            self.error_details = details();
        }
    }

    /// Removes the labels that `gone` names.
    pub(crate) fn remove(&mut self, gone: impl Fn(&str, &str) -> bool) {
        for labels in [&mut self.metadata, &mut self.parsed, &mut self.hidden] {
            labels.retain(|label| !gone(&label.name, &label.value));
        }
        if self.stream.iter().any(|label| gone(&label.name, &label.value)) {
            let mut kept = LabelsBuilder::default();
            for label in self.stream.iter().filter(|label| !gone(&label.name, &label.value)) {
                kept.set(Arc::clone(&label.name), Arc::clone(&label.value));
            }
            self.stream = kept.build();
        }
    }

    /// Labels that stages made, errors among them.
    pub(crate) fn parsed_labels(&self) -> Labels {
        let mut builder = LabelsBuilder::default();
        for label in &self.parsed {
            builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
        }
        if let Some(error) = self.error {
            builder.set(ERROR, error);
            builder.set(ERROR_DETAILS, self.error_details.as_str());
        }
        builder.build()
    }

    pub(crate) fn metadata_labels(&self) -> Labels {
        Labels::from_pairs(self.metadata.iter().map(|label| (Arc::clone(&label.name), Arc::clone(&label.value))))
    }

    /// All categories in one set.
    pub(crate) fn all(&self) -> Labels {
        let mut builder = LabelsBuilder::default();
        for label in self.stream.iter().chain(&self.metadata) {
            builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
        }
        for label in self.parsed_labels().iter() {
            builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
        }
        builder.build()
    }

    /// Only these labels.
    pub(crate) fn only(&self, names: &[String]) -> Labels {
        Labels::from_pairs(names.iter().filter_map(|name| Some((name.as_str(), self.get(name)?))))
    }
}
