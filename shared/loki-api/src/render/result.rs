use icegate_logql::{Answer, Entry, Labels, Sample, Series, Stream};
use icegate_model::Timestamp;
use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};

use super::number::{Nanos, Seconds, Value};

/// A query's result without what surrounds it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum QueryResult<'a> {
    Streams(Vec<StreamView<'a>>),
    Matrix(Vec<SeriesView<'a>>),
    Vector(Vec<SampleView<'a>>),
    Scalar((Seconds, Value)),
}

impl<'a> QueryResult<'a> {
    /// The result's type and the result.
    pub(super) fn of(answer: &'a Answer, at: Timestamp, categorized: bool) -> (&'static str, Self) {
        match answer {
            Answer::Streams(streams) => {
                ("streams", Self::Streams(streams.iter().map(|stream| StreamView::of(stream, categorized)).collect()))
            }
            Answer::Matrix(series) => ("matrix", Self::Matrix(series.iter().map(SeriesView::of).collect())),
            Answer::Vector(samples) => ("vector", Self::Vector(samples.iter().map(SampleView::of).collect())),
            Answer::Scalar(value) => ("scalar", Self::Scalar((Seconds(at.nanos()), Value(*value)))),
        }
    }
}

/// Labels as a map.
pub(super) struct LabelMap<'a>(pub(super) &'a Labels);

impl LabelMap<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|label| (&*label.name, &*label.value)))
    }
}

#[derive(Serialize)]
pub(super) struct StreamView<'a> {
    stream: LabelMap<'a>,
    values: Entries<'a>,
}

impl<'a> StreamView<'a> {
    fn of(stream: &'a Stream, categorized: bool) -> Self {
        Self { stream: LabelMap(&stream.labels), values: Entries { entries: &stream.entries, categorized } }
    }
}

struct Entries<'a> {
    entries: &'a [Entry],
    categorized: bool,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(|entry| EntryView { entry, categorized: self.categorized }))
    }
}

struct EntryView<'a> {
    entry: &'a Entry,
    categorized: bool,
}

impl Serialize for EntryView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(if self.categorized { 3 } else { 2 })?;
        tuple.serialize_element(&Nanos(self.entry.timestamp.nanos()))?;
        tuple.serialize_element(&self.entry.line)?;
        if self.categorized {
            let (metadata, parsed) = (LabelMap(&self.entry.metadata), LabelMap(&self.entry.parsed));
            tuple.serialize_element(&Categories { metadata, parsed })?;
        }
        tuple.end()
    }
}

/// What an entry has beyond its stream's labels.
#[derive(Serialize)]
struct Categories<'a> {
    #[serde(rename = "structuredMetadata", skip_serializing_if = "LabelMap::is_empty")]
    metadata: LabelMap<'a>,
    #[serde(skip_serializing_if = "LabelMap::is_empty")]
    parsed: LabelMap<'a>,
}

#[derive(Serialize)]
pub(super) struct SeriesView<'a> {
    metric: LabelMap<'a>,
    values: Points<'a>,
}

impl<'a> SeriesView<'a> {
    fn of(series: &'a Series) -> Self {
        Self { metric: LabelMap(&series.labels), values: Points(&series.points) }
    }
}

struct Points<'a>(&'a [(i64, f64)]);

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(time, value)| (Seconds(*time), Value(*value))))
    }
}

#[derive(Serialize)]
pub(super) struct SampleView<'a> {
    metric: LabelMap<'a>,
    value: (Seconds, Value),
}

impl<'a> SampleView<'a> {
    fn of(sample: &'a Sample) -> Self {
        Self { metric: LabelMap(&sample.labels), value: (Seconds(sample.time), Value(sample.value)) }
    }
}
