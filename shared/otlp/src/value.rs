//! One `AnyValue` as text and type (`icegate_schema::value_type`).

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use icegate_schema::value_type;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::json;

/// Buffers that texts are written into, kept from one value to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    text: String,
    kind: String,
}

/// What the cells of a value hold; `kind` is `None` for a string and for no value at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rendered<'a> {
    pub(crate) text: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
}

/// Text and type of a value.
pub(crate) fn render<'a>(value: Option<&'a AnyValue>, scratch: &'a mut Scratch) -> Rendered<'a> {
    render_into(value, &mut scratch.text, &mut scratch.kind)
}

/// The key of an attribute: one that refers to a string table reads as its index.
pub(crate) fn key(pair: &KeyValue) -> Cow<'_, str> {
    if pair.key.is_empty() && pair.key_strindex != 0 {
        Cow::Owned(format!("strindex:{}", pair.key_strindex))
    } else {
        Cow::Borrowed(&pair.key)
    }
}

/// Key, text and type of an attribute.
pub(crate) fn render_pair<'a>(pair: &'a KeyValue, scratch: &'a mut Scratch) -> (Cow<'a, str>, Rendered<'a>) {
    let key = key(pair);
    if pair.key_strindex == 0 {
        return (key, render(pair.value.as_ref(), scratch));
    }
    let Scratch { text, kind } = scratch;
    let given = render_into(pair.value.as_ref(), text, kind).text.is_some();
    // A string's text is borrowed from the message, every other one lies in the buffer.
    let text = match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(string)) => Some(string.as_str()),
        _ => given.then_some(text.as_str()),
    };
    exact(kind, |kind| json::key_value(kind, pair));
    (key, Rendered { text, kind: Some(kind) })
}

fn render_into<'a>(value: Option<&'a AnyValue>, text: &'a mut String, kind: &'a mut String) -> Rendered<'a> {
    text.clear();
    let Some(value) = value else { return Rendered { text: None, kind: None } };
    let kind: &str = match &value.value {
        None => return Rendered { text: None, kind: Some(value_type::EMPTY) },
        Some(Value::StringValue(string)) => return Rendered { text: Some(string), kind: None },
        Some(Value::BoolValue(bool)) => {
            text.push_str(if *bool { "true" } else { "false" });
            value_type::BOOL
        }
        Some(Value::IntValue(int)) => {
            put(text, format_args!("{int}"));
            value_type::INT
        }
        Some(Value::DoubleValue(number)) => {
            double(text, *number);
            value_type::DOUBLE
        }
        Some(Value::BytesValue(bytes)) => {
            STANDARD.encode_string(bytes, text);
            value_type::BYTES
        }
        Some(Value::StringValueStrindex(index)) => {
            put(text, format_args!("{index}"));
            exact(kind, |kind| json::any_value(kind, value));
            kind
        }
        Some(Value::ArrayValue(_) | Value::KvlistValue(_)) => {
            if plain(Some(value), text) {
                value_type::JSON
            } else {
                exact(kind, |kind| json::any_value(kind, value));
                kind
            }
        }
    };
    Rendered { text: Some(text), kind: Some(kind) }
}

fn exact(kind: &mut String, write: impl FnOnce(&mut String)) {
    kind.clear();
    kind.push_str(value_type::OTLP_PREFIX);
    write(kind);
}

/// Appends the shortest decimal that reads back equal, with an exponent outside 1e-6 to 1e21 as ECMAScript and Go do.
fn double(out: &mut String, number: f64) {
    let magnitude = number.abs();
    if number.is_nan() {
        out.push_str("NaN");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        put(out, format_args!("{number}"));
    } else {
        let start = out.len();
        put(out, format_args!("{number:e}"));
        if magnitude >= 1.0
            && let Some(exponent) = out[start..].find('e')
        {
            out.insert(start + exponent + 1, '+');
        }
    }
}

/// Appends the nearest plain JSON, members sorted by key as Loki prints them; whether it reads back equal.
fn plain(value: Option<&AnyValue>, out: &mut String) -> bool {
    match value.and_then(|value| value.value.as_ref()) {
        None => {
            out.push_str("null");
            false
        }
        Some(Value::StringValue(string)) => {
            json::text(out, string);
            true
        }
        Some(Value::BoolValue(bool)) => {
            out.push_str(if *bool { "true" } else { "false" });
            true
        }
        Some(Value::IntValue(int)) => {
            put(out, format_args!("{int}"));
            true
        }
        Some(Value::DoubleValue(number)) => {
            json::double(out, *number);
            number.is_finite()
        }
        Some(Value::BytesValue(bytes)) => {
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
            false
        }
        Some(Value::StringValueStrindex(index)) => {
            put(out, format_args!("{index}"));
            false
        }
        Some(Value::ArrayValue(array)) => plain_array(&array.values, out),
        Some(Value::KvlistValue(list)) => plain_object(&list.values, out),
    }
}

fn plain_array(values: &[AnyValue], out: &mut String) -> bool {
    let mut equal = true;
    out.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        equal &= plain(Some(value), out);
    }
    out.push(']');
    equal
}

fn plain_object(pairs: &[KeyValue], out: &mut String) -> bool {
    let mut equal = pairs.is_sorted_by(|left, right| left.key < right.key);
    let mut sorted: Vec<&KeyValue> = pairs.iter().collect();
    sorted.sort_by(|left, right| left.key.cmp(&right.key));
    sorted.dedup_by(|later, first| later.key == first.key);
    out.push('{');
    for (at, pair) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        json::text(out, &pair.key);
        out.push(':');
        equal &= plain(pair.value.as_ref(), out) && pair.key_strindex == 0;
    }
    out.push('}');
    equal
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(any(value)), key_strindex: 0 }
    }

    fn check(value: Value, text: &str, kind: Option<&str>) {
        let value = any(value);
        assert_eq!(render(Some(&value), &mut Scratch::default()), Rendered { text: Some(text), kind }, "{value:?}");
    }

    #[test]
    fn scalars_read_as_people_write_them() {
        check(Value::StringValue(String::new()), "", None);
        check(Value::BoolValue(true), "true", Some("bool"));
        check(Value::IntValue(i64::MIN), "-9223372036854775808", Some("int"));
        check(Value::BytesValue(vec![0xfb, 0xff]), "+/8=", Some("bytes"));
        for (number, text) in [
            (5.0, "5"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            check(Value::DoubleValue(number), text, Some("double"));
        }
    }

    #[test]
    fn absent_and_empty_values_are_told_apart() {
        assert_eq!(render(None, &mut Scratch::default()), Rendered { text: None, kind: None });
        let empty = AnyValue { value: None };
        assert_eq!(render(Some(&empty), &mut Scratch::default()), Rendered { text: None, kind: Some("empty") });
    }

    #[test]
    fn sorted_lists_of_plain_values_are_json() {
        let inner = Value::ArrayValue(ArrayValue { values: vec![any(Value::IntValue(1)), any(Value::DoubleValue(1.0))] });
        let list = KeyValueList { values: vec![pair("a", Value::StringValue("x\"\u{1}".to_owned())), pair("b", inner)] };
        check(Value::KvlistValue(list), r#"{"a":"x\"\u0001","b":[1,1.0]}"#, Some("json"));
    }

    #[test]
    fn what_plain_json_cannot_hold_keeps_the_exact_message() {
        let bytes = Value::ArrayValue(ArrayValue { values: vec![any(Value::BytesValue(vec![1])), AnyValue { value: None }] });
        let exact = r#"otlp:{"arrayValue":{"values":[{"bytesValue":"AQ=="},{}]}}"#;
        check(bytes, r#"["AQ==",null]"#, Some(exact));

        let repeated = KeyValueList { values: vec![pair("b", Value::IntValue(1)), pair("b", Value::IntValue(2))] };
        let exact =
            r#"otlp:{"kvlistValue":{"values":[{"key":"b","value":{"intValue":"1"}},{"key":"b","value":{"intValue":"2"}}]}}"#;
        check(Value::KvlistValue(repeated), r#"{"b":1}"#, Some(exact));

        check(Value::StringValueStrindex(7), "7", Some(r#"otlp:{"stringValueStrindex":7}"#));
    }

    #[test]
    fn a_key_from_a_string_table_is_kept_as_its_index() {
        let pair = KeyValue { key: String::new(), value: Some(any(Value::StringValue("v".to_owned()))), key_strindex: 3 };
        let mut scratch = Scratch::default();
        let (key, rendered) = render_pair(&pair, &mut scratch);
        assert_eq!((key.as_ref(), rendered.text), ("strindex:3", Some("v")));
        assert_eq!(rendered.kind, Some(r#"otlp:{"key":"","value":{"stringValue":"v"},"keyStrindex":3}"#));
    }
}
