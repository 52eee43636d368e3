//! JSON as Python's `json.dumps(value, sort_keys=True)` writes it, which the recorded digests are of.

use serde_json::Value as Json;

/// With characters beyond ASCII as they are.
pub(super) fn dump(json: &Json) -> String {
    let mut text = String::new();
    write(json, false, &mut text);
    text
}

/// With characters beyond ASCII escaped.
pub(super) fn dump_ascii(json: &Json) -> String {
    let mut text = String::new();
    write(json, true, &mut text);
    text
}

/// A number as Python's `repr` has it.
pub(super) fn float(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap();
        let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{value:?}")
}

fn write(json: &Json, ascii: bool, into: &mut String) {
    match json {
        Json::String(text) => string(text, ascii, into),
        Json::Array(values) => {
            into.push('[');
            for (index, value) in values.iter().enumerate() {
                into.push_str(if index > 0 { ", " } else { "" });
                write(value, ascii, into);
            }
            into.push(']');
        }
        Json::Object(values) => {
            into.push('{');
            let mut pairs: Vec<_> = values.iter().collect();
            pairs.sort_by_key(|(key, _)| key.as_str());
            for (index, (key, value)) in pairs.into_iter().enumerate() {
                into.push_str(if index > 0 { ", " } else { "" });
                string(key, ascii, into);
                into.push_str(": ");
                write(value, ascii, into);
            }
            into.push('}');
        }
        other => into.push_str(&other.to_string()),
    }
}

fn string(text: &str, ascii: bool, into: &mut String) {
    into.push('"');
    for char in text.chars() {
        match char {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            _ if char < ' ' => into.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ if ascii && !char.is_ascii() => {
                char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| into.push_str(&format!("\\u{unit:04x}")));
            }
            _ => into.push(char),
        }
    }
    into.push('"');
}
