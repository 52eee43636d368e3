//! What a record must satisfy to become a row.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::Limits;

/// Bytes of a trace id.
pub(crate) const TRACE_ID: usize = 16;
/// Bytes of a span id.
pub(crate) const SPAN_ID: usize = 8;
/// What a value costs that isn't text.
pub(crate) const SCALAR_BYTES: usize = 8;

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cause {
    #[error("{field} has {length} bytes, allowed are {allowed} or none")]
    OptionalId { field: &'static str, length: usize, allowed: usize },
    #[error("{field} has {length} bytes, allowed are {allowed}, not all of them zero")]
    RequiredId { field: &'static str, length: usize, allowed: usize },
    #[error("a value has more than the allowed {limit} arrays and lists inside each other")]
    TooDeep { limit: usize },
    #[error("record has about {bytes} bytes, allowed are {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("{field} is {number}, allowed are 0 to {last}")]
    UnknownNumber { field: &'static str, number: i32, last: i32 },
    #[error("name is empty, allowed is any other text")]
    EmptyName,
    #[error("no data, allowed are gauge, sum, histogram, exponentialHistogram and summary")]
    NoData,
    #[error("the stream has no label with a value, at least one is needed")]
    NoLabels,
    #[error("label name {name:?} is not allowed: it holds A-Z a-z 0-9 _ and starts with no digit")]
    LabelName { name: String },
    #[error("the timestamp is not between 1970-01-01T00:00:00.000000001Z and 2262-04-11T23:47:16.854775807Z")]
    EntryTime,
    #[error("it has no metric name: the label __name__ is missing or empty")]
    NoMetricName,
    #[error("a label has no name")]
    EmptyLabelName,
    #[error("label {name:?} is there twice")]
    RepeatedLabel { name: String },
    #[error("name or value of a label is not UTF-8")]
    LabelNotUtf8,
    #[error("the reference {reference} points behind the {symbols} symbols")]
    Symbol { reference: u64, symbols: usize },
    #[error("it has {count} references for labels: they come in pairs of name and value")]
    OddReferences { count: usize },
    #[error("it has neither a sample nor a histogram nor an exemplar")]
    EmptySeries,
    #[error("the timestamp {millis} is not between 0 and {last} milliseconds since 1970-01-01T00:00:00Z", last = MAX_MILLIS)]
    SampleTime { millis: i64 },
    #[error("it has no timestamp, and its series has no sample to take one from")]
    NoExemplarTime,
    #[error("the histogram's schema is {schema}, allowed are -53 and -4 to 52")]
    Schema { schema: i64 },
    #[error("the histogram's {what}")]
    Histogram { what: &'static str },
    #[error("the histogram's buckets have {found} observations, it says that it has {said}")]
    Observations { found: u64, said: u64 },
}

/// The last millisecond whose nanoseconds 64 bits hold.
pub(crate) const MAX_MILLIS: i64 = i64::MAX / 1_000_000;

impl Cause {
    /// Characters of what was given that a reason shows.
    pub(crate) const SHOWN: usize = 100;
}

/// An id that may be left out.
pub(crate) fn optional_id(field: &'static str, id: &[u8], allowed: usize) -> Result<(), Cause> {
    if id.is_empty() || id.len() == allowed { Ok(()) } else { Err(Cause::OptionalId { field, length: id.len(), allowed }) }
}

/// An id that must be there and not all zeros.
pub(crate) fn required_id(field: &'static str, id: &[u8], allowed: usize) -> Result<(), Cause> {
    if id.len() == allowed && id.iter().any(|byte| *byte != 0) {
        Ok(())
    } else {
        Err(Cause::RequiredId { field, length: id.len(), allowed })
    }
}

/// A number of an enumeration that goes from 0 to `last`.
pub(crate) fn known(field: &'static str, number: i32, last: i32) -> Result<(), Cause> {
    if (0..=last).contains(&number) { Ok(()) } else { Err(Cause::UnknownNumber { field, number, last }) }
}

/// How much longer than itself a text can be once it stands in JSON.
const ESCAPED: usize = 8;
/// Longest frame around a value or pair in OTLP/JSON.
const FRAME: usize = 64;

/// Adds up what a record holds and refuses it when it is too much.
pub(crate) struct Scale<'a> {
    limits: &'a Limits,
    bytes: usize,
    cells: usize,
}

impl<'a> Scale<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self { limits, bytes: 0, cells: 0 }
    }

    /// Bytes that are stored as they are.
    pub(crate) fn bytes(&mut self, bytes: usize) {
        self.text(bytes, false);
    }

    pub(crate) fn attributes(&mut self, attributes: &[KeyValue]) -> Result<(), Cause> {
        self.pairs(attributes, 0)
    }

    pub(crate) fn value(&mut self, value: Option<&AnyValue>) -> Result<(), Cause> {
        self.nested(value, 0, false)
    }

    /// The most bytes that the record's cells of any one column can hold.
    pub(crate) fn total(self) -> Result<usize, Cause> {
        let limit = self.limits.record_bytes;
        if self.bytes > limit { Err(Cause::TooLarge { bytes: self.bytes, limit }) } else { Ok(self.cells) }
    }

    fn text(&mut self, bytes: usize, in_json: bool) {
        let cells = if in_json { bytes.saturating_mul(ESCAPED).saturating_add(FRAME) } else { bytes };
        self.bytes = self.bytes.saturating_add(bytes);
        self.cells = self.cells.saturating_add(cells);
    }

    fn pairs(&mut self, pairs: &[KeyValue], depth: usize) -> Result<(), Cause> {
        for pair in pairs {
            let in_json = depth > 0 || pair.key_strindex != 0;
            self.text(pair.key.len() + SCALAR_BYTES, in_json);
            self.nested(pair.value.as_ref(), depth, in_json)?;
        }
        Ok(())
    }

    fn nested(&mut self, value: Option<&AnyValue>, depth: usize, in_json: bool) -> Result<(), Cause> {
        match value.and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => self.text(text.len(), in_json),
            Some(Value::BytesValue(bytes)) => self.text(bytes.len().saturating_mul(2), in_json),
            Some(Value::ArrayValue(array)) => {
                let depth = self.deeper(depth)?;
                for value in &array.values {
                    self.nested(Some(value), depth, true)?;
                }
            }
            Some(Value::KvlistValue(list)) => {
                let depth = self.deeper(depth)?;
                self.pairs(&list.values, depth)?;
            }
            _ => self.text(SCALAR_BYTES, true),
        }
        Ok(())
    }

    fn deeper(&mut self, depth: usize) -> Result<usize, Cause> {
        self.text(SCALAR_BYTES, true);
        let limit = self.limits.depth();
        if depth >= limit { Err(Cause::TooDeep { limit }) } else { Ok(depth + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::ArrayValue;

    fn nested(depth: usize) -> AnyValue {
        (0..depth).fold(AnyValue { value: Some(Value::IntValue(1)) }, |inner, _| AnyValue {
            value: Some(Value::ArrayValue(ArrayValue { values: vec![inner] })),
        })
    }

    #[test]
    fn values_may_nest_as_deep_as_the_limit_and_no_deeper() {
        let limits = Limits { attribute_depth: 3, ..Limits::default() };
        assert_eq!(Scale::new(&limits).value(Some(&nested(3))), Ok(()));
        assert_eq!(Scale::new(&limits).value(Some(&nested(4))), Err(Cause::TooDeep { limit: 3 }));
    }

    #[test]
    fn a_record_may_be_as_large_as_the_limit_and_no_larger() {
        let limits = Limits { record_bytes: 10, ..Limits::default() };
        let mut scale = Scale::new(&limits);
        scale.bytes(10);
        assert_eq!(scale.total(), Ok(10));
        let mut scale = Scale::new(&limits);
        scale.bytes(11);
        assert_eq!(scale.total(), Err(Cause::TooLarge { bytes: 11, limit: 10 }));
    }
}
