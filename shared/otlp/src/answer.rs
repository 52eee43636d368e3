use icegate_model::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;

use crate::{Encoding, Rejected, json};

/// The body of the answer to an accepted request: the signal's export response in the request's encoding.
///
/// In protobuf, `partial_success` is unset when nothing was refused, which makes the body empty. In JSON it is always there.
#[must_use]
pub fn response(signal: Signal, encoding: Encoding, rejected: &Rejected) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => protobuf_response(signal, rejected),
        Encoding::Json => json_response(signal, rejected),
    }
}

/// The body of the answer to a refused request: `google.rpc.Status` in the request's encoding.
#[must_use]
pub fn status_body(encoding: Encoding, grpc_code: i32, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => Status { code: grpc_code, message: message.to_owned() }.encode_to_vec(),
        Encoding::Json => {
            let mut body = format!("{{\"code\":{grpc_code},\"message\":");
            json::text(&mut body, message);
            body.push('}');
            body.into_bytes()
        }
    }
}

/// `google.rpc.Status` without its details.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn protobuf_response(signal: Signal, rejected: &Rejected) -> Vec<u8> {
    if rejected.count == 0 {
        return Vec::new();
    }
    let count = i64::try_from(rejected.count).unwrap_or(i64::MAX);
    let error_message = rejected.message();
    match signal {
        Signal::Logs => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: count, error_message };
            ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        Signal::Traces => {
            let partial = ExportTracePartialSuccess { rejected_spans: count, error_message };
            ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
        Signal::Metrics => {
            let partial = ExportMetricsPartialSuccess { rejected_data_points: count, error_message };
            ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
        }
    }
}

fn json_response(signal: Signal, rejected: &Rejected) -> Vec<u8> {
    let count = match signal {
        Signal::Logs => "rejectedLogRecords",
        Signal::Traces => "rejectedSpans",
        Signal::Metrics => "rejectedDataPoints",
    };
    let mut body = format!("{{\"partialSuccess\":{{\"{count}\":{},\"errorMessage\":", rejected.count);
    json::text(&mut body, &rejected.message());
    body.push_str("}}");
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Rejected {
        Rejected { count: 2, reasons: vec!["a \"b\"".to_owned(), "c".to_owned()] }
    }

    #[test]
    fn a_json_answer_always_tells_what_was_refused() {
        let none = response(Signal::Logs, Encoding::Json, &Rejected::default());
        assert_eq!(none, br#"{"partialSuccess":{"rejectedLogRecords":0,"errorMessage":""}}"#);
        let spans = response(Signal::Traces, Encoding::Json, &two());
        assert_eq!(spans, br#"{"partialSuccess":{"rejectedSpans":2,"errorMessage":"a \"b\"; c"}}"#);
        let points = response(Signal::Metrics, Encoding::Json, &Rejected::default());
        assert_eq!(points, br#"{"partialSuccess":{"rejectedDataPoints":0,"errorMessage":""}}"#);
    }

    #[test]
    fn a_protobuf_answer_is_empty_when_nothing_was_refused() {
        assert!(response(Signal::Metrics, Encoding::Protobuf, &Rejected::default()).is_empty());
        let body = response(Signal::Logs, Encoding::Protobuf, &two());
        let partial = ExportLogsServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
        assert_eq!((partial.rejected_log_records, partial.error_message.as_str()), (2, "a \"b\"; c"));
    }

    #[test]
    fn a_status_has_code_and_message_in_both_encodings() {
        assert_eq!(status_body(Encoding::Json, 3, "no\nway"), br#"{"code":3,"message":"no\nway"}"#);
        // Field 1 as a varint, field 2 with its length.
        assert_eq!(status_body(Encoding::Protobuf, 3, "no"), [0x08, 3, 0x12, 2, b'n', b'o']);
    }
}
