use arrow::array::Array;
use icegate_model::{Signal, Table};
use icegate_otlp::{Encoding, Limits, decode};

use crate::support::{batch, bytes, int, json, log, map, origin, pairs, text, time};

#[test]
fn a_record_has_its_origin_times_and_texts() {
    let rows = log(
        r#"{"timeUnixNano":"1700000000123456789","observedTimeUnixNano":1700000000123457001,"severityNumber":"SEVERITY_NUMBER_WARN",
        "severityText":"W","body":{"stringValue":"low disk"},"flags":4294967295,"droppedAttributesCount":2,
        "traceId":"0102030405060708090A0b0c0d0e0f10","spanId":"0102030405060708"}"#,
    );
    let logs = batch(&rows, Table::Logs);
    assert_eq!((rows.accepted, rows.rejected.count, rows.batches.len()), (1, 0, 1));
    assert_eq!(text(logs, "tenant_id"), Some("acme"));
    assert_eq!(text(logs, "account_id"), None);
    assert_eq!(text(logs, "service_name"), Some("shop"));
    assert_eq!(time(logs, "timestamp"), (1_700_000_000_123_456, 789));
    assert_eq!(time(logs, "observed_timestamp"), (1_700_000_000_123_457, 1));
    assert_eq!(int(logs, "absent_times"), None);
    assert_eq!(int(logs, "severity_number"), Some(13));
    assert_eq!(text(logs, "severity_text"), Some("W"));
    assert_eq!((text(logs, "body"), text(logs, "body_type")), (Some("low disk"), None));
    assert_eq!((int(logs, "flags"), int(logs, "dropped_attributes_count")), (Some(-1), Some(2)));
    assert_eq!(bytes(logs, "trace_id").unwrap().len(), 16);
    assert_eq!(bytes(logs, "span_id"), Some([1, 2, 3, 4, 5, 6, 7, 8].as_slice()));
    assert_eq!(text(logs, "stream_labels"), Some(r#"{"service_name":"shop"}"#));
    assert_eq!(text(logs, "detected_level"), Some("W"));
}

#[test]
fn what_a_record_leaves_out_is_null() {
    let rows = log("{}");
    let logs = batch(&rows, Table::Logs);
    for column in ["severity_text", "body", "body_type", "event_name", "resource_schema_url", "scope_version"] {
        assert_eq!(text(logs, column), None, "{column}");
    }
    for column in ["severity_number", "flags", "scope_dropped_attributes_count"] {
        assert_eq!(int(logs, column), None, "{column}");
    }
    assert_eq!(int(logs, "dropped_attributes_count"), Some(0));
    assert_eq!((bytes(logs, "trace_id"), bytes(logs, "span_id")), (None, None));
    assert_eq!(text(logs, "detected_level"), Some("unknown"));
    assert_eq!(map(logs, "record_attributes"), Some(vec![]));
    assert_eq!(map(logs, "record_attribute_types"), None);
}

#[test]
fn a_missing_time_is_the_observed_one_else_that_of_ingest() {
    let neither = log("{}");
    assert_eq!(time(batch(&neither, Table::Logs), "timestamp"), (1_000_000_000_000_000, 5));
    assert_eq!(time(batch(&neither, Table::Logs), "observed_timestamp"), (1_000_000_000_000_000, 5));
    assert_eq!(int(batch(&neither, Table::Logs), "absent_times"), Some(3));
    let observed = log(r#"{"observedTimeUnixNano":"7001"}"#);
    assert_eq!(time(batch(&observed, Table::Logs), "timestamp"), (7, 1));
    assert_eq!(int(batch(&observed, Table::Logs), "absent_times"), Some(1));
    let time_only = log(r#"{"timeUnixNano":"7001"}"#);
    assert_eq!(time(batch(&time_only, Table::Logs), "timestamp"), (7, 1));
    assert_eq!(int(batch(&time_only, Table::Logs), "absent_times"), Some(2));
}

#[test]
fn the_whole_range_of_times_is_kept() {
    let rows = log(r#"{"timeUnixNano":"18446744073709551615"}"#);
    assert_eq!(time(batch(&rows, Table::Logs), "timestamp"), (18_446_744_073_709_551, 615));
}

#[test]
fn the_merged_view_prefers_the_record_then_the_scope_then_the_resource() {
    let body = r#"{"resourceLogs":[{"resource":{"attributes":[
        {"key":"a","value":{"stringValue":"resource"}},{"key":"b","value":{"stringValue":"resource"}},
        {"key":"c","value":{"intValue":"1"}}]},
      "scopeLogs":[{"scope":{"attributes":[{"key":"b","value":{"stringValue":"scope"}},{"key":"d","value":{"boolValue":true}}]},
      "logRecords":[{"attributes":[{"key":"a","value":{"doubleValue":1.5}},{"key":"a","value":{"stringValue":"again"}},{"key":"e"}]}]}]}]}"#;
    let rows = json(Signal::Logs, body).unwrap();
    let logs = batch(&rows, Table::Logs);
    let mut merged = pairs(&[("a", "1.5"), ("b", "scope"), ("c", "1"), ("d", "true")]).unwrap();
    merged.push(("e".to_owned(), None));
    assert_eq!(map(logs, "attributes"), Some(merged));
    assert_eq!(map(logs, "resource_attributes"), pairs(&[("a", "resource"), ("b", "resource"), ("c", "1")]));
    assert_eq!(map(logs, "resource_attribute_types"), pairs(&[("c", "int")]));
    assert_eq!(map(logs, "scope_attribute_types"), pairs(&[("d", "bool")]));
    assert_eq!(map(logs, "record_attribute_types"), pairs(&[("a", "double")]));
    assert_eq!(text(logs, "service_name"), Some("unknown_service"));
}

#[test]
fn service_and_stream_labels_follow_loki() {
    let labels = |attributes: &str| {
        let body = format!(
            r#"{{"resourceLogs":[{{"resource":{{"attributes":[{attributes}]}},"scopeLogs":[{{"logRecords":[{{}}]}}]}}]}}"#
        );
        let rows = json(Signal::Logs, &body).unwrap();
        let logs = batch(&rows, Table::Logs);
        (text(logs, "service_name").unwrap().to_owned(), text(logs, "stream_labels").unwrap().to_owned())
    };
    let unknown = ("unknown_service".to_owned(), r#"{"service_name":"unknown_service"}"#.to_owned());
    assert_eq!(labels(""), unknown);
    assert_eq!(
        labels(r#"{"key":"service.name","value":{"stringValue":""}},{"key":"host.name","value":{"stringValue":"h"}}"#),
        unknown
    );
    let (service, stream) = labels(
        r#"{"key":"k8s.pod.name","value":{"stringValue":"p\"1"}},{"key":"k8s.container.name","value":{"stringValue":"k"}},
        {"key":"container.name","value":{"stringValue":"c"}}"#,
    );
    assert_eq!(service, "c");
    let expected = r#"{"container_name":"c","k8s_container_name":"k","k8s_pod_name":"p\"1","service_name":"c"}"#;
    assert_eq!(stream, expected);
}

#[test]
fn event_records_are_rows_of_both_tables() {
    let rows = log(r#"{"eventName":"browser.page.view","attributes":[{"key":"k","value":{"stringValue":"v"}}]}"#);
    let events = batch(&rows, Table::Events);
    assert_eq!((text(events, "event_domain"), text(events, "event_name")), (Some("browser"), Some("browser.page.view")));
    assert_eq!(map(events, "attributes"), pairs(&[("k", "v"), ("service.name", "shop")]));
    assert_eq!(text(batch(&rows, Table::Logs), "event_name"), Some("browser.page.view"));

    let rows = log(
        r#"{"attributes":[{"key":"event.name","value":{"stringValue":"click"}},{"key":"event.domain","value":{"stringValue":"ui"}}]}"#,
    );
    let events = batch(&rows, Table::Events);
    assert_eq!((text(events, "event_domain"), text(events, "event_name")), (Some("ui"), Some("click")));
    assert_eq!(text(batch(&rows, Table::Logs), "event_name"), None);
}

#[test]
fn only_event_records_are_rows_of_events() {
    let rows = log(r#"{"body":{"stringValue":"a"}},{"eventName":"x"},{}"#);
    assert_eq!(batch(&rows, Table::Logs).num_rows(), 3);
    assert_eq!(batch(&rows, Table::Events).num_rows(), 1);
}

#[test]
fn ids_of_only_zeros_are_absent() {
    let rows = log(r#"{"traceId":"00000000000000000000000000000000","spanId":"0000000000000000"}"#);
    let logs = batch(&rows, Table::Logs);
    assert_eq!((bytes(logs, "trace_id"), bytes(logs, "span_id")), (None, None));
}

#[test]
fn a_record_with_a_bad_id_is_refused_and_its_neighbours_kept() {
    let rows = log(r#"{},{"traceId":"0102"},{"spanId":"01"},{}"#);
    assert_eq!((rows.accepted, rows.rejected.count), (2, 2));
    assert_eq!(
        rows.rejected.message(),
        "resourceLogs[0].scopeLogs[0].logRecords[1]: traceId has 2 bytes, allowed are 16 or none; \
         resourceLogs[0].scopeLogs[0].logRecords[2]: spanId has 1 bytes, allowed are 8 or none"
    );
}

#[test]
fn only_the_first_five_reasons_are_kept() {
    let rows = log(&[r#"{"traceId":"01"}"#; 7].join(","));
    assert_eq!((rows.rejected.count, rows.rejected.reasons.len()), (7, 5));
    assert!(rows.rejected.message().ends_with("; and more"));
    assert!(rows.batches.is_empty());
}

#[test]
fn a_record_above_the_limit_is_refused() {
    let body = format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{}"}}}},{{}}]}}]}}]}}"#,
        "x".repeat(101)
    );
    let limits = Limits { record_bytes: 100, ..Limits::default() };
    let rows = decode(Signal::Logs, Encoding::Json, body.as_bytes(), &origin(), &limits).unwrap();
    assert_eq!((rows.accepted, rows.rejected.count), (1, 1));
    let place = "resourceLogs[0].scopeLogs[0].logRecords[0]";
    assert_eq!(rows.rejected.message(), format!("{place}: record has about 101 bytes, allowed are 100"));
}

#[test]
fn an_empty_request_makes_no_rows() {
    for (signal, rows) in Signal::ALL.map(|signal| (signal, json(signal, "{}").unwrap())) {
        assert!(rows.batches.is_empty(), "{signal}");
        assert!(crate::support::protobuf(signal, &[]).unwrap().batches.is_empty(), "{signal}");
    }
}

#[test]
fn a_resource_that_repeats_in_too_many_rows_exceeds_the_limit() {
    let resource = format!(r#"{{"attributes":[{{"key":"a","value":{{"stringValue":"{}"}}}}]}}"#, "x".repeat(10_000));
    let body =
        format!(r#"{{"resourceLogs":[{{"resource":{resource},"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#, ["{}"; 200].join(","));
    let limits = Limits { rows_bytes: 1_000_000, ..Limits::default() };
    let error = decode(Signal::Logs, Encoding::Json, body.as_bytes(), &origin(), &limits).unwrap_err();
    assert_eq!(error.kind(), icegate_model::ErrorKind::LimitExceeded);
    assert_eq!(error.to_string(), "request makes more than 1000000 bytes of rows, send smaller requests");
}

#[test]
fn batches_have_exactly_the_columns_of_their_table() {
    let rows = log(r#"{"eventName":"e"}"#);
    for (table, batch) in &rows.batches {
        assert_eq!(batch.schema(), icegate_schema::arrow_schema(*table));
        assert!(batch.columns().iter().all(|column| column.len() == 1));
    }
}
