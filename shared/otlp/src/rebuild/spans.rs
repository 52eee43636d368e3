use arrow::array::{BinaryArray, Int32Array, ListArray, RecordBatch, StringArray, StructArray};
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::error::OtlpError;
use crate::rebuild::attributes::Attributes;
use crate::rebuild::cells::{Time, bits, bytes, column, given_int, int, items, structs, text};
use crate::rebuild::group::{Before, Begins, Parts};

/// The request that rows of `spans` came from.
///
/// # Errors
/// [`OtlpError::Column`] where a column is missing or of another type, [`OtlpError::Cell`] where a cell is broken.
pub fn spans(batches: &[RecordBatch]) -> Result<ExportTraceServiceRequest, OtlpError> {
    let mut resource_spans: Vec<ResourceSpans> = Vec::new();
    let mut before = Before::default();
    for batch in batches {
        let rows = StructArray::from(batch.clone());
        let (spans, parts) = (Spans::new(&rows)?, Parts::new(&rows)?);
        for row in 0..batch.num_rows() {
            let group = parts.group(row)?;
            let begins = before.begins(&group);
            if begins == Begins::Resource {
                let schema_url = group.resource_schema_url;
                resource_spans.push(ResourceSpans { resource: group.resource, scope_spans: Vec::new(), schema_url });
            }
            let Some(resource) = resource_spans.last_mut() else { continue };
            if begins != Begins::Nothing {
                let schema_url = group.scope_schema_url;
                resource.scope_spans.push(ScopeSpans { scope: group.scope, spans: Vec::new(), schema_url });
            }
            let Some(scope) = resource.scope_spans.last_mut() else { continue };
            scope.spans.push(spans.at(row, &parts)?);
        }
    }
    Ok(ExportTraceServiceRequest { resource_spans })
}

struct Spans<'a> {
    trace_id: &'a BinaryArray,
    span_id: &'a BinaryArray,
    parent_span_id: &'a BinaryArray,
    trace_state: &'a StringArray,
    start: Time<'a>,
    end: Time<'a>,
    name: &'a StringArray,
    kind: &'a Int32Array,
    status_code: &'a Int32Array,
    status_message: &'a StringArray,
    flags: &'a Int32Array,
    dropped_attributes: &'a Int32Array,
    dropped_events: &'a Int32Array,
    dropped_links: &'a Int32Array,
    event_lists: &'a ListArray,
    events: Events<'a>,
    link_lists: &'a ListArray,
    links: Links<'a>,
}

impl<'a> Spans<'a> {
    fn new(rows: &'a StructArray) -> Result<Self, OtlpError> {
        let event_lists = column(rows, columns::EVENTS)?;
        let link_lists = column(rows, columns::LINKS)?;
        Ok(Self {
            trace_id: column(rows, columns::TRACE_ID)?,
            span_id: column(rows, columns::SPAN_ID)?,
            parent_span_id: column(rows, columns::PARENT_SPAN_ID)?,
            trace_state: column(rows, columns::TRACE_STATE)?,
            start: Time::new(rows, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)?,
            end: Time::new(rows, columns::END_TIMESTAMP, columns::END_TIMESTAMP_NANOS)?,
            name: column(rows, columns::NAME)?,
            kind: column(rows, columns::KIND)?,
            status_code: column(rows, columns::STATUS_CODE)?,
            status_message: column(rows, columns::STATUS_MESSAGE)?,
            flags: column(rows, columns::FLAGS)?,
            dropped_attributes: column(rows, columns::DROPPED_ATTRIBUTES_COUNT)?,
            dropped_events: column(rows, columns::DROPPED_EVENTS_COUNT)?,
            dropped_links: column(rows, columns::DROPPED_LINKS_COUNT)?,
            event_lists,
            events: Events::new(structs(event_lists, columns::EVENTS)?)?,
            link_lists,
            links: Links::new(structs(link_lists, columns::LINKS)?)?,
        })
    }

    fn at(&self, row: usize, parts: &Parts<'_>) -> Result<Span, OtlpError> {
        let status = |code| Status { code, message: text(self.status_message, row) };
        Ok(Span {
            trace_id: bytes(self.trace_id, row),
            span_id: bytes(self.span_id, row),
            trace_state: text(self.trace_state, row),
            parent_span_id: bytes(self.parent_span_id, row),
            flags: bits(self.flags, row),
            name: text(self.name, row),
            kind: int(self.kind, row),
            start_time_unix_nano: self.start.at(row),
            end_time_unix_nano: self.end.at(row),
            attributes: parts.record.at(row)?,
            dropped_attributes_count: bits(self.dropped_attributes, row),
            events: items(self.event_lists, row).map(|item| self.events.at(item)).collect::<Result<_, _>>()?,
            dropped_events_count: bits(self.dropped_events, row),
            links: items(self.link_lists, row).map(|item| self.links.at(item)).collect::<Result<_, _>>()?,
            dropped_links_count: bits(self.dropped_links, row),
            status: given_int(self.status_code, row).map(status),
        })
    }
}

struct Events<'a> {
    time: Time<'a>,
    name: &'a StringArray,
    attributes: Attributes<'a>,
    dropped: &'a Int32Array,
}

impl<'a> Events<'a> {
    fn new(items: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            time: Time::new(items, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)?,
            name: column(items, columns::NAME)?,
            attributes: Attributes::new(items, columns::ATTRIBUTES, columns::ATTRIBUTE_TYPES)?,
            dropped: column(items, columns::DROPPED_ATTRIBUTES_COUNT)?,
        })
    }

    fn at(&self, item: usize) -> Result<Event, OtlpError> {
        Ok(Event {
            time_unix_nano: self.time.at(item),
            name: text(self.name, item),
            attributes: self.attributes.at(item)?,
            dropped_attributes_count: bits(self.dropped, item),
        })
    }
}

struct Links<'a> {
    trace_id: &'a BinaryArray,
    span_id: &'a BinaryArray,
    trace_state: &'a StringArray,
    attributes: Attributes<'a>,
    dropped: &'a Int32Array,
    flags: &'a Int32Array,
}

impl<'a> Links<'a> {
    fn new(items: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            trace_id: column(items, columns::TRACE_ID)?,
            span_id: column(items, columns::SPAN_ID)?,
            trace_state: column(items, columns::TRACE_STATE)?,
            attributes: Attributes::new(items, columns::ATTRIBUTES, columns::ATTRIBUTE_TYPES)?,
            dropped: column(items, columns::DROPPED_ATTRIBUTES_COUNT)?,
            flags: column(items, columns::FLAGS)?,
        })
    }

    fn at(&self, item: usize) -> Result<Link, OtlpError> {
        Ok(Link {
            trace_id: bytes(self.trace_id, item),
            span_id: bytes(self.span_id, item),
            trace_state: text(self.trace_state, item),
            attributes: self.attributes.at(item)?,
            dropped_attributes_count: bits(self.dropped, item),
            flags: bits(self.flags, item),
        })
    }
}
