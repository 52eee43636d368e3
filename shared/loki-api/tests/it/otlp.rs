//! OTLP/JSON requests for tests.

use serde_json::{Value, json};

/// A log record of a service.
pub(crate) struct Log {
    pub(crate) service: &'static str,
    pub(crate) seconds: i64,
    pub(crate) severity: (&'static str, i32),
    pub(crate) body: &'static str,
    pub(crate) attributes: &'static [(&'static str, &'static str)],
    pub(crate) trace_id: &'static str,
}

impl Log {
    pub(crate) const fn info(service: &'static str, seconds: i64, body: &'static str) -> Self {
        Self { service, seconds, severity: ("INFO", 9), body, attributes: &[], trace_id: "" }
    }

    pub(crate) const fn error(service: &'static str, seconds: i64, body: &'static str) -> Self {
        Self { severity: ("ERROR", 17), ..Self::info(service, seconds, body) }
    }
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}

/// An export request with one resource a record.
pub(crate) fn request(logs: &[Log]) -> Vec<u8> {
    let resource = |log: &Log| {
        json!({
            "resource": {"attributes": attributes(&[("service.name", log.service)])},
            "scopeLogs": [{"logRecords": [{
                "timeUnixNano": format!("{}000000000", log.seconds),
                "severityText": log.severity.0,
                "severityNumber": log.severity.1,
                "body": {"stringValue": log.body},
                "attributes": attributes(log.attributes),
                "traceId": log.trace_id,
            }]}],
        })
    };
    json!({"resourceLogs": logs.iter().map(resource).collect::<Vec<_>>()}).to_string().into_bytes()
}
