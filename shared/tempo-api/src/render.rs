//! How answers are written: JSON as protobuf's mapping has it, 64-bit numbers as texts, and what is zero or empty left out.

pub(crate) mod messages;
mod series;
mod trace;
mod traces;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WARNING};
use http::{HeaderValue, StatusCode};
use icegate_traceql::Value;
use serde_json::{Map, Value as Json, json};

pub(crate) use series::{instant, range};
pub(crate) use trace::trace_json;
pub(crate) use traces::{Shows, search};

use crate::TempoError;
use crate::config::MAX_ANSWER_BYTES;
use crate::spans::{Figures, TenantSpans};

/// What answers are made of beside their matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) figures: Figures,
    /// What keeps the answer from being whole (READ-2).
    pub(crate) warnings: Vec<String>,
}

impl About {
    /// What is to say of a query's reads.
    pub(crate) fn of(spans: &TenantSpans) -> Self {
        Self { figures: spans.figures(), warnings: spans.warnings() }
    }

    /// `metrics` of an answer that says what was read.
    pub(crate) fn metrics(&self) -> Json {
        let Figures { bytes, objects, object_bytes } = self.figures;
        let mut metrics = Members::default();
        metrics.long("inspectedBytes", bytes);
        metrics.number("totalBlocks", objects);
        metrics.number("completedJobs", 1_u32);
        metrics.number("totalJobs", 1_u32);
        metrics.long("totalBlockBytes", object_bytes);
        metrics.into()
    }

    /// `status` and `message` where the answer isn't whole.
    pub(crate) fn partial(&self, into: &mut Members) {
        if !self.warnings.is_empty() {
            into.text("status", "PARTIAL");
            into.text("message", &self.warnings.join("; "));
        }
    }

    /// `warnings`, for answers of Tempo that have no place for them.
    pub(crate) fn warnings(&self, into: &mut Members) {
        into.list("warnings", self.warnings.iter().map(|warning| json!(warning)).collect());
    }

    /// An answer of one member, with what is to say of it.
    pub(crate) fn around(&self, name: &str, matter: Json) -> Json {
        let mut answer = Members::default();
        answer.set(name, matter);
        answer.set("metrics", self.metrics());
        self.warnings(&mut answer);
        answer.into()
    }

    /// The answer as JSON.
    pub(crate) fn json(&self, body: &Json) -> Result<Response, TempoError> {
        self.body("application/json", body.to_string().into_bytes())
    }

    /// The answer as protobuf.
    pub(crate) fn protobuf(&self, body: Vec<u8>) -> Result<Response, TempoError> {
        self.body("application/protobuf", body)
    }

    fn body(&self, content_type: &'static str, body: Vec<u8>) -> Result<Response, TempoError> {
        if body.len() > MAX_ANSWER_BYTES {
            return Err(TempoError::AnswerTooLarge { max: MAX_ANSWER_BYTES });
        }
        let mut response = (StatusCode::OK, [(CONTENT_TYPE, content_type)], body).into_response();
        for warning in &self.warnings {
            let text = format!("199 icegate \"{}\"", warning.replace(['"', '\\'], "'"));
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().append(WARNING, value);
            }
        }
        Ok(response)
    }
}

/// The members of an object, without those that are zero or empty.
#[derive(Debug, Default)]
pub(crate) struct Members(Map<String, Json>);

impl Members {
    pub(crate) fn set(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.set(name, json!(text));
        }
    }

    /// A number of 32 bits, as a number.
    pub(crate) fn number<N: Into<u64>>(&mut self, name: &str, number: N) {
        let number = number.into();
        if number != 0 {
            self.set(name, json!(number));
        }
    }

    /// A number of 64 bits, as a text.
    pub(crate) fn long(&mut self, name: &str, number: impl TryInto<i128>) {
        match number.try_into() {
            Ok(number) if number != 0 => self.set(name, json!(number.to_string())),
            _ => {}
        }
    }

    pub(crate) fn list(&mut self, name: &str, list: Vec<Json>) {
        if !list.is_empty() {
            self.set(name, Json::Array(list));
        }
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        Self::Object(members.0)
    }
}

/// A number with a fraction; a text where JSON has no number for it.
pub(crate) fn double(number: f64) -> Json {
    if number.is_nan() {
        json!("NaN")
    } else if number.is_infinite() {
        json!(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(number)
    }
}

/// A value with its type.
pub(crate) fn any_value(value: &Value) -> Json {
    match value {
        Value::Int(value) => json!({ "intValue": value.to_string() }),
        Value::Float(value) => json!({ "doubleValue": double(*value) }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Text(text) => json!({ "stringValue": &**text }),
        Value::Array(values) => json!({ "arrayValue": { "values": values.iter().map(any_value).collect::<Vec<_>>() } }),
        other => match other.shown() {
            Value::Text(text) => json!({ "stringValue": &*text }),
            _ => json!({}),
        },
    }
}

/// Keys with values.
pub(crate) fn pairs(all: &[(String, Value)]) -> Vec<Json> {
    all.iter().map(|(key, value)| json!({ "key": key, "value": any_value(value) })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_empty_are_left_out_and_long_numbers_are_texts() {
        let mut members = Members::default();
        members.text("a", "");
        members.number("b", 0_u32);
        members.long("c", 0_i64);
        members.list("d", Vec::new());
        members.number("e", 5_u32);
        members.long("f", u64::MAX);
        assert_eq!(Json::from(members), json!({ "e": 5, "f": "18446744073709551615" }));
    }

    #[test]
    fn values_carry_their_types() {
        let array = Value::Array([Value::Int(1), Value::Int(2)].into());
        assert_eq!(any_value(&array), json!({ "arrayValue": { "values": [{ "intValue": "1" }, { "intValue": "2" }] } }));
        assert_eq!(any_value(&Value::Float(f64::INFINITY)), json!({ "doubleValue": "Infinity" }));
        assert_eq!(any_value(&Value::Duration(1_500_000_000)), json!({ "stringValue": "1.5s" }));
    }
}
