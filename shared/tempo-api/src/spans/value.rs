use icegate_schema::value_type;
use icegate_traceql::Value;
use serde_json::Value as Json;

/// The value that text and type stand for: [`Value::Nil`] for what TraceQL can't see (bytes, maps, arrays of mixed types) and for what
/// has no value; `None` where the text isn't of the type.
pub(super) fn typed(text: Option<&str>, kind: Option<&str>) -> Option<Value> {
    let Some(kind) = kind else { return Some(text.map_or(Value::Nil, Value::text)) };
    let text = text.unwrap_or_default();
    match kind {
        value_type::INT => text.parse().ok().map(Value::Int),
        value_type::DOUBLE => double(text).map(Value::Float),
        value_type::BOOL => text.parse().ok().map(Value::Bool),
        value_type::BYTES | value_type::EMPTY => Some(Value::Nil),
        value_type::JSON => serde_json::from_str(text).ok().map(|json: Json| plain(&json)),
        exact => {
            let exact: Json = serde_json::from_str(exact.strip_prefix(value_type::OTLP_PREFIX)?).ok()?;
            Some(exact["arrayValue"]["values"].as_array().map_or(Value::Nil, |values| array(values.iter().map(exact_value))))
        }
    }
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        digits => digits.parse().ok(),
    }
}

/// Plain JSON, where a number with a point or exponent is a double and any other an integer.
fn plain(json: &Json) -> Value {
    match json {
        Json::Array(values) => array(values.iter().map(scalar)),
        other => scalar(other),
    }
}

fn scalar(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::text(&**text),
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => number.as_f64().map_or(Value::Nil, Value::Float),
        },
        _ => Value::Nil,
    }
}

/// A value in OTLP/JSON, as far as an array holds it.
fn exact_value(json: &Json) -> Value {
    let Some((kind, value)) = json.as_object().and_then(|members| members.iter().next()) else { return Value::Nil };
    match (kind.as_str(), value) {
        ("stringValue", Json::String(text)) => Value::text(&**text),
        ("intValue", Json::String(digits)) => digits.parse().map_or(Value::Nil, Value::Int),
        ("boolValue", Json::Bool(value)) => Value::Bool(*value),
        ("doubleValue", Json::String(text)) => double(text).map_or(Value::Nil, Value::Float),
        ("doubleValue", Json::Number(number)) => number.as_f64().map_or(Value::Nil, Value::Float),
        _ => Value::Nil,
    }
}

/// An array of one type that TraceQL has, else nothing that it sees.
fn array(values: impl Iterator<Item = Value>) -> Value {
    let values: Vec<Value> = values.collect();
    let kind = values.first().map(std::mem::discriminant);
    let alike = values.iter().all(|value| !value.is_nil() && Some(std::mem::discriminant(value)) == kind);
    if alike { Value::Array(values.into()) } else { Value::Nil }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_types_that_were_sent() {
        let numbers = |values: &[i64]| Value::Array(values.iter().copied().map(Value::Int).collect());
        for (text, kind, value) in [
            (Some("500"), None, Value::text("500")),
            (Some(""), None, Value::text("")),
            (None, None, Value::Nil),
            (Some("500"), Some("int"), Value::Int(500)),
            (Some("5"), Some("double"), Value::Float(5.0)),
            (Some("-Infinity"), Some("double"), Value::Float(f64::NEG_INFINITY)),
            (Some("true"), Some("bool"), Value::Bool(true)),
            (Some("AQ=="), Some("bytes"), Value::Nil),
            (None, Some("empty"), Value::Nil),
            (Some("[1,2]"), Some("json"), numbers(&[1, 2])),
            (Some("[1.0]"), Some("json"), Value::Array([Value::Float(1.0)].into())),
            (Some("[]"), Some("json"), numbers(&[])),
            (Some(r#"[1,"a"]"#), Some("json"), Value::Nil),
            (Some(r#"{"a":1}"#), Some("json"), Value::Nil),
            (Some("[[1]]"), Some("json"), Value::Nil),
            (Some("[null]"), Some(r#"otlp:{"arrayValue":{"values":[{}]}}"#), Value::Nil),
            (
                Some("[\"Infinity\",1.5]"),
                Some(r#"otlp:{"arrayValue":{"values":[{"doubleValue":"Infinity"},{"doubleValue":1.5}]}}"#),
                Value::Array([Value::Float(f64::INFINITY), Value::Float(1.5)].into()),
            ),
        ] {
            assert_eq!(typed(text, kind), Some(value), "{text:?} {kind:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_of_its_type_is_no_value() {
        for (text, kind) in [("x", "int"), ("", "bool"), ("[", "json"), ("1", "unheard"), ("1", "otlp:{")] {
            assert_eq!(typed(Some(text), Some(kind)), None, "{text} {kind}");
        }
    }
}
