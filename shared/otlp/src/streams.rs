//! Streams of lines, as Loki's agents push them, to the rows that the same lines would make as OTLP.

use std::borrow::Cow;

use icegate_model::Timestamp;
use icegate_schema::{columns, label_name};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::check::{Cause, SPAN_ID, TRACE_ID};
use crate::error::OtlpError;
use crate::group::ResourceText;
use crate::level::Candidate;
use crate::logs::{Groups, rows_of};
use crate::stream::Stream;
use crate::{Limits, Origin, Rows};

/// Lines that share their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStream {
    /// Names and values; without a value, a label counts as absent, and of a repeated name the first counts.
    pub labels: Vec<(String, String)>,
    /// The lines.
    pub entries: Vec<LogEntry>,
}

/// A line of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When it was written; one that isn't after 1970-01-01T00:00:00Z is refused.
    pub time: Timestamp,
    /// The line.
    pub line: String,
    /// Structured metadata: names and values, as the labels.
    pub metadata: Vec<(String, String)>,
}

/// Makes the rows of pushed streams.
///
/// A stream's labels are its resource's attributes and, all of them, its stream labels. Of labels and metadata, `severity_text`,
/// `severity_number`, `detected_level`, and `trace_id` and `span_id` in lower-case hexadecimal digits, are the columns of those names. An entry
/// that is refused refuses itself only, one of a stream without labels too.
///
/// # Errors
/// [`OtlpError::RowsTooLarge`].
pub fn log_streams(streams: Vec<LogStream>, origin: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    let mut pushed = Pushed(Vec::with_capacity(streams.len()));
    let mut request = ExportLogsServiceRequest { resource_logs: Vec::with_capacity(streams.len()) };
    for stream in streams {
        let labels = PushedLabels::new(stream.labels);
        let attributes = labels.attributes();
        let log_records = stream.entries.into_iter().map(|entry| labels.record(entry)).collect();
        request.resource_logs.push(ResourceLogs {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            schema_url: String::new(),
        });
        pushed.0.push(labels);
    }
    rows_of(&request, &pushed, origin, limits)
}

/// The labels of each stream of a push.
struct Pushed(Vec<PushedLabels>);

/// A stream's labels: those that stay labels, and those that are columns of every row.
struct PushedLabels {
    labels: Vec<(String, String)>,
    columns: Vec<(String, String)>,
}

impl PushedLabels {
    fn new(given: Vec<(String, String)>) -> Self {
        let mut names: Vec<String> = Vec::with_capacity(given.len());
        let (mut labels, mut columns) = (Vec::new(), Vec::new());
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            if names.contains(&name) {
                continue;
            }
            names.push(name.clone());
            if is_column(&name, &value) { columns.push((name, value)) } else { labels.push((name, value)) }
        }
        Self { labels, columns }
    }

    /// A label whose name would be another one as an attribute is in the stream labels only.
    fn attributes(&self) -> Vec<KeyValue> {
        self.labels.iter().filter(|(name, _)| label_name(name) == *name).map(|(name, value)| text(name, value.clone())).collect()
    }

    fn record(&self, entry: LogEntry) -> LogRecord {
        let time_unix_nano = u64::try_from(entry.time.nanos()).unwrap_or(0);
        let body = Some(AnyValue { value: Some(Value::StringValue(entry.line)) });
        let mut record = LogRecord { time_unix_nano, body, ..LogRecord::default() };
        for (name, value) in &self.columns {
            set_column(&mut record, name, value);
        }
        for (name, value) in entry.metadata.into_iter().filter(|(_, value)| !value.is_empty()) {
            if !(is_column(&name, &value) && set_column(&mut record, &name, &value)) {
                record.attributes.push(text(&name, value));
            }
        }
        record
    }

    /// The level that the labels tell, which comes before that of metadata.
    fn level(&self) -> Candidate<'static> {
        let mut level = Candidate::default();
        for (name, value) in self.labels.iter().chain(&self.columns) {
            level.attribute(name, || Some(Cow::Owned(value.clone())));
        }
        level
    }
}

/// Whether a column of that name holds the value as it is.
fn is_column(name: &str, value: &str) -> bool {
    let hex = |bytes| value.len() == 2 * bytes && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let not_zero = || value.bytes().any(|byte| byte != b'0');
    match name {
        columns::SEVERITY_TEXT | columns::DETECTED_LEVEL => true,
        columns::TRACE_ID => hex(TRACE_ID) && not_zero(),
        columns::SPAN_ID => hex(SPAN_ID) && not_zero(),
        columns::SEVERITY_NUMBER => value.parse().is_ok_and(|number: i32| number > 0 && number.to_string() == value),
        _ => false,
    }
}

/// Sets the column's field; whether it was free.
fn set_column(record: &mut LogRecord, name: &str, value: &str) -> bool {
    match name {
        columns::SEVERITY_TEXT if record.severity_text.is_empty() => value.clone_into(&mut record.severity_text),
        columns::TRACE_ID if record.trace_id.is_empty() => record.trace_id = hex::decode(value).unwrap_or_default(),
        columns::SPAN_ID if record.span_id.is_empty() => record.span_id = hex::decode(value).unwrap_or_default(),
        columns::SEVERITY_NUMBER if record.severity_number == 0 => record.severity_number = value.parse().unwrap_or_default(),
        _ => return false,
    }
    true
}

fn text(name: &str, value: String) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(value)) }), key_strindex: 0 }
}

/// What Loki takes as a label's name.
fn is_name(name: &str) -> bool {
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Groups for Pushed {
    fn stream(&self, at: usize, _: &ResourceText<'_>) -> Stream {
        let PushedLabels { labels, .. } = &self.0[at];
        let labels = labels.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.as_str()));
        Stream { level: Some(self.0[at].level()), ..Stream::of_labels(labels.collect()) }
    }

    fn check(&self, at: usize, record: &LogRecord) -> Result<(), Cause> {
        let PushedLabels { labels, columns } = &self.0[at];
        if labels.is_empty() && columns.is_empty() {
            return Err(Cause::NoLabels);
        }
        if let Some((name, _)) = labels.iter().find(|(name, _)| !is_name(name)) {
            return Err(Cause::LabelName { name: name.chars().take(Cause::SHOWN).collect() });
        }
        if record.time_unix_nano == 0 { Err(Cause::EntryTime) } else { Ok(()) }
    }

    fn place(&self, at: usize, _: usize, entry: usize) -> String {
        format!("streams[{at}].values[{entry}]")
    }
}
