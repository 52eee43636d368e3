use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use super::object::Object;
use super::value;

pub(super) fn resource(object: &mut Object<'_>, logs: &ResourceLogs) {
    value::resource(object, logs.resource.as_ref());
    object.objects("scopeLogs", &logs.scope_logs, scope);
    object.text("schemaUrl", &logs.schema_url);
}

fn scope(object: &mut Object<'_>, logs: &ScopeLogs) {
    value::scope(object, logs.scope.as_ref());
    object.objects("logRecords", &logs.log_records, record);
    object.text("schemaUrl", &logs.schema_url);
}

fn record(object: &mut Object<'_>, record: &LogRecord) {
    object.large("timeUnixNano", record.time_unix_nano);
    object.large("observedTimeUnixNano", record.observed_time_unix_nano);
    object.small("severityNumber", record.severity_number);
    object.text("severityText", &record.severity_text);
    value::optional(object, "body", record.body.as_ref());
    value::attributes(object, "attributes", &record.attributes);
    object.small("droppedAttributesCount", record.dropped_attributes_count);
    object.small("flags", record.flags);
    object.hex("traceId", &record.trace_id);
    object.hex("spanId", &record.span_id);
    object.text("eventName", &record.event_name);
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

    use super::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(any(value)), ..KeyValue::default() }
    }

    #[test]
    fn a_record_is_written_as_in_the_protocols_example() {
        // The record of opentelemetry-proto's examples/logs.json.
        let example = LogRecord {
            time_unix_nano: 1_544_712_660_300_000_000,
            observed_time_unix_nano: 1_544_712_660_300_000_000,
            severity_number: 10,
            severity_text: "Information".to_owned(),
            trace_id: 0x5B8EFFF798038103D269B633813FC60C_u128.to_be_bytes().to_vec(),
            span_id: 0xEEE19B7EC3C1B174_u64.to_be_bytes().to_vec(),
            body: Some(any(Value::StringValue("Example log record".to_owned()))),
            attributes: vec![
                pair("string.attribute", Value::StringValue("some string".to_owned())),
                pair("boolean.attribute", Value::BoolValue(true)),
                pair("int.attribute", Value::IntValue(10)),
                pair("double.attribute", Value::DoubleValue(637.704)),
                pair(
                    "array.attribute",
                    Value::ArrayValue(ArrayValue {
                        values: vec![any(Value::StringValue("many".to_owned())), any(Value::StringValue("values".to_owned()))],
                    }),
                ),
                pair(
                    "map.attribute",
                    Value::KvlistValue(KeyValueList {
                        values: vec![pair("some.map.key", Value::StringValue("some value".to_owned()))],
                    }),
                ),
            ],
            ..LogRecord::default()
        };
        let mut text = String::new();
        Object::write(&mut text, |object| record(object, &example));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "timeUnixNano": "1544712660300000000",
            "observedTimeUnixNano": "1544712660300000000",
            "severityNumber": 10,
            "severityText": "Information",
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "body": {"stringValue": "Example log record"},
            "attributes": [
                {"key": "string.attribute", "value": {"stringValue": "some string"}},
                {"key": "boolean.attribute", "value": {"boolValue": true}},
                {"key": "int.attribute", "value": {"intValue": "10"}},
                {"key": "double.attribute", "value": {"doubleValue": 637.704}},
                {"key": "array.attribute", "value": {"arrayValue": {"values": [{"stringValue": "many"}, {"stringValue": "values"}]}}},
                {"key": "map.attribute", "value": {"kvlistValue": {"values": [
                    {"key": "some.map.key", "value": {"stringValue": "some value"}}
                ]}}}
            ]
        });
        assert_eq!(read, expected);
    }
}
