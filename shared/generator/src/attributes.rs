//! Values of attributes as labels.

use std::borrow::Cow;
use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

/// Labels with their values, none of them empty.
pub(crate) type Labels = BTreeMap<String, String>;

/// An attribute's value as text; `None` where it isn't there or empty. Lists and bytes are no labels.
pub(crate) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<Cow<'a, str>> {
    let value = attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()?;
    match value {
        Value::StringValue(text) => Some(Cow::Borrowed(text.as_str())).filter(|text| !text.is_empty()),
        Value::BoolValue(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::IntValue(value) => Some(Cow::Owned(value.to_string())),
        Value::DoubleValue(value) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}

/// The first of these attributes that has a value.
pub(crate) fn first<'a>(attributes: &'a [KeyValue], keys: &[String]) -> Option<Cow<'a, str>> {
    keys.iter().find_map(|key| text(attributes, key))
}

/// A label's name for an attribute's key: what Prometheus doesn't allow is `_`.
pub(crate) fn label_name(key: &str) -> String {
    let name: String = key.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    if name.starts_with(|char: char| char.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};

    use super::*;

    fn pair(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }

    #[test]
    fn scalars_are_labels_and_empty_texts_and_lists_are_not() {
        let attributes = [
            pair("text", Value::StringValue("a b".to_owned())),
            pair("bool", Value::BoolValue(true)),
            pair("int", Value::IntValue(-7)),
            pair("double", Value::DoubleValue(0.5)),
            pair("empty", Value::StringValue(String::new())),
            pair("list", Value::ArrayValue(ArrayValue::default())),
        ];
        let found = |key| text(&attributes, key).map(Cow::into_owned);
        assert_eq!(["text", "bool", "int", "double"].map(|key| found(key).unwrap()), ["a b", "true", "-7", "0.5"]);
        assert_eq!(["empty", "list", "absent"].map(found), [None, None, None]);
        let keys = ["empty", "absent", "int", "text"].map(str::to_owned);
        assert_eq!(first(&attributes, &keys).as_deref(), Some("-7"));
    }

    #[test]
    fn a_label_holds_letters_digits_and_underscores() {
        assert_eq!(label_name("http.status_code"), "http_status_code");
        assert_eq!(label_name("2nd größe"), "_2nd_gr__e");
    }
}
