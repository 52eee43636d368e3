use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, KeyValue};

/// Appends the exact OTLP/JSON of a value; `{}` for one without a value.
pub(crate) fn any_value(out: &mut String, value: &AnyValue) {
    out.push('{');
    match &value.value {
        None => {}
        Some(Value::StringValue(string)) => {
            out.push_str("\"stringValue\":");
            text(out, string);
        }
        Some(Value::BoolValue(bool)) => put(out, format_args!("\"boolValue\":{bool}")),
        Some(Value::IntValue(int)) => put(out, format_args!("\"intValue\":\"{int}\"")),
        Some(Value::DoubleValue(number)) => {
            out.push_str("\"doubleValue\":");
            double(out, *number);
        }
        Some(Value::ArrayValue(array)) => {
            out.push_str("\"arrayValue\":{\"values\":[");
            list(out, &array.values, any_value);
            out.push_str("]}");
        }
        Some(Value::KvlistValue(pairs)) => {
            out.push_str("\"kvlistValue\":{\"values\":[");
            list(out, &pairs.values, key_value);
            out.push_str("]}");
        }
        Some(Value::BytesValue(bytes)) => {
            out.push_str("\"bytesValue\":\"");
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Some(Value::StringValueStrindex(index)) => put(out, format_args!("\"stringValueStrindex\":{index}")),
    }
    out.push('}');
}

/// Appends the exact OTLP/JSON of a key with its value.
pub(crate) fn key_value(out: &mut String, pair: &KeyValue) {
    out.push_str("{\"key\":");
    text(out, &pair.key);
    if let Some(value) = &pair.value {
        out.push_str(",\"value\":");
        any_value(out, value);
    }
    if pair.key_strindex != 0 {
        put(out, format_args!(",\"keyStrindex\":{}", pair.key_strindex));
    }
    out.push('}');
}

/// Appends an OTLP/JSON array of entity references.
pub(crate) fn entity_refs(out: &mut String, entities: &[EntityRef]) {
    out.push('[');
    list(out, entities, |out, entity| {
        out.push_str("{\"schemaUrl\":");
        text(out, &entity.schema_url);
        out.push_str(",\"type\":");
        text(out, &entity.r#type);
        out.push_str(",\"idKeys\":[");
        list(out, &entity.id_keys, |out, key| text(out, key));
        out.push_str("],\"descriptionKeys\":[");
        list(out, &entity.description_keys, |out, key| text(out, key));
        out.push_str("]}");
    });
    out.push(']');
}

/// Appends a double as JSON that reads back equal, always with a point or exponent; text where JSON has no number for it.
pub(crate) fn double(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("\"NaN\"");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        put(out, format_args!("{number:?}"));
    }
}

/// Appends a JSON string.
pub(crate) fn text(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        if short.is_empty() {
            put(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(short);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

fn list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = out.write_fmt(text);
}
