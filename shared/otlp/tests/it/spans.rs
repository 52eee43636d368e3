use arrow::array::{Array, AsArray};
use icegate_model::{Signal, Table};

use crate::support::{batch, bytes, int, json, long, map, pairs, span, text, time};

#[test]
fn a_span_has_its_times_and_duration() {
    let rows = span(
        r#""startTimeUnixNano":"1999","endTimeUnixNano":"5001","kind":"SPAN_KIND_SERVER","traceState":"a=b","flags":257,
        "parentSpanId":"1112131415161718","status":{"code":2,"message":"no"},"droppedEventsCount":1"#,
    );
    let spans = batch(&rows, Table::Spans);
    assert_eq!((time(spans, "timestamp"), time(spans, "end_timestamp")), ((1, 999), (5, 1)));
    assert_eq!((long(spans, "duration_micros"), int(spans, "duration_nanos")), (Some(3), Some(2)));
    assert_eq!((int(spans, "kind"), int(spans, "status_code")), (Some(2), Some(2)));
    assert_eq!((text(spans, "status_message"), text(spans, "trace_state")), (Some("no"), Some("a=b")));
    assert_eq!((int(spans, "flags"), int(spans, "dropped_events_count")), (Some(257), Some(1)));
    assert_eq!(int(spans, "dropped_links_count"), None);
    assert_eq!(bytes(spans, "parent_span_id").unwrap()[0], 0x11);
    assert_eq!(text(spans, "service_name"), Some("unknown_service"));
}

#[test]
fn a_span_that_ends_before_it_starts_has_a_negative_duration() {
    let rows = span(r#""startTimeUnixNano":"5001","endTimeUnixNano":"5000""#);
    let spans = batch(&rows, Table::Spans);
    assert_eq!((long(spans, "duration_micros"), int(spans, "duration_nanos")), (Some(-1), Some(999)));
}

#[test]
fn an_absent_status_and_an_unset_one_are_told_apart() {
    assert_eq!(int(batch(&span(r#""kind":1"#), Table::Spans), "status_code"), None);
    assert_eq!(int(batch(&span(r#""status":{}"#), Table::Spans), "status_code"), Some(0));
}

#[test]
fn a_parent_of_only_zeros_makes_a_root() {
    let rows = span(r#""parentSpanId":"0000000000000000""#);
    assert_eq!(bytes(batch(&rows, Table::Spans), "parent_span_id"), None);
}

#[test]
fn events_and_links_lie_in_the_span() {
    let rows = span(
        r#""events":[{"timeUnixNano":"2001","name":"exception","attributes":[{"key":"n","value":{"intValue":3}}]},{}],
        "links":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","flags":1}]"#,
    );
    let spans = batch(&rows, Table::Spans);
    let events = spans.column_by_name("events").unwrap().as_list::<i32>().value(0);
    let events = events.as_struct();
    assert_eq!(events.len(), 2);
    let events = arrow::array::RecordBatch::from(events.clone());
    assert_eq!((text(&events, "name"), time(&events, "timestamp")), (Some("exception"), (2, 1)));
    assert_eq!(map(&events, "attributes"), pairs(&[("n", "3")]));
    assert_eq!(map(&events, "attribute_types"), pairs(&[("n", "int")]));
    let links = spans.column_by_name("links").unwrap().as_list::<i32>().value(0);
    let links = arrow::array::RecordBatch::from(links.as_struct().clone());
    assert_eq!((bytes(&links, "trace_id").unwrap().len(), int(&links, "flags")), (16, Some(1)));

    let none = span(r#""kind":1"#);
    assert!(batch(&none, Table::Spans).column_by_name("events").unwrap().is_null(0));
}

#[test]
fn spans_need_ids_and_known_numbers() {
    let id = r#""traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708""#;
    let refused = [
        (r#"{"spanId":"0102030405060708"}"#.to_owned(), "traceId has 0 bytes, allowed are 16, not all of them zero"),
        (
            r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000000"}"#.to_owned(),
            "spanId has 8 bytes, allowed are 8, not all of them zero",
        ),
        (format!(r#"{{{id},"parentSpanId":"01"}}"#), "parentSpanId has 1 bytes, allowed are 8 or none"),
        (format!(r#"{{{id},"kind":6}}"#), "kind is 6, allowed are 0 to 5"),
        (format!(r#"{{{id},"status":{{"code":-1}}}}"#), "status.code is -1, allowed are 0 to 2"),
        (format!(r#"{{{id},"links":[{{"traceId":"01"}}]}}"#), "links.traceId has 1 bytes, allowed are 16 or none"),
    ];
    for (span, cause) in refused {
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{id}}},{span}]}}]}}]}}"#);
        let rows = json(Signal::Traces, &body).unwrap();
        assert_eq!((rows.accepted, rows.rejected.count), (1, 1), "{span}");
        assert_eq!(rows.rejected.message(), format!("resourceSpans[0].scopeSpans[0].spans[1]: {cause}"));
    }
}
