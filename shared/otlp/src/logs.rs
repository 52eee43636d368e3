//! Log records to rows of `logs` and `events`.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{BinaryBuilder, Int32Builder, StringBuilder};
use icegate_model::{Table, Timestamp};
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use crate::batch::{TimeColumn, batch, bits_given, id_not_zero, origin, text_given};
use crate::check::{Cause, SPAN_ID, Scale, TRACE_ID, optional_id};
use crate::error::OtlpError;
use crate::events::Events;
use crate::group::{ResourceText, ScopeText};
use crate::level::Candidate;
use crate::limits::{Budget, presized};
use crate::parts::Parts;
use crate::stream::Stream;
use crate::value::{Scratch, render};
use crate::{Limits, Origin, Rejected, Rows};

/// What differs between requests of OTLP and streams that are pushed.
pub(crate) trait Groups {
    /// The stream of the records of a resource.
    fn stream(&self, at: usize, resource: &ResourceText<'_>) -> Stream;
    /// What a record must satisfy beside the bounds of every record.
    fn check(&self, at: usize, record: &LogRecord) -> Result<(), Cause>;
    /// Where a record stands in the request, as its sender wrote it.
    fn place(&self, at: usize, scope: usize, record: usize) -> String;
}

/// OTLP as it is.
struct Otlp;

impl Groups for Otlp {
    fn stream(&self, _: usize, resource: &ResourceText<'_>) -> Stream {
        Stream::new(resource)
    }

    fn check(&self, _: usize, _: &LogRecord) -> Result<(), Cause> {
        Ok(())
    }

    fn place(&self, at: usize, scope: usize, record: usize) -> String {
        format!("resourceLogs[{at}].scopeLogs[{scope}].logRecords[{record}]")
    }
}

/// The rows of a request.
pub(crate) fn rows(request: &ExportLogsServiceRequest, from: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    rows_of(request, &Otlp, from, limits)
}

/// The rows of a request whose groups say what they are.
pub(crate) fn rows_of(
    request: &ExportLogsServiceRequest,
    groups: &impl Groups,
    from: &Origin,
    limits: &Limits,
) -> Result<Rows, OtlpError> {
    let mut logs = Logs::new(request, from.ingested);
    let mut budget = Budget::new(limits);
    let mut rejected = Rejected::default();
    for (i, resource_logs) in request.resource_logs.iter().enumerate() {
        let resource = ResourceText::new(resource_logs.resource.as_ref(), &resource_logs.schema_url, limits, &mut logs.scratch);
        let stream = groups.stream(i, &resource);
        for (j, scope_logs) in resource_logs.scope_logs.iter().enumerate() {
            let scope = ScopeText::new(&resource, scope_logs.scope.as_ref(), &scope_logs.schema_url, limits, &mut logs.scratch);
            let group_level = group_level(&scope);
            let group = Group { resource: &resource, scope: &scope, stream: &stream, level: &group_level };
            let group_bytes = scope.bytes(&resource) + stream.bytes();
            for (k, record) in scope_logs.log_records.iter().enumerate() {
                match groups.check(i, record).and_then(|()| check(record, &scope, limits)) {
                    Ok(bytes) => {
                        budget.row(bytes, group_bytes)?;
                        logs.append(&group, record)?;
                    }
                    Err(cause) => {
                        rejected.add(1, || format!("{}: {cause}", groups.place(i, j, k)));
                    }
                }
            }
        }
    }
    logs.finish(from, rejected)
}

/// What the records of one resource and scope have in common.
struct Group<'a> {
    resource: &'a ResourceText<'a>,
    scope: &'a ScopeText<'a>,
    stream: &'a Stream,
    level: &'a Candidate<'a>,
}

/// The level that the attributes of scope and resource tell; the scope's win.
fn group_level<'a>(scope: &'a ScopeText<'_>) -> Candidate<'a> {
    let mut level = Candidate::default();
    for (key, value) in scope.merged.iter() {
        level.attribute(key, || value.map(Cow::Borrowed));
    }
    level
}

fn check(record: &LogRecord, scope: &ScopeText<'_>, limits: &Limits) -> Result<usize, Cause> {
    if let Some(cause) = &scope.refused {
        return Err(cause.clone());
    }
    optional_id("traceId", &record.trace_id, TRACE_ID)?;
    optional_id("spanId", &record.span_id, SPAN_ID)?;
    let mut scale = Scale::new(limits);
    scale.bytes(record.severity_text.len() + record.event_name.len());
    scale.value(record.body.as_ref())?;
    scale.attributes(&record.attributes)?;
    scale.total()
}

struct Logs {
    ingested: Timestamp,
    scratch: Scratch,
    rows: usize,
    service_name: StringBuilder,
    time: TimeColumn,
    observed: TimeColumn,
    absent_times: Int32Builder,
    trace_id: BinaryBuilder,
    span_id: BinaryBuilder,
    severity_number: Int32Builder,
    severity_text: StringBuilder,
    body: StringBuilder,
    body_type: StringBuilder,
    flags: Int32Builder,
    dropped: Int32Builder,
    event_name: StringBuilder,
    stream_labels: StringBuilder,
    detected_level: StringBuilder,
    parts: Parts,
    events: Events,
}

impl Logs {
    fn new(request: &ExportLogsServiceRequest, ingested: Timestamp) -> Self {
        let scopes = || request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        let rows = presized(scopes().map(|scope| scope.log_records.len()).sum());
        let records = || scopes().flat_map(|scope| &scope.log_records);
        let attributes = presized(records().map(|record| record.attributes.len()).sum());
        Self {
            ingested,
            scratch: Scratch::default(),
            rows: 0,
            service_name: StringBuilder::with_capacity(rows, 0),
            time: TimeColumn::new(rows),
            observed: TimeColumn::new(rows),
            absent_times: Int32Builder::with_capacity(rows),
            trace_id: BinaryBuilder::with_capacity(rows, rows * TRACE_ID),
            span_id: BinaryBuilder::with_capacity(rows, rows * SPAN_ID),
            severity_number: Int32Builder::with_capacity(rows),
            severity_text: StringBuilder::with_capacity(rows, 0),
            body: StringBuilder::with_capacity(rows, records().map(body_bytes).sum()),
            body_type: StringBuilder::with_capacity(rows, 0),
            flags: Int32Builder::with_capacity(rows),
            dropped: Int32Builder::with_capacity(rows),
            event_name: StringBuilder::with_capacity(rows, 0),
            stream_labels: StringBuilder::with_capacity(rows, 0),
            detected_level: StringBuilder::with_capacity(rows, 0),
            parts: Parts::new(rows, attributes),
            events: Events::default(),
        }
    }

    fn append(&mut self, group: &Group<'_>, record: &LogRecord) -> Result<(), OtlpError> {
        self.times(record);
        let body = render(record.body.as_ref(), &mut self.scratch);
        self.body.append_option(body.text);
        self.body_type.append_option(body.kind);
        let level = level(group, record).level(record.severity_number, body.text);
        self.detected_level.append_value(level);
        self.service_name.append_value(&group.stream.service_name);
        self.stream_labels.append_value(&group.stream.labels);
        id_not_zero(&mut self.trace_id, &record.trace_id);
        id_not_zero(&mut self.span_id, &record.span_id);
        self.severity_number.append_option((record.severity_number != 0).then_some(record.severity_number));
        text_given(&mut self.severity_text, &record.severity_text);
        text_given(&mut self.event_name, &record.event_name);
        bits_given(&mut self.flags, record.flags);
        self.dropped.append_value(record.dropped_attributes_count.cast_signed());
        self.parts.append(group.resource, group.scope, &record.attributes, &mut self.scratch)?;
        self.events.consider(self.rows, record, &mut self.scratch);
        self.rows += 1;
        Ok(())
    }

    /// The record's time, else when it was observed, else when it was taken in.
    fn times(&mut self, record: &LogRecord) {
        let mut absent = 0;
        match (record.time_unix_nano, record.observed_time_unix_nano) {
            (0, 0) => self.time.append_timestamp(self.ingested),
            (0, observed) => self.time.append(observed),
            (time, _) => self.time.append(time),
        }
        if record.time_unix_nano == 0 {
            absent |= columns::ABSENT_TIMESTAMP;
        }
        if record.observed_time_unix_nano == 0 {
            absent |= columns::ABSENT_OBSERVED_TIMESTAMP;
            self.observed.append_timestamp(self.ingested);
        } else {
            self.observed.append(record.observed_time_unix_nano);
        }
        self.absent_times.append_option((absent != 0).then_some(absent));
    }

    fn finish(self, from: &Origin, rejected: Rejected) -> Result<Rows, OtlpError> {
        let rows = self.rows;
        if rows == 0 {
            return Ok(Rows { rejected, ..Rows::default() });
        }
        let mut logs = origin(from, rows);
        logs.extend(self.parts.finish()?);
        let (time, time_nanos) = self.time.finish();
        let (observed, observed_nanos) = self.observed.finish();
        let mut text = |name, mut column: StringBuilder| logs.push((name, Arc::new(column.finish())));
        text(columns::SERVICE_NAME, self.service_name);
        text(columns::SEVERITY_TEXT, self.severity_text);
        text(columns::BODY, self.body);
        text(columns::BODY_TYPE, self.body_type);
        text(columns::EVENT_NAME, self.event_name);
        text(columns::STREAM_LABELS, self.stream_labels);
        text(columns::DETECTED_LEVEL, self.detected_level);
        let mut bits = |name, mut column: Int32Builder| logs.push((name, Arc::new(column.finish())));
        bits(columns::ABSENT_TIMES, self.absent_times);
        bits(columns::SEVERITY_NUMBER, self.severity_number);
        bits(columns::FLAGS, self.flags);
        bits(columns::DROPPED_ATTRIBUTES_COUNT, self.dropped);
        let mut id = |name, mut column: BinaryBuilder| logs.push((name, Arc::new(column.finish())));
        id(columns::TRACE_ID, self.trace_id);
        id(columns::SPAN_ID, self.span_id);
        logs.extend([
            (columns::TIMESTAMP, time),
            (columns::TIMESTAMP_NANOS, time_nanos),
            (columns::OBSERVED_TIMESTAMP, observed),
            (columns::OBSERVED_TIMESTAMP_NANOS, observed_nanos),
        ]);
        let mut batches = vec![(Table::Logs, batch(Table::Logs, &logs)?)];
        batches.extend(self.events.finish(&logs)?.map(|events| (Table::Events, events)));
        Ok(Rows { batches, accepted: rows as u64, rejected })
    }
}

/// The level that the record's attributes and severity text tell, else its group.
fn level<'a>(group: &'a Group<'_>, record: &'a LogRecord) -> Candidate<'a> {
    let mut level = Candidate::default();
    for pair in &record.attributes {
        level.attribute(&pair.key, || text(pair));
    }
    level.severity_text(&record.severity_text);
    match &group.stream.level {
        Some(labels) => level.behind(labels),
        None => level.or(group.level),
    }
    level
}

/// The text of an attribute, borrowed where it is a string.
fn text(pair: &KeyValue) -> Option<Cow<'_, str>> {
    match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(Cow::Borrowed(text)),
        _ => render(pair.value.as_ref(), &mut Scratch::default()).text.map(|text| Cow::Owned(text.to_owned())),
    }
}

fn body_bytes(record: &LogRecord) -> usize {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text.len(),
        _ => 0,
    }
}
