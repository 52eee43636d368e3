//! Functions that encode and decode.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::value::Value;
use super::{Function, fixed, text};

/// With padding or without.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("b64enc", 1, |_, v| Ok(Value::owned(BASE64.encode(text(v, 0)?)))),
    fixed("b64dec", 1, |_, v| {
        let bytes = BASE64.decode(text(v, 0)?).map_err(|error| error.to_string())?;
        Ok(Value::owned(String::from_utf8_lossy(&bytes).into_owned()))
    }),
    fixed("urlencode", 1, |_, v| Ok(Value::owned(query_escape(text(v, 0)?)))),
    fixed("urldecode", 1, |_, v| query_unescape(text(v, 0)?).map(Value::owned)),
    fixed("fromJson", 1, |_, v| Ok(serde_json::from_str::<serde_json::Value>(text(v, 0)?).map_or(Value::Nil, Value::from))),
];

/// As a value in the query of a URL.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            // Writing to a string can't fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn query_unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut decoded = [0];
                let digits = bytes.get(at + 1..at + 3);
                let decoding = digits.map(|digits| hex::decode_to_slice(digits, &mut decoded));
                if !matches!(decoding, Some(Ok(()))) {
                    let end = (at + 3).min(bytes.len());
                    return Err(format!("invalid URL escape {:?}", String::from_utf8_lossy(&bytes[at..end])));
                }
                out.push(decoded[0]);
                at += 2;
            }
            byte => out.push(*byte),
        }
        at += 1;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{FFFD}'),
            _ => out.push(char),
        }
    }
    out
}

pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => _ = write!(out, "\\u{:04X}", u32::from(char)),
            _ if char < ' ' => _ = write!(out, "\\u{:04X}", u32::from(char)),
            _ => out.push(char),
        }
    }
    out
}
