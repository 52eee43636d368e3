use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::Json;
use super::message::{Many, message};
use super::scalar::{Code, Kind, SpanId, Text, TraceId, U32, U64};

message!(ExportTraceServiceRequest, "ExportTraceServiceRequest", |request, value| {
    "resourceSpans" | "resource_spans": Many<ResourceSpans> => request.resource_spans = value;
});

message!(ResourceSpans, "ResourceSpans", |spans, value| {
    "resource": Json<Resource> => spans.resource = Some(value);
    "scopeSpans" | "scope_spans": Many<ScopeSpans> => spans.scope_spans = value;
    "schemaUrl" | "schema_url": Text => spans.schema_url = value;
});

message!(ScopeSpans, "ScopeSpans", |spans, value| {
    "scope": Json<InstrumentationScope> => spans.scope = Some(value);
    "spans": Many<Span> => spans.spans = value;
    "schemaUrl" | "schema_url": Text => spans.schema_url = value;
});

message!(Span, "Span", |span, value| {
    "traceId" | "trace_id": TraceId => span.trace_id = value;
    "spanId" | "span_id": SpanId => span.span_id = value;
    "traceState" | "trace_state": Text => span.trace_state = value;
    "parentSpanId" | "parent_span_id": SpanId => span.parent_span_id = value;
    "flags": U32 => span.flags = value;
    "name": Text => span.name = value;
    "kind": Kind => span.kind = value;
    "startTimeUnixNano" | "start_time_unix_nano": U64 => span.start_time_unix_nano = value;
    "endTimeUnixNano" | "end_time_unix_nano": U64 => span.end_time_unix_nano = value;
    "attributes": Many<KeyValue> => span.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => span.dropped_attributes_count = value;
    "events": Many<Event> => span.events = value;
    "droppedEventsCount" | "dropped_events_count": U32 => span.dropped_events_count = value;
    "links": Many<Link> => span.links = value;
    "droppedLinksCount" | "dropped_links_count": U32 => span.dropped_links_count = value;
    "status": Json<Status> => span.status = Some(value);
});

message!(Event, "Span.Event", |event, value| {
    "timeUnixNano" | "time_unix_nano": U64 => event.time_unix_nano = value;
    "name": Text => event.name = value;
    "attributes": Many<KeyValue> => event.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => event.dropped_attributes_count = value;
});

message!(Link, "Span.Link", |link, value| {
    "traceId" | "trace_id": TraceId => link.trace_id = value;
    "spanId" | "span_id": SpanId => link.span_id = value;
    "traceState" | "trace_state": Text => link.trace_state = value;
    "attributes": Many<KeyValue> => link.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => link.dropped_attributes_count = value;
    "flags": U32 => link.flags = value;
});

message!(Status, "Status", |status, value| {
    "message": Text => status.message = value;
    "code": Code => status.code = value;
});
