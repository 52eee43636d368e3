//! Streams as Loki's agents push them.

use icegate_model::{Signal, Table, Timestamp};
use icegate_otlp::{Limits, LogEntry, LogStream, Rows, log_streams};

use crate::support::{batch, bytes, int, json, map, origin, pairs, text, time};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn owned(pairs: Pairs<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn entry(nanos: i64, line: &str, metadata: Pairs<'_>) -> LogEntry {
    LogEntry { time: Timestamp::from_nanos(nanos), line: line.to_owned(), metadata: owned(metadata) }
}

fn rows(streams: Vec<LogStream>) -> Rows {
    log_streams(streams, &origin(), &Limits::default()).unwrap()
}

/// Rows of one line.
fn row(labels: Pairs<'_>, line: &str, metadata: Pairs<'_>) -> Rows {
    rows(vec![LogStream { labels: owned(labels), entries: vec![entry(1_700_000_000_123_456_789, line, metadata)] }])
}

#[test]
fn a_line_is_the_row_that_it_would_be_as_otlp() {
    let pushed = row(&[("service_name", "shop"), ("k8s_pod_name", "p-1")], "low disk", &[("level", "WARN"), ("user", "u")]);
    let otlp = json(
        Signal::Logs,
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},
        {"key":"k8s.pod.name","value":{"stringValue":"p-1"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000123456789",
        "body":{"stringValue":"low disk"},"attributes":[{"key":"level","value":{"stringValue":"WARN"}},
        {"key":"user","value":{"stringValue":"u"}}]}]}]}]}"#,
    )
    .unwrap();
    let (pushed, otlp) = (batch(&pushed, Table::Logs), batch(&otlp, Table::Logs));
    // All but the names of the resource's attributes, which Loki's labels write with `_`.
    let named = ["attributes", "resource_attributes"];
    for (at, field) in pushed.schema().fields().iter().enumerate().filter(|(_, field)| !named.contains(&field.name().as_str())) {
        assert_eq!(pushed.column(at), otlp.column(at), "{}", field.name());
    }
    assert_eq!(text(pushed, "stream_labels"), Some(r#"{"k8s_pod_name":"p-1","service_name":"shop"}"#));
    assert_eq!(time(pushed, "timestamp"), (1_700_000_000_123_456, 789));
    assert_eq!(map(pushed, "resource_attributes"), pairs(&[("k8s_pod_name", "p-1"), ("service_name", "shop")]));
    assert_eq!(
        map(pushed, "attributes"),
        pairs(&[("k8s_pod_name", "p-1"), ("level", "WARN"), ("service_name", "shop"), ("user", "u")])
    );
}

#[test]
fn all_labels_with_a_value_are_stream_labels_and_name_the_service() {
    for (labels, stream, service) in [
        (&[("env", "x"), ("app", "shop")][..], r#"{"app":"shop","env":"x","service_name":"shop"}"#, "shop"),
        (&[("job", "j"), ("container", "c")], r#"{"container":"c","job":"j","service_name":"c"}"#, "c"),
        (&[("a__b", "x"), ("gone", "")], r#"{"a__b":"x","service_name":"unknown_service"}"#, "unknown_service"),
        (&[("app", "first"), ("app", "second")], r#"{"app":"first","service_name":"first"}"#, "first"),
    ] {
        let rows = row(labels, "line", &[]);
        let logs = batch(&rows, Table::Logs);
        assert_eq!((text(logs, "stream_labels"), text(logs, "service_name")), (Some(stream), Some(service)), "{labels:?}");
    }
}

#[test]
fn what_columns_hold_is_in_them_and_nowhere_else() {
    let trace = "5b8efff798038103d269b633813fc60c";
    let metadata = [("trace_id", trace), ("span_id", "eee19b7ec3c1b174"), ("severity_number", "17"), ("empty", "")];
    let rows = row(&[("app", "x"), ("severity_text", "Notice")], "line", &metadata);
    let logs = batch(&rows, Table::Logs);
    assert_eq!(bytes(logs, "trace_id").map(hex::encode).as_deref(), Some(trace));
    assert_eq!(bytes(logs, "span_id").map(hex::encode).as_deref(), Some("eee19b7ec3c1b174"));
    assert_eq!((int(logs, "severity_number"), text(logs, "severity_text")), (Some(17), Some("Notice")));
    assert_eq!(text(logs, "stream_labels"), Some(r#"{"app":"x","service_name":"x"}"#));
    assert_eq!(map(logs, "record_attributes"), pairs(&[]));

    // Not as a column would give them back.
    let others = [("severity_number", "017"), ("span_id", "0000000000000000"), ("trace_id", "5B8EFFF798038103D269B633813FC60C")];
    let rows = row(&[("app", "x")], "line", &others);
    let logs = batch(&rows, Table::Logs);
    assert_eq!((bytes(logs, "trace_id"), bytes(logs, "span_id"), int(logs, "severity_number")), (None, None, None));
    assert_eq!(map(logs, "record_attributes"), pairs(&others));
}

#[test]
fn the_level_is_that_of_labels_then_of_metadata_then_of_the_line() {
    for (labels, metadata, line, level) in [
        (&[("app", "x"), ("lvl", "dbg")][..], &[("level", "error")][..], "fatal", "debug"),
        (&[("app", "x"), ("lvl", "dbg")], &[("detected_level", "ERR")], "fatal", "error"),
        (&[("app", "x"), ("detected_level", "Warning")], &[("level", "error")], "fatal", "warn"),
        (&[("app", "x")], &[("severity", "odd")], "fatal", "odd"),
        (&[("app", "x")], &[("severity_number", "9")], "fatal", "info"),
        (&[("app", "x")], &[], "level=crit", "critical"),
        (&[("app", "x")], &[], "", "unknown"),
    ] {
        let rows = row(labels, line, metadata);
        assert_eq!(text(batch(&rows, Table::Logs), "detected_level"), Some(level), "{labels:?} {metadata:?} {line}");
    }
}

#[test]
fn an_entry_that_is_refused_is_named_and_its_neighbours_are_kept() {
    let good = || entry(1, "good", &[]);
    let stream = |labels: Pairs<'_>, entries| LogStream { labels: owned(labels), entries };
    let rows = log_streams(
        vec![
            stream(&[("app", "x")], vec![good(), entry(0, "epoch", &[]), entry(-5, "before", &[]), good()]),
            stream(&[("app", "")], vec![good()]),
            stream(&[("a.b", "x")], vec![good()]),
            stream(&[("app", "y")], vec![entry(2, &"l".repeat(101), &[]), good()]),
            stream(&[], vec![]),
        ],
        &origin(),
        &Limits { record_bytes: 100, ..Limits::default() },
    )
    .unwrap();
    let time = "the timestamp is not between 1970-01-01T00:00:00.000000001Z and 2262-04-11T23:47:16.854775807Z";
    assert_eq!((rows.accepted, rows.rejected.count), (3, 5));
    assert_eq!(
        rows.rejected.reasons,
        [
            format!("streams[0].values[1]: {time}"),
            format!("streams[0].values[2]: {time}"),
            "streams[1].values[0]: the stream has no label with a value, at least one is needed".to_owned(),
            "streams[2].values[0]: label name \"a.b\" is not allowed: it holds A-Z a-z 0-9 _ and starts with no digit".to_owned(),
            "streams[3].values[0]: record has about 101 bytes, allowed are 100".to_owned(),
        ]
    );
}
