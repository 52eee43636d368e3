use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use icegate_schema::value_type;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::OtlpError;
use crate::json::Json;
use crate::rebuild::cells::broken;

/// The value that text and type stand for; `None` for an absent one.
pub(super) fn value(column: &'static str, text: Option<&str>, kind: Option<&str>) -> Result<Option<AnyValue>, OtlpError> {
    let Some(kind) = kind else {
        return Ok(text.map(|text| any(Value::StringValue(text.to_owned()))));
    };
    if kind == value_type::EMPTY {
        return Ok(Some(AnyValue { value: None }));
    }
    if let Some(exact) = kind.strip_prefix(value_type::OTLP_PREFIX) {
        return read(column, exact).map(Some);
    }
    let text = text.unwrap_or_default();
    let wrong = || broken(column, text, format!("a value of type {kind}"));
    let value = match kind {
        value_type::INT => text.parse().ok().map(Value::IntValue),
        value_type::DOUBLE => double(text).map(Value::DoubleValue),
        value_type::BOOL => text.parse().ok().map(Value::BoolValue),
        value_type::BYTES => STANDARD.decode(text).ok().map(Value::BytesValue),
        value_type::JSON => serde_json::from_str::<Plain>(text).ok().and_then(|plain| plain.0.value),
        _ => None,
    };
    value.map(any).map(Some).ok_or_else(wrong)
}

/// The attribute that key, text and type stand for.
pub(super) fn pair(column: &'static str, key: &str, text: Option<&str>, kind: Option<&str>) -> Result<KeyValue, OtlpError> {
    if let Some(exact) = kind.and_then(|kind| kind.strip_prefix(value_type::OTLP_PREFIX)) {
        // A key that refers to a string table has the whole pair as its type; otherwise the type is the value's.
        let whole: KeyValue = read(column, exact)?;
        if whole.key_strindex != 0 {
            return Ok(whole);
        }
    }
    Ok(KeyValue { key: key.to_owned(), value: value(column, text, kind)?, key_strindex: 0 })
}

/// Exact OTLP/JSON of a cell.
pub(super) fn read<T>(column: &'static str, json: &str) -> Result<T, OtlpError>
where
    Json<T>: serde::de::DeserializeOwned,
{
    match serde_json::from_str::<Json<T>>(json) {
        Ok(Json(message)) => Ok(message),
        Err(error) => Err(broken(column, json, format!("OTLP/JSON: {error}"))),
    }
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        digits => digits.parse().ok(),
    }
}

/// A value read from plain JSON, where a number with a point or exponent is a double and any other an integer.
struct Plain(AnyValue);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        plain(raw).map(|value| Self(any(value))).map_err(serde::de::Error::custom)
    }
}

fn plain(raw: &str) -> Result<Value, serde_json::Error> {
    Ok(match raw.as_bytes().first() {
        Some(b'{') => Value::KvlistValue(KeyValueList { values: serde_json::from_str::<Members>(raw)?.0 }),
        Some(b'[') => Value::ArrayValue(ArrayValue { values: serde_json::from_str::<Items>(raw)?.0 }),
        Some(b'"') => Value::StringValue(serde_json::from_str(raw)?),
        Some(b't' | b'f') => Value::BoolValue(serde_json::from_str(raw)?),
        _ if raw.contains(['.', 'e', 'E']) => Value::DoubleValue(raw.parse().map_err(serde::de::Error::custom)?),
        _ => Value::IntValue(raw.parse().map_err(serde::de::Error::custom)?),
    })
}

struct Items(Vec<AnyValue>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Items;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items, A::Error> {
                let mut items = Vec::new();
                while let Some(Plain(item)) = array.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Values)
    }
}

struct Members(Vec<KeyValue>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, Plain(value))) = object.next_entry()? {
                    pairs.push(KeyValue { key, value: Some(value), key_strindex: 0 });
                }
                Ok(Members(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
