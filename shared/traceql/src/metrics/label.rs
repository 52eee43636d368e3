//! Labels of series, whose values have types, as the plain labels that [`icegate_series`] computes with.

use std::fmt::Write as _;
use std::sync::Arc;

use icegate_series::{Labels, LabelsBuilder};

use crate::ast::Field;
use crate::eval::Subject;
use crate::{Value, go_duration};

/// The label of a series that is grouped by nothing.
pub(super) const NAME: &str = "__name__";

/// A value with its type in front.
pub(super) fn encode(value: &Value) -> Arc<str> {
    let mut text = String::new();
    encode_into(&mut text, value);
    text.into()
}

/// Adds a value with its type in front. Writing to a text can't fail.
pub(super) fn encode_into(text: &mut String, value: &Value) {
    _ = match value {
        Value::Int(value) => write!(text, "i:{value}"),
        Value::Float(value) => write!(text, "d:{value:?}"),
        Value::Bool(value) => write!(text, "b:{value}"),
        Value::Text(value) => write!(text, "s:{value}"),
        Value::Nil => write!(text, "s:nil"),
        Value::Status(status) => write!(text, "s:{}", status.name()),
        Value::Kind(kind) => write!(text, "s:{}", kind.name()),
        Value::Duration(nanos) => write!(text, "s:{}", go_duration(*nanos)),
        Value::Array(values) => {
            if let [one] = &values[..] {
                encode_into(text, one);
                return;
            }
            write!(text, "s:{value}")
        }
    };
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

/// By what spans are grouped.
#[derive(Clone, Debug)]
pub(super) struct Grouped {
    by: Vec<(Field, Arc<str>)>,
    /// What a series is called that is grouped by nothing.
    otherwise: Labels,
}

impl Grouped {
    pub(super) fn new(by: &[Field], otherwise: Labels) -> Self {
        Self { by: by.iter().map(|field| (field.clone(), field.to_string().into())).collect(), otherwise }
    }

    pub(super) fn is_by_nothing(&self) -> bool {
        self.by.is_empty()
    }

    /// The labels without those of a group.
    pub(super) const fn otherwise(&self) -> &Labels {
        &self.otherwise
    }

    /// Adds what tells the group of a span from all others.
    pub(super) fn key(&self, subject: Subject<'_>, into: &mut String) {
        for (field, _) in &self.by {
            let value = subject.get_first(field);
            let start = into.len();
            // Nothing isn't the text `nil`.
            if !value.is_nil() {
                encode_into(into, &value);
            }
            // With its length no value can pass for two.
            let length = into.len() - start;
            _ = write!(into, "\0{length}\0");
        }
    }

    /// The labels of a span's group: what it hasn't falls out; where it has nothing of all, the first says `nil`.
    pub(super) fn labels(&self, subject: Subject<'_>) -> Labels {
        let Some((_, first)) = self.by.first() else { return self.otherwise.clone() };
        let values = self.by.iter().map(|(field, name)| (Arc::clone(name), subject.get_first(field)));
        let mut pairs: Vec<_> = values.filter(|(_, value)| !value.is_nil()).map(|(name, value)| (name, encode(&value))).collect();
        if pairs.is_empty() {
            pairs.push((Arc::clone(first), encode(&Value::Nil)));
        }
        Labels::from_pairs(pairs)
    }
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
