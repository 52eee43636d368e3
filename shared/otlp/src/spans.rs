//! Spans to rows of `spans`.

use std::sync::Arc;

use arrow::array::{BinaryBuilder, Int32Builder, Int64Builder, StringBuilder};
use icegate_model::Table;
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::batch::{TimeColumn, batch, bits_given, id_not_zero, origin, text_given};
use crate::check::{Cause, SPAN_ID, Scale, TRACE_ID, known, optional_id, required_id};
use crate::error::OtlpError;
use crate::group::{ResourceText, ScopeText};
use crate::limits::{Budget, presized};
use crate::parts::Parts;
use crate::span_lists::{SpanEvents, SpanLinks};
use crate::value::Scratch;
use crate::{Limits, Origin, Rejected, Rows};

/// The greatest number of a span kind: consumer.
const LAST_KIND: i32 = 5;
/// The greatest number of a status code: error.
const LAST_STATUS: i32 = 2;

/// The rows of a request.
pub(crate) fn rows(request: &ExportTraceServiceRequest, from: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    let mut spans = Spans::new(request);
    let mut budget = Budget::new(limits);
    let mut rejected = Rejected::default();
    for (i, resource_spans) in request.resource_spans.iter().enumerate() {
        let resource =
            ResourceText::new(resource_spans.resource.as_ref(), &resource_spans.schema_url, limits, &mut spans.scratch);
        for (j, scope_spans) in resource_spans.scope_spans.iter().enumerate() {
            let scope =
                ScopeText::new(&resource, scope_spans.scope.as_ref(), &scope_spans.schema_url, limits, &mut spans.scratch);
            let group_bytes = scope.bytes(&resource);
            for (k, span) in scope_spans.spans.iter().enumerate() {
                match check(span, &scope, limits) {
                    Ok(bytes) => {
                        budget.row(bytes, group_bytes)?;
                        spans.append(&resource, &scope, span)?;
                    }
                    Err(cause) => {
                        rejected.add(1, || format!("resourceSpans[{i}].scopeSpans[{j}].spans[{k}]: {cause}"));
                    }
                }
            }
        }
    }
    spans.finish(from, rejected)
}

fn check(span: &Span, scope: &ScopeText<'_>, limits: &Limits) -> Result<usize, Cause> {
    if let Some(cause) = &scope.refused {
        return Err(cause.clone());
    }
    required_id("traceId", &span.trace_id, TRACE_ID)?;
    required_id("spanId", &span.span_id, SPAN_ID)?;
    optional_id("parentSpanId", &span.parent_span_id, SPAN_ID)?;
    known("kind", span.kind, LAST_KIND)?;
    let mut scale = Scale::new(limits);
    if let Some(status) = &span.status {
        known("status.code", status.code, LAST_STATUS)?;
        scale.bytes(status.message.len());
    }
    scale.bytes(span.name.len() + span.trace_state.len());
    scale.attributes(&span.attributes)?;
    for event in &span.events {
        scale.bytes(ITEM_BYTES + event.name.len());
        scale.attributes(&event.attributes)?;
    }
    for link in &span.links {
        optional_id("links.traceId", &link.trace_id, TRACE_ID)?;
        optional_id("links.spanId", &link.span_id, SPAN_ID)?;
        scale.bytes(ITEM_BYTES + link.trace_state.len());
        scale.attributes(&link.attributes)?;
    }
    scale.total()
}

/// Cost of an event or link beside its text.
const ITEM_BYTES: usize = 40;

struct Spans {
    scratch: Scratch,
    rows: usize,
    service_name: StringBuilder,
    trace_id: BinaryBuilder,
    span_id: BinaryBuilder,
    parent_span_id: BinaryBuilder,
    start: TimeColumn,
    end: TimeColumn,
    duration_micros: Int64Builder,
    duration_nanos: Int32Builder,
    trace_state: StringBuilder,
    name: StringBuilder,
    kind: Int32Builder,
    status_code: Int32Builder,
    status_message: StringBuilder,
    flags: Int32Builder,
    dropped_attributes: Int32Builder,
    dropped_events: Int32Builder,
    dropped_links: Int32Builder,
    events: SpanEvents,
    links: SpanLinks,
    parts: Parts,
}

impl Spans {
    fn new(request: &ExportTraceServiceRequest) -> Self {
        let scopes = || request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let rows = presized(scopes().map(|scope| scope.spans.len()).sum());
        let attributes = presized(scopes().flat_map(|scope| &scope.spans).map(|span| span.attributes.len()).sum());
        Self {
            scratch: Scratch::default(),
            rows: 0,
            service_name: StringBuilder::with_capacity(rows, 0),
            trace_id: BinaryBuilder::with_capacity(rows, rows * TRACE_ID),
            span_id: BinaryBuilder::with_capacity(rows, rows * SPAN_ID),
            parent_span_id: BinaryBuilder::with_capacity(rows, rows * SPAN_ID),
            start: TimeColumn::new(rows),
            end: TimeColumn::new(rows),
            duration_micros: Int64Builder::with_capacity(rows),
            duration_nanos: Int32Builder::with_capacity(rows),
            trace_state: StringBuilder::with_capacity(rows, 0),
            name: StringBuilder::with_capacity(rows, 0),
            kind: Int32Builder::with_capacity(rows),
            status_code: Int32Builder::with_capacity(rows),
            status_message: StringBuilder::with_capacity(rows, 0),
            flags: Int32Builder::with_capacity(rows),
            dropped_attributes: Int32Builder::with_capacity(rows),
            dropped_events: Int32Builder::with_capacity(rows),
            dropped_links: Int32Builder::with_capacity(rows),
            events: SpanEvents::new(rows),
            links: SpanLinks::new(rows),
            parts: Parts::new(rows, attributes),
        }
    }

    fn append(&mut self, resource: &ResourceText<'_>, scope: &ScopeText<'_>, span: &Span) -> Result<(), OtlpError> {
        self.service_name.append_value(resource.service_name());
        self.trace_id.append_value(&span.trace_id);
        self.span_id.append_value(&span.span_id);
        id_not_zero(&mut self.parent_span_id, &span.parent_span_id);
        self.times(span.start_time_unix_nano, span.end_time_unix_nano);
        text_given(&mut self.trace_state, &span.trace_state);
        self.name.append_value(&span.name);
        self.kind.append_value(span.kind);
        self.status_code.append_option(span.status.as_ref().map(|status| status.code));
        text_given(&mut self.status_message, span.status.as_ref().map_or("", |status| &status.message));
        bits_given(&mut self.flags, span.flags);
        bits_given(&mut self.dropped_attributes, span.dropped_attributes_count);
        bits_given(&mut self.dropped_events, span.dropped_events_count);
        bits_given(&mut self.dropped_links, span.dropped_links_count);
        self.events.append(&span.events, &mut self.scratch);
        self.links.append(&span.links, &mut self.scratch);
        self.parts.append(resource, scope, &span.attributes, &mut self.scratch)?;
        self.rows += 1;
        Ok(())
    }

    /// A span that ends before it starts has a negative duration, rounded towards the past as every time is.
    fn times(&mut self, start: u64, end: u64) {
        self.start.append(start);
        self.end.append(end);
        let nanos = i128::from(end) - i128::from(start);
        let micros = i64::try_from(nanos.div_euclid(1_000));
        self.duration_micros.append_value(micros.unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }));
        self.duration_nanos.append_value(i32::try_from(nanos.rem_euclid(1_000)).unwrap_or_default());
    }

    fn finish(mut self, from: &Origin, rejected: Rejected) -> Result<Rows, OtlpError> {
        let rows = self.rows;
        if rows == 0 {
            return Ok(Rows { rejected, ..Rows::default() });
        }
        let mut spans = origin(from, rows);
        spans.extend(self.parts.finish()?);
        let (start, start_nanos) = self.start.finish();
        let (end, end_nanos) = self.end.finish();
        let mut text = |name, mut column: StringBuilder| spans.push((name, Arc::new(column.finish())));
        text(columns::SERVICE_NAME, self.service_name);
        text(columns::TRACE_STATE, self.trace_state);
        text(columns::NAME, self.name);
        text(columns::STATUS_MESSAGE, self.status_message);
        let mut bits = |name, mut column: Int32Builder| spans.push((name, Arc::new(column.finish())));
        bits(columns::DURATION_NANOS, self.duration_nanos);
        bits(columns::KIND, self.kind);
        bits(columns::STATUS_CODE, self.status_code);
        bits(columns::FLAGS, self.flags);
        bits(columns::DROPPED_ATTRIBUTES_COUNT, self.dropped_attributes);
        bits(columns::DROPPED_EVENTS_COUNT, self.dropped_events);
        bits(columns::DROPPED_LINKS_COUNT, self.dropped_links);
        let mut id = |name, mut column: BinaryBuilder| spans.push((name, Arc::new(column.finish())));
        id(columns::TRACE_ID, self.trace_id);
        id(columns::SPAN_ID, self.span_id);
        id(columns::PARENT_SPAN_ID, self.parent_span_id);
        spans.extend([
            (columns::TIMESTAMP, start),
            (columns::TIMESTAMP_NANOS, start_nanos),
            (columns::END_TIMESTAMP, end),
            (columns::END_TIMESTAMP_NANOS, end_nanos),
            (columns::DURATION_MICROS, Arc::new(self.duration_micros.finish())),
            (columns::EVENTS, self.events.finish()?),
            (columns::LINKS, self.links.finish()?),
        ]);
        let batches = vec![(Table::Spans, batch(Table::Spans, &spans)?)];
        Ok(Rows { batches, accepted: rows as u64, rejected })
    }
}
