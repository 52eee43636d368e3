use std::sync::Arc;

use icegate_series::{Label, Labels, LabelsBuilder};

/// The label that names the error of a stage.
pub(crate) const ERROR: &str = "__error__";
/// The label that explains it.
pub(crate) const ERROR_DETAILS: &str = "__error_details__";
/// What a name gets that another category has already.
pub(crate) const EXTRACTED: &str = "_extracted";

/// Whether a label tells of the error of a stage.
pub(crate) fn is_error_label(name: &str) -> bool {
    name == ERROR || name == ERROR_DETAILS
}

/// The labels of one row on its way through a pipeline. Later categories hide earlier ones of the same name.
#[derive(Clone, Debug)]
pub(crate) struct RowLabels {
    pub(crate) stream: Labels,
    pub(crate) metadata: Vec<Label>,
    /// What stages made; values may be empty.
    pub(crate) parsed: Vec<Label>,
    /// Columns that can be asked for but are no labels.
    pub(crate) hidden: Vec<Label>,
    pub(crate) error: Option<&'static str>,
    pub(crate) error_details: String,
    /// A stage asks for errors, so one of a parser doesn't fail the query.
    pub(crate) asks_for_errors: bool,
    /// The error doesn't fail the query.
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
            asks_for_errors: false,
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
        self.base(name).or_else(|| find(&self.hidden).map(|at| &*self.hidden[at].value))
    }

    /// A label that the row came with.
    pub(crate) fn base(&self, name: &str) -> Option<&str> {
        match self.metadata.iter().find(|label| *label.name == *name) {
            Some(label) => Some(&label.value),
            None => self.stream.get(name),
        }
    }

    /// Adds metadata; a name that a stream label or other metadata has gets `_extracted`. Empty values fall out.
    pub(crate) fn add_metadata(&mut self, name: Arc<str>, value: &str, taken: bool) {
        if value.is_empty() {
            return;
        }
        let clashes = taken || self.stream.get(&name).is_some() || self.metadata.iter().any(|label| label.name == name);
        let name = if clashes { Arc::from(format!("{name}{EXTRACTED}")) } else { name };
        if !self.metadata.iter().any(|label| label.name == name) {
            self.metadata.push(Label { name, value: Arc::from(value) });
        }
    }

    /// Sets a label that a stage made, in place of all others of its name.
    pub(crate) fn set(&mut self, name: &Arc<str>, value: &str) {
        if self.base(name).is_some() {
            self.remove(|other, _| other == &**name);
        }
        self.set_parsed(name, Arc::from(value));
    }

    /// Sets a parsed label; others of its name stay hidden below.
    pub(crate) fn set_parsed(&mut self, name: &Arc<str>, value: Arc<str>) {
        match self.parsed.iter_mut().find(|label| label.name == *name) {
            Some(label) => label.value = value,
            None => self.parsed.push(Label { name: Arc::clone(name), value }),
        }
    }

    /// The first error stays.
    pub(crate) fn set_error(&mut self, error: &'static str, details: impl FnOnce() -> String) {
        if self.error.is_none() {
            self.error = Some(error);
            self.error_details = details();
        }
    }

    /// The error of a parser.
    pub(crate) fn set_parse_error(&mut self, error: &'static str, details: impl FnOnce() -> String) {
        self.error_is_kept |= self.asks_for_errors;
        self.set_error(error, details);
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

    /// Labels that stages made, errors among them; values may be empty.
    pub(crate) fn parsed_labels(&self) -> Labels {
        let mut builder = LabelsBuilder::default();
        for label in &self.parsed {
            builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
        }
        if let Some(error) = self.error {
            builder.set(ERROR, error);
            if !self.error_details.is_empty() {
                builder.set(ERROR_DETAILS, self.error_details.as_str());
            }
        }
        builder.build_with_empty()
    }

    pub(crate) fn metadata_labels(&self) -> Labels {
        Labels::from_pairs(self.metadata.iter().map(|label| (Arc::clone(&label.name), Arc::clone(&label.value))))
    }

    /// All categories in one set, but for `without`; parsed values may be empty.
    pub(crate) fn all(&self, without: &[String]) -> Labels {
        let mut builder = LabelsBuilder::default();
        let parsed = self.parsed_labels();
        for label in self.stream.iter().chain(&self.metadata).chain(parsed.iter()) {
            if !without.iter().any(|name| **name == *label.name) {
                builder.set(Arc::clone(&label.name), Arc::clone(&label.value));
            }
        }
        builder.build_with_empty()
    }

    /// Only these labels.
    pub(crate) fn only(&self, names: &[String]) -> Labels {
        Labels::from_pairs(names.iter().filter_map(|name| Some((name.as_str(), self.get(name)?))))
    }
}
