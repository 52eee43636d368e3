use icegate_model::{ErrorKind, Signal};
use icegate_otlp::OtlpError;

use crate::support::{json, protobuf};

fn message(signal: Signal, body: &str) -> String {
    let error = json(signal, body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

fn record(members: &str) -> String {
    message(Signal::Logs, &format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#))
}

#[test]
fn a_mistake_in_json_is_told_with_path_line_and_column() {
    let text = message(Signal::Logs, "{\n \"resourceLogs\": [{\n  \"schemaUrl\": 7}]\n}");
    assert_eq!(
        text,
        "request is not valid OTLP/JSON at resourceLogs[0].schemaUrl: invalid type: integer `7`, expected a string at line 3 column 16"
    );
}

#[test]
fn unknown_enum_names_are_refused() {
    let text = record(r#""severityNumber":"LOUD""#);
    let place = "resourceLogs[0].scopeLogs[0].logRecords[0].severityNumber";
    assert!(text.contains(place), "{text}");
    assert!(text.contains(r#"invalid value: string "LOUD", expected a number or protocol name of SeverityNumber"#), "{text}");
    for (signal, body) in [
        (Signal::Traces, r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_ODD"}]}]}]}"#),
        (Signal::Traces, r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"status":{"code":"ODD"}}]}]}]}"#),
        (Signal::Metrics, r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"aggregationTemporality":"ODD"}}]}]}]}"#),
    ] {
        assert!(json(signal, body).is_err(), "{body}");
    }
}

#[test]
fn ids_that_are_neither_hex_nor_base64_are_refused() {
    for id in ["zzz", "!!!INVALID_BASE64!!!", "INVALID==", "012", "+/8DBAUGBwgJCgsMDQ4P!A=="] {
        let text = record(&format!(r#""traceId":"{id}""#));
        assert!(text.contains("allowed are 32 hex digits or base64 of 16 bytes"), "{text}");
    }
}

#[test]
fn values_of_the_wrong_type_or_range_are_refused() {
    for members in [
        r#""timeUnixNano":"-1""#,
        r#""timeUnixNano":1.5"#,
        r#""timeUnixNano":"18446744073709551616""#,
        r#""flags":4294967296"#,
        r#""flags":true"#,
        r#""body":"text""#,
        r#""body":{"doubleValue":"inf"}"#,
        r#""body":{"doubleValue":1e999}"#,
        r#""body":{"doubleValue":true}"#,
        r#""body":{"bytesValue":"*"}"#,
        r#""body":{"boolValue":"true"}"#,
        r#""attributes":{}"#,
        r#""attributes":[null]"#,
    ] {
        record(members);
    }
}

#[test]
fn broken_json_and_what_follows_the_document_are_refused() {
    for body in ["", "[]", "null", "{", r#"{"resourceLogs":[}"#, "{} x", "{}{}", "\u{1}"] {
        message(Signal::Logs, body);
    }
    assert!(matches!(json(Signal::Logs, "{"), Err(OtlpError::Json { .. })));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let body = b"{\"resourceLogs\":[{\"schemaUrl\":\"\xff\"}]}";
    let limits = icegate_otlp::Limits::default();
    let origin = crate::support::origin();
    assert!(icegate_otlp::decode(Signal::Logs, icegate_otlp::Encoding::Json, body, &origin, &limits).is_err());
    // Field 1 of the request, 3 bytes; field 3 of ResourceLogs, 1 byte that is no UTF-8.
    let error = protobuf(Signal::Logs, &[0x0a, 3, 0x1a, 1, 0xff]).unwrap_err();
    assert!(error.to_string().contains("ResourceLogs.schema_url"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn truncated_protobuf_is_refused() {
    let error = protobuf(Signal::Traces, &[0x0a, 3, 0x1a]).unwrap_err();
    assert!(matches!(error, OtlpError::Protobuf { .. }));
    assert!(error.to_string().starts_with("request is not valid OTLP protobuf: "), "{error}");
}

#[test]
fn ten_thousand_levels_are_refused_in_both_encodings() {
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(10_000), "]}}".repeat(10_000));
    let text = record(&format!(r#""body":{deep}"#));
    assert!(text.contains("recursion limit"), "{text}");
    let ignored = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!(r#"{{"zzz":{ignored}}}"#);
    assert_eq!(json(Signal::Logs, &body).unwrap().accepted, 0);

    // AnyValue.array_value inside ArrayValue.values, innermost first.
    let nested = (0..10_000).fold(Vec::new(), |inner: Vec<u8>, _| field(5, &field(1, &inner)));
    let record = field(5, &nested);
    let request = field(1, &field(2, &field(2, &record)));
    let error = protobuf(Signal::Logs, &request).unwrap_err();
    assert!(error.to_string().contains("recursion limit reached"), "{}", &error.to_string()[..200]);
}

#[test]
fn a_value_deeper_than_the_limit_refuses_its_record_only() {
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(31), "]}}".repeat(31));
    let rows = crate::support::log(&format!(r#"{{"body":{deep}}},{{}}"#));
    assert_eq!((rows.accepted, rows.rejected.count), (1, 1));
    let place = "resourceLogs[0].scopeLogs[0].logRecords[0]";
    assert_eq!(
        rows.rejected.message(),
        format!("{place}: a value has more than the allowed 30 arrays and lists inside each other")
    );
}

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend(content);
    field
}
