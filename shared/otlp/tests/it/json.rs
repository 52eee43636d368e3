use icegate_model::{Signal, Table};
use icegate_otlp::rebuild;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::support::{batch, bytes, int, json, log, map, pairs, text, time};

/// What a body written in JSON reads as.
fn body(value: &str) -> Option<AnyValue> {
    let rows = log(&format!(r#"{{"body":{value}}}"#));
    let request = rebuild::logs(std::slice::from_ref(batch(&rows, Table::Logs))).unwrap();
    request.resource_logs[0].scope_logs[0].log_records[0].body.clone()
}

fn is(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

#[test]
fn proto_names_are_accepted_beside_json_names() {
    let body = r#"{"resource_logs":[{"schema_url":"r","scope_logs":[{"log_records":[{"time_unix_nano":2001,
        "severity_number":9,"attributes":[{"key":"a","value":{"int_value":"1"}}]}]}]}]}"#;
    let rows = json(Signal::Logs, body).unwrap();
    let logs = batch(&rows, Table::Logs);
    assert_eq!((time(logs, "timestamp"), int(logs, "severity_number")), ((2, 1), Some(9)));
    assert_eq!(text(logs, "resource_schema_url"), Some("r"));
    assert_eq!(map(logs, "attributes"), pairs(&[("a", "1")]));
}

#[test]
fn numbers_are_read_from_number_or_text() {
    for (written, int) in [("\"-3\"", -3), ("-3", -3), ("3.0", 3), ("9223372036854775807", i64::MAX)] {
        assert_eq!(body(&format!(r#"{{"intValue":{written}}}"#)), is(Value::IntValue(int)), "{written}");
    }
    for (written, double) in [
        ("1", 1.0),
        ("\"1.5\"", 1.5),
        ("\"-Infinity\"", f64::NEG_INFINITY),
        ("-0.0", -0.0),
        // The nearest double differs in the last place from what a naive reading gives.
        ("122.416294033786585", 122.416_294_033_786_58),
    ] {
        assert_eq!(body(&format!(r#"{{"doubleValue":{written}}}"#)), is(Value::DoubleValue(double)), "{written}");
    }
}

#[test]
fn bytes_are_read_in_either_alphabet_padded_or_not() {
    for written in ["+/8=", "-_8=", "-_8"] {
        assert_eq!(body(&format!(r#"{{"bytesValue":"{written}"}}"#)), is(Value::BytesValue(vec![0xfb, 0xff])), "{written}");
    }
}

#[test]
fn unknown_members_and_nulls_are_left_out_at_any_depth() {
    let value = r#"{"futureValue":{"a":[1]},"arrayValue":{"x":1,"values":[{"stringValue":"s","y":null}]},"intValue":null}"#;
    let Some(AnyValue { value: Some(Value::ArrayValue(array)) }) = body(value) else { panic!("no array") };
    assert_eq!(array.values[0].value, Some(Value::StringValue("s".to_owned())));
    let rows = log(r#"{"body":null,"attributes":null,"timeUnixNano":null,"traceId":null,"zzz":[[{}]]}"#);
    assert_eq!((rows.accepted, text(batch(&rows, Table::Logs), "body")), (1, None));
}

#[test]
fn of_several_values_the_last_wins() {
    assert_eq!(body(r#"{"stringValue":"a","intValue":1}"#), is(Value::IntValue(1)));
    assert_eq!(body(r#"{"intValue":1,"stringValue":"a"}"#), is(Value::StringValue("a".to_owned())));
}

#[test]
fn an_empty_value_is_not_an_absent_one() {
    assert_eq!(body("{}"), Some(AnyValue { value: None }));
    assert_eq!(body("null"), None);
}

#[test]
fn ids_are_hex_of_either_case_or_base64() {
    for id in ["FBFF030405060708090A0b0c0d0e0f10", "+/8DBAUGBwgJCgsMDQ4PEA=="] {
        let rows = log(&format!(r#"{{"traceId":"{id}"}}"#));
        let expected = [0xfb, 0xff, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        assert_eq!(bytes(batch(&rows, Table::Logs), "trace_id"), Some(expected.as_slice()));
    }
}

#[test]
fn escaped_member_names_are_read() {
    assert_eq!(body(r#"{"\u0069ntValue":1}"#), is(Value::IntValue(1)));
}

#[test]
fn string_table_references_are_kept_as_sent() {
    let rows = log(r#"{"attributes":[{"keyStrindex":4,"value":{"stringValueStrindex":9}}]}"#);
    let logs = batch(&rows, Table::Logs);
    assert_eq!(map(logs, "record_attributes"), pairs(&[("strindex:4", "9")]));
    let request = rebuild::logs(std::slice::from_ref(logs)).unwrap();
    let pair = &request.resource_logs[0].scope_logs[0].log_records[0].attributes[0];
    assert_eq!((pair.key.as_str(), pair.key_strindex), ("", 4));
    assert_eq!(pair.value.as_ref().unwrap().value, Some(Value::StringValueStrindex(9)));
}
