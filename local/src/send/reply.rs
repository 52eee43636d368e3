use std::time::Duration;

use icegate_model::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message;
use serde_json::Value;

/// What a server made of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has the rows, but for those that it refused.
    Acked(Accepted),
    /// It can't take the request now, or can't be reached; the same request may go again, after this time if it says one.
    Busy {
        /// When the server wants to be asked again.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// It won't take the request.
    Refused {
        /// Why.
        reason: String,
    },
}

/// The rows of an acknowledged request that the server refused, and its message about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) refused: u64,
    pub(crate) message: String,
}

/// Reads the export response of a success. An empty body is a full success.
///
/// # Errors
/// Why it can't be read.
pub(crate) fn accepted(json: bool, signal: Signal, body: &[u8]) -> Result<Accepted, String> {
    if body.is_empty() {
        return Ok(Accepted::default());
    }
    if json { from_json(signal, body) } else { from_protobuf(body) }
}

fn from_protobuf(body: &[u8]) -> Result<Accepted, String> {
    // The responses of the three signals have the same fields on the wire.
    let response = ExportLogsServiceResponse::decode(body).map_err(|error| error.to_string())?;
    let partial = response.partial_success.unwrap_or_default();
    Ok(Accepted { refused: u64::try_from(partial.rejected_log_records).unwrap_or(0), message: partial.error_message })
}

fn from_json(signal: Signal, body: &[u8]) -> Result<Accepted, String> {
    let response: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Some(partial) = response.get("partialSuccess") else { return Ok(Accepted::default()) };
    let field = match signal {
        Signal::Logs => "rejectedLogRecords",
        Signal::Traces => "rejectedSpans",
        Signal::Metrics => "rejectedDataPoints",
    };
    let refused = match partial.get(field) {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_u64(),
    };
    let message = partial.get("errorMessage").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Accepted { refused: refused.ok_or_else(|| format!("{field} isn't a count"))?, message })
}

/// `google.rpc.Status`, the body of an OTLP error.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// What an error's body says, empty where it says nothing.
pub(crate) fn message(json: bool, body: &[u8]) -> String {
    if json {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        return status.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    }
    Status::decode(body).map(|status| status.message).unwrap_or_default()
}

/// The delay that a gRPC status asks for in its details.
pub(crate) fn retry_delay(details: &[u8]) -> Option<Duration> {
    let status = Status::decode(details).ok()?;
    let info = status.details.into_iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.delay?;
    Some(Duration::new(
        u64::try_from(delay.seconds).ok()?,
        u32::try_from(delay.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(refused: u64, message: &str) -> Result<Accepted, String> {
        Ok(Accepted { refused, message: message.to_owned() })
    }

    #[test]
    fn the_refused_count_is_read_from_json_as_text_and_as_number() {
        let answer = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"bad ids"}}"#;
        assert_eq!(accepted(true, Signal::Traces, answer), refused(3, "bad ids"));
        assert_eq!(accepted(true, Signal::Logs, br#"{"partialSuccess":{"rejectedLogRecords":2}}"#), refused(2, ""));
        for full in ["", "{}", r#"{"partialSuccess":{}}"#, r#"{"partialSuccess":{"rejectedDataPoints":0,"errorMessage":""}}"#] {
            assert_eq!(accepted(true, Signal::Metrics, full.as_bytes()), refused(0, ""), "{full}");
        }
        assert!(accepted(true, Signal::Logs, b"<html>").is_err());
        assert!(accepted(true, Signal::Logs, br#"{"partialSuccess":{"rejectedLogRecords":"-1"}}"#).is_err());
    }

    #[test]
    fn the_refused_count_is_read_from_protobuf() {
        // partial_success (1) { rejected (1): 3, error_message (2): "no" }
        for signal in Signal::ALL {
            assert_eq!(accepted(false, signal, &[0x0a, 6, 0x08, 3, 0x12, 2, b'n', b'o']), refused(3, "no"));
            assert_eq!(accepted(false, signal, &[]), refused(0, ""));
        }
        assert!(accepted(false, Signal::Logs, &[0x0a, 9]).is_err());
    }

    #[test]
    fn an_errors_message_is_read_from_either_encoding() {
        assert_eq!(message(true, br#"{"code":14,"message":"busy"}"#), "busy");
        assert_eq!(message(false, &[0x08, 14, 0x12, 4, b'b', b'u', b's', b'y']), "busy");
        assert_eq!(message(true, b"Bad Gateway"), "");
    }

    #[test]
    fn a_retry_delay_is_found_among_the_details() {
        let info = RetryInfo { delay: Some(Delay { seconds: 2, nanos: 500_000_000 }) };
        let detail = Detail { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: info.encode_to_vec() };
        let status = Status { message: "busy".to_owned(), details: vec![Detail::default(), detail] };
        assert_eq!(retry_delay(&status.encode_to_vec()), Some(Duration::from_millis(2_500)));
        assert_eq!(retry_delay(&[]), None);
    }
}
