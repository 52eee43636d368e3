use std::collections::BTreeMap;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, SET_COOKIE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue};
use lambda_runtime::{MetadataPrelude, StreamResponse};
use serde::Serialize;

use super::event::Payload;

/// Bytes that Lambda passes on of an answer, by its own error.
const MAX_PAYLOAD_BYTES: usize = 6_291_556;
/// What an answer has beside its body: a gateway takes 10 KB of headers.
const ENVELOPE_BYTES: usize = 16 << 10;
/// Bytes of a body as it stands in an answer.
pub(crate) const MAX_BODY_BYTES: usize = MAX_PAYLOAD_BYTES - ENVELOPE_BYTES;

/// An answer as AWS reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply {
    status_code: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    /// Of payload 2.0, where tools that stand in for AWS want it also when it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

impl Reply {
    /// The answer; `None` where Lambda would not pass it on.
    pub(crate) fn of(payload: Payload, head: Parts, body: &Bytes) -> Option<Self> {
        let (body, is_base64_encoded) = encoded(&head.headers, body)?;
        let mut reply = Self { status_code: head.status.as_u16(), body, is_base64_encoded, ..Self::failed() };
        for name in head.headers.keys().filter(|name| *name != CONTENT_LENGTH) {
            let values = texts(&head.headers, name.as_str());
            match payload {
                Payload::One => {
                    reply.multi_value_headers.insert(name.to_string(), values);
                }
                Payload::Two if name == SET_COOKIE => reply.cookies = Some(values),
                // It has no place for several values, and HTTP reads a list as several.
                Payload::Two => {
                    reply.headers.insert(name.to_string(), values.join(", "));
                }
            }
        }
        if payload == Payload::Two {
            reply.cookies.get_or_insert_default();
        }
        Some(reply)
    }

    /// The answer where even an error can't be written.
    pub(crate) const fn failed() -> Self {
        Self {
            status_code: 500,
            headers: BTreeMap::new(),
            multi_value_headers: BTreeMap::new(),
            cookies: None,
            body: String::new(),
            is_base64_encoded: false,
        }
    }
}

/// The answer as a stream, which is not encoded in any way.
pub(crate) fn stream(head: Parts, body: Body) -> StreamResponse<axum::body::BodyDataStream> {
    let mut headers = head.headers;
    let cookies = texts(&headers, SET_COOKIE.as_str());
    headers.remove(SET_COOKIE);
    headers.remove(CONTENT_LENGTH);
    StreamResponse {
        metadata_prelude: MetadataPrelude { status_code: head.status, headers, cookies },
        stream: body.into_data_stream(),
    }
}

fn texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(name).iter().map(text).collect()
}

/// A body as text, or as base64 where it is no text or where that is shorter than the text with its escapes.
fn encoded(headers: &HeaderMap, body: &Bytes) -> Option<(String, bool)> {
    let text = if headers.contains_key(CONTENT_ENCODING) { None } else { std::str::from_utf8(body).ok() };
    let in_base64 = body.len().div_ceil(3) * 4;
    if let Some(text) = text.filter(|text| escaped_length(text) <= in_base64.min(MAX_BODY_BYTES)) {
        return Some((text.to_owned(), false));
    }
    (in_base64 <= MAX_BODY_BYTES).then(|| (STANDARD.encode(body), true))
}

/// Bytes of a text between the quotes of JSON.
fn escaped_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_escaped_text_is_that_of_its_json() {
        for text in ["", "plain", "{\"a\":\"b\\n\"}", "\u{0}\u{1f}\u{7f}\t\r\n\u{8}\u{c}", "ü𝄞"] {
            assert_eq!(escaped_length(text) + 2, serde_json::to_string(text).unwrap().len(), "{text:?}");
        }
    }

    #[test]
    fn the_largest_reply_is_passed_on_by_lambda_and_a_byte_more_is_not() {
        let head = || http::Response::new(()).into_parts().0;
        for (body, more) in [
            (vec![b'a'; MAX_BODY_BYTES], b'a'),
            (vec![0xff; MAX_BODY_BYTES / 4 * 3], 0xff),
            // Every byte is escaped as two: base64 is shorter.
            (vec![b'"'; MAX_BODY_BYTES / 4 * 3], b'"'),
        ] {
            let reply = Reply::of(Payload::Two, head(), &body.clone().into()).unwrap();
            assert!(serde_json::to_vec(&reply).unwrap().len() <= MAX_PAYLOAD_BYTES);
            let body = [&body[..], &[more; 4]].concat();
            assert!(Reply::of(Payload::Two, head(), &body.into()).is_none());
        }
    }
}
