use std::collections::HashMap;

use icegate_schema::columns;
use icegate_series::{Labels, LabelsBuilder};

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
