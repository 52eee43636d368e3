//! Labels of series, whose values have types, as the plain labels that [`icegate_series`] computes with.

use std::sync::Arc;

use icegate_series::{Labels, LabelsBuilder};

use crate::Value;
use crate::ast::Field;
use crate::eval::Subject;

/// The label of a series that is grouped by nothing.
pub(super) const NAME: &str = "__name__";

/// A value with its type in front.
pub(super) fn encode(value: &Value) -> Arc<str> {
    match value.shown() {
        Value::Int(value) => format!("i:{value}"),
        Value::Float(value) => format!("d:{value:?}"),
        Value::Bool(value) => format!("b:{value}"),
        Value::Text(value) => format!("s:{value}"),
        other => format!("s:{other}"),
    }
    .into()
}

/// The value that was encoded.
pub(super) fn decode(text: &str) -> Value {
    let (kind, text) = text.split_once(':').unwrap_or(("s", text));
    match kind {
        "i" => text.parse().map_or(Value::Nil, Value::Int),
        "d" => text.parse().map_or(Value::Nil, Value::Float),
        "b" => Value::Bool(text == "true"),
        _ => Value::text(text),
    }
}

/// One label.
pub(super) fn one(name: &str, value: &Value) -> Labels {
    Labels::from_pairs([(name, encode(value))])
}

/// The labels, and one more.
pub(super) fn with(labels: &Labels, name: &str, value: &Value) -> Labels {
    let mut builder = LabelsBuilder::default();
    labels.iter().for_each(|label| builder.set(Arc::clone(&label.name), Arc::clone(&label.value)));
    builder.set(name, encode(value));
    builder.build()
}

/// By what a span is grouped: what it doesn't have falls out; where it has nothing of all, the first says `nil`.
pub(super) fn grouped(by: &[(Field, Arc<str>)], subject: Subject<'_>) -> Labels {
    let mut builder = LabelsBuilder::default();
    let mut empty = true;
    for (field, name) in by {
        let value = subject.get_first(field);
        if !value.is_nil() {
            builder.set(Arc::clone(name), encode(&value));
            empty = false;
        }
    }
    if let (Some((_, name)), true) = (by.first(), empty) {
        builder.set(Arc::clone(name), encode(&Value::text("nil")));
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Status};

    #[test]
    fn values_keep_their_types() {
        for value in
            [Value::Int(-5), Value::Float(0.5), Value::Float(5.0), Value::Bool(true), Value::text("a:b"), Value::text("")]
        {
            assert_eq!(decode(&encode(&value)), value);
        }
        assert_eq!(&*encode(&Value::Status(Status::Error)), "s:error");
        assert_eq!(&*encode(&Value::Kind(Kind::Server)), "s:server");
        assert_eq!(&*encode(&Value::Duration(1_500_000_000)), "s:1.5s");
    }
}
