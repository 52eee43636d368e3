use std::collections::HashMap;
use std::sync::Arc;

use icegate_model::Timestamp;
use icegate_series::{Labels, LabelsBuilder, Sample, Series};

/// What a query answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Lines, by stream labels. Streams are in the order of their labels, entries in the direction asked for.
    Streams(Vec<Stream>),
    /// Series with points, sorted by labels.
    Matrix(Vec<Series>),
    /// Values at one point: sorted by labels, or as `sort` or `sort_desc` says where the query has one.
    Vector(Vec<Sample>),
    /// A number at one point.
    Scalar(f64),
}

/// Lines with equal stream labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// The labels.
    pub labels: Labels,
    /// The lines.
    pub entries: Vec<Entry>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its time.
    pub timestamp: Timestamp,
    /// The text.
    pub line: String,
    /// Structured metadata.
    pub metadata: Labels,
    /// Labels that stages made; values may be empty.
    pub parsed: Labels,
}

/// The same lines with metadata and parsed labels moved into the streams' labels, for clients that don't ask for categories.
#[must_use]
pub fn merge_labels(streams: Vec<Stream>) -> Vec<Stream> {
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut merged: Vec<Stream> = Vec::new();
    for stream in streams {
        for entry in stream.entries {
            let mut labels = LabelsBuilder::default();
            for label in stream.labels.iter().chain(entry.metadata.iter()).chain(entry.parsed.iter()) {
                labels.set(Arc::clone(&label.name), Arc::clone(&label.value));
            }
            let labels = labels.build_with_empty();
            let at = *index.entry(labels.clone()).or_insert_with(|| {
                merged.push(Stream { labels, entries: Vec::new() });
                merged.len() - 1
            });
            merged[at].entries.push(Entry { metadata: Labels::empty(), parsed: Labels::empty(), ..entry });
        }
    }
    merged.sort_by(|a, b| a.labels.cmp(&b.labels));
    merged
}
