use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::{Value as Json, json};

use super::{Members, double};
use crate::call::Format;

/// Resources with their spans.
pub(crate) fn trace_json(all: &[ResourceSpans], format: Format) -> Vec<Json> {
    let writer = Writer { otlp: format == Format::Otlp };
    all.iter().map(|one| writer.resource_spans(one)).collect()
}

/// Writes ids and enums as Tempo does or as OTLP/JSON has them.
#[derive(Clone, Copy)]
struct Writer {
    otlp: bool,
}

impl Writer {
    fn resource_spans(self, one: &ResourceSpans) -> Json {
        let mut members = Members::default();
        if let Some(resource) = &one.resource {
            members.set("resource", self.resource(resource));
        }
        members.list("scopeSpans", one.scope_spans.iter().map(|scope| self.scope_spans(scope)).collect());
        members.text("schemaUrl", &one.schema_url);
        members.into()
    }

    fn resource(self, resource: &Resource) -> Json {
        let mut members = Members::default();
        members.list("attributes", self.attributes(&resource.attributes));
        members.number("droppedAttributesCount", resource.dropped_attributes_count);
        members.list("entityRefs", resource.entity_refs.iter().map(entity).collect());
        members.into()
    }

    fn scope_spans(self, one: &ScopeSpans) -> Json {
        let mut members = Members::default();
        if let Some(scope) = &one.scope {
            members.set("scope", self.scope(scope));
        }
        members.list("spans", one.spans.iter().map(|span| self.span(span)).collect());
        members.text("schemaUrl", &one.schema_url);
        members.into()
    }

    fn scope(self, scope: &InstrumentationScope) -> Json {
        let mut members = Members::default();
        members.text("name", &scope.name);
        members.text("version", &scope.version);
        members.list("attributes", self.attributes(&scope.attributes));
        members.number("droppedAttributesCount", scope.dropped_attributes_count);
        members.into()
    }

    fn span(self, span: &Span) -> Json {
        let mut members = Members::default();
        self.id(&mut members, "traceId", &span.trace_id);
        self.id(&mut members, "spanId", &span.span_id);
        members.text("traceState", &span.trace_state);
        self.id(&mut members, "parentSpanId", &span.parent_span_id);
        members.number("flags", span.flags);
        members.text("name", &span.name);
        self.kind(&mut members, span.kind);
        members.long("startTimeUnixNano", span.start_time_unix_nano);
        members.long("endTimeUnixNano", span.end_time_unix_nano);
        members.list("attributes", self.attributes(&span.attributes));
        members.number("droppedAttributesCount", span.dropped_attributes_count);
        members.list("events", span.events.iter().map(|event| self.event(event)).collect());
        members.number("droppedEventsCount", span.dropped_events_count);
        members.list("links", span.links.iter().map(|link| self.link(link)).collect());
        members.number("droppedLinksCount", span.dropped_links_count);
        if let Some(status) = &span.status {
            members.set("status", self.status(status));
        }
        members.into()
    }

    fn event(self, event: &Event) -> Json {
        let mut members = Members::default();
        members.long("timeUnixNano", event.time_unix_nano);
        members.text("name", &event.name);
        members.list("attributes", self.attributes(&event.attributes));
        members.number("droppedAttributesCount", event.dropped_attributes_count);
        members.into()
    }

    fn link(self, link: &Link) -> Json {
        let mut members = Members::default();
        self.id(&mut members, "traceId", &link.trace_id);
        self.id(&mut members, "spanId", &link.span_id);
        members.text("traceState", &link.trace_state);
        members.list("attributes", self.attributes(&link.attributes));
        members.number("droppedAttributesCount", link.dropped_attributes_count);
        members.number("flags", link.flags);
        members.into()
    }

    fn status(self, status: &Status) -> Json {
        let mut members = Members::default();
        members.text("message", &status.message);
        match StatusCode::try_from(status.code) {
            Ok(code) if code != StatusCode::Unset && !self.otlp => members.text("code", code.as_str_name()),
            _ => number(&mut members, "code", status.code),
        }
        members.into()
    }

    fn kind(self, into: &mut Members, kind: i32) {
        match SpanKind::try_from(kind) {
            Ok(kind) if kind != SpanKind::Unspecified && !self.otlp => into.text("kind", kind.as_str_name()),
            _ => number(into, "kind", kind),
        }
    }

    fn id(self, into: &mut Members, name: &str, bytes: &[u8]) {
        let text = if self.otlp { hex::encode(bytes) } else { STANDARD.encode(bytes) };
        into.text(name, &text);
    }

    fn attributes(self, all: &[KeyValue]) -> Vec<Json> {
        all.iter().map(|pair| self.pair(pair)).collect()
    }

    fn pair(self, pair: &KeyValue) -> Json {
        let mut members = Members::default();
        members.text("key", &pair.key);
        if let Some(value) = &pair.value {
            members.set("value", self.value(value));
        }
        number(&mut members, "keyStrindex", pair.key_strindex);
        members.into()
    }

    fn value(self, value: &AnyValue) -> Json {
        match &value.value {
            None => json!({}),
            Some(Value::StringValue(text)) => json!({ "stringValue": text }),
            Some(Value::BoolValue(value)) => json!({ "boolValue": value }),
            Some(Value::IntValue(value)) => json!({ "intValue": value.to_string() }),
            Some(Value::DoubleValue(value)) => json!({ "doubleValue": double(*value) }),
            Some(Value::BytesValue(bytes)) => json!({ "bytesValue": STANDARD.encode(bytes) }),
            Some(Value::ArrayValue(array)) => {
                let mut members = Members::default();
                members.list("values", array.values.iter().map(|value| self.value(value)).collect());
                json!({ "arrayValue": Json::from(members) })
            }
            Some(Value::KvlistValue(pairs)) => {
                let mut members = Members::default();
                members.list("values", self.attributes(&pairs.values));
                json!({ "kvlistValue": Json::from(members) })
            }
            Some(Value::StringValueStrindex(index)) => json!({ "stringValueStrindex": index }),
        }
    }
}

fn number(into: &mut Members, name: &str, number: i32) {
    if number != 0 {
        into.set(name, json!(number));
    }
}

fn entity(entity: &EntityRef) -> Json {
    let mut members = Members::default();
    members.text("schemaUrl", &entity.schema_url);
    members.text("type", &entity.r#type);
    members.list("idKeys", entity.id_keys.iter().map(|key| json!(key)).collect());
    members.list("descriptionKeys", entity.description_keys.iter().map(|key| json!(key)).collect());
    members.into()
}
