use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::object::Object;
use super::value;

pub(super) fn resource(object: &mut Object<'_>, spans: &ResourceSpans) {
    value::resource(object, spans.resource.as_ref());
    object.objects("scopeSpans", &spans.scope_spans, scope);
    object.text("schemaUrl", &spans.schema_url);
}

fn scope(object: &mut Object<'_>, spans: &ScopeSpans) {
    value::scope(object, spans.scope.as_ref());
    object.objects("spans", &spans.spans, span);
    object.text("schemaUrl", &spans.schema_url);
}

fn span(object: &mut Object<'_>, span: &Span) {
    object.hex("traceId", &span.trace_id);
    object.hex("spanId", &span.span_id);
    object.text("traceState", &span.trace_state);
    object.hex("parentSpanId", &span.parent_span_id);
    object.small("flags", span.flags);
    object.text("name", &span.name);
    object.small("kind", span.kind);
    object.large("startTimeUnixNano", span.start_time_unix_nano);
    object.large("endTimeUnixNano", span.end_time_unix_nano);
    value::attributes(object, "attributes", &span.attributes);
    object.small("droppedAttributesCount", span.dropped_attributes_count);
    object.objects("events", &span.events, event);
    object.small("droppedEventsCount", span.dropped_events_count);
    object.objects("links", &span.links, link);
    object.small("droppedLinksCount", span.dropped_links_count);
    if let Some(status) = &span.status {
        object.object("status", |object| {
            object.text("message", &status.message);
            object.small("code", status.code);
        });
    }
}

fn event(object: &mut Object<'_>, event: &Event) {
    object.large("timeUnixNano", event.time_unix_nano);
    object.text("name", &event.name);
    value::attributes(object, "attributes", &event.attributes);
    object.small("droppedAttributesCount", event.dropped_attributes_count);
}

fn link(object: &mut Object<'_>, link: &Link) {
    object.hex("traceId", &link.trace_id);
    object.hex("spanId", &link.span_id);
    object.text("traceState", &link.trace_state);
    value::attributes(object, "attributes", &link.attributes);
    object.small("droppedAttributesCount", link.dropped_attributes_count);
    object.small("flags", link.flags);
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::Status;

    use super::*;

    #[test]
    fn a_span_has_hexadecimal_ids_numbers_for_enumerations_and_its_lists() {
        let example = Span {
            trace_id: 0x5B8EFFF798038103D269B633813FC60C_u128.to_be_bytes().to_vec(),
            span_id: 0xEEE19B7EC3C1B174_u64.to_be_bytes().to_vec(),
            parent_span_id: 0xEEE19B7EC3C1B173_u64.to_be_bytes().to_vec(),
            name: "I'm a server span".to_owned(),
            start_time_unix_nano: 1_544_712_660_000_000_000,
            end_time_unix_nano: 1_544_712_661_000_000_000,
            kind: 2,
            events: vec![Event { time_unix_nano: 5, name: "e".to_owned(), ..Event::default() }],
            links: vec![Link { trace_id: vec![0xab], flags: 256, ..Link::default() }],
            status: Some(Status { code: 2, message: String::new() }),
            ..Span::default()
        };
        let mut text = String::new();
        Object::write(&mut text, |object| span(object, &example));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "parentSpanId": "eee19b7ec3c1b173",
            "name": "I'm a server span",
            "startTimeUnixNano": "1544712660000000000",
            "endTimeUnixNano": "1544712661000000000",
            "kind": 2,
            "events": [{"timeUnixNano": "5", "name": "e"}],
            "links": [{"traceId": "ab", "flags": 256}],
            "status": {"code": 2}
        });
        assert_eq!(read, expected);
    }
}
