//! The messages of a series but its histograms.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, exemplar};

use super::labels::{Labels, Texts, utf8};
use super::wire::{Fields, WireError};
use crate::Limits;
use crate::check::{Cause, MAX_MILLIS, SPAN_ID, TRACE_ID};

/// Types of metrics by their number in both protocols.
const TYPES: [&str; 8] = ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];
/// As they are written in [`TYPES`].
pub(super) const UNKNOWN: &str = TYPES[0];
pub(super) const COUNTER: &str = TYPES[1];
pub(super) const GAUGE_HISTOGRAM: &str = TYPES[4];

const NANOS_PER_MILLI: u64 = 1_000_000;

/// A number at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) at: i64,
    pub(super) start: i64,
}

impl Sample {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut sample = Self::default();
        for field in Fields::of("Sample", bytes) {
            let field = field?;
            match field.number {
                1 => sample.value = field.double()?,
                2 => sample.at = field.int()?,
                3 => sample.start = field.int()?,
                _ => {}
            }
        }
        Ok(sample)
    }
}

/// What is said of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Description<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'static str,
    pub(super) help: &'a str,
    pub(super) unit: &'a str,
}

impl Default for Description<'_> {
    fn default() -> Self {
        Self { name: "", kind: UNKNOWN, help: "", unit: "" }
    }
}

impl<'a> Description<'a> {
    /// `MetricMetadata`, which has its texts in it.
    pub(super) fn of_metric(bytes: &'a [u8]) -> Result<Result<Self, Cause>, WireError> {
        let (mut kind, mut texts) = (UNKNOWN, [&[][..]; 3]);
        for field in Fields::of("MetricMetadata", bytes) {
            let field = field?;
            match field.number {
                1 => kind = type_name(field.uint()?),
                2 => texts[0] = field.bytes()?,
                4 => texts[1] = field.bytes()?,
                5 => texts[2] = field.bytes()?,
                _ => {}
            }
        }
        let read = |[name, help, unit]: [&'a [u8]; 3]| Ok(Self { name: utf8(name)?, kind, help: utf8(help)?, unit: utf8(unit)? });
        Ok(read(texts).and_then(|read| if read.name.is_empty() { Err(Cause::EmptyName) } else { Ok(read) }))
    }

    /// `Metadata`, which refers to symbols.
    pub(super) fn of_series(bytes: &[u8], texts: Texts<'a>) -> Result<Result<Self, Cause>, WireError> {
        let (mut kind, mut help, mut unit) = (UNKNOWN, None, None);
        for field in Fields::of("Metadata", bytes) {
            let field = field?;
            match field.number {
                1 => kind = type_name(field.uint()?),
                3 => help = Some(field.uint()?),
                4 => unit = Some(field.uint()?),
                _ => {}
            }
        }
        let text = |reference: Option<u64>| reference.map_or(Ok(""), |reference| texts.text(reference));
        let read = || Ok(Self { name: "", kind, help: text(help)?, unit: text(unit)? });
        Ok(read())
    }
}

fn type_name(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| TYPES.get(number)).copied().unwrap_or(UNKNOWN)
}

/// Reads an exemplar; one without a time has that of its series' last sample.
pub(super) fn exemplar(
    bytes: &[u8],
    texts: Texts<'_>,
    last: Option<i64>,
    limits: &Limits,
) -> Result<Result<Exemplar, Cause>, WireError> {
    let (mut labels, mut value, mut at) = (Labels::new(limits), 0.0, 0);
    for field in Fields::of("Exemplar", bytes) {
        let field = field?;
        match field.number {
            1 => labels.add(&field, texts)?,
            2 => value = field.double()?,
            3 => at = field.int()?,
            _ => {}
        }
    }
    let at = if at == 0 { last.ok_or(Cause::NoExemplarTime) } else { Ok(at) };
    Ok(at.and_then(nanos).and_then(|at| made(labels.finish(texts)?, value, at)))
}

/// Ids that the columns hold exactly are there, so that traces are found by them.
fn made(labels: Vec<(&str, &str)>, value: f64, time_unix_nano: u64) -> Result<Exemplar, Cause> {
    let value = Some(exemplar::Value::AsDouble(value));
    let mut exemplar = Exemplar { time_unix_nano, value, ..Exemplar::default() };
    for (name, value) in labels {
        match name {
            "trace_id" if is_id(value, TRACE_ID) => exemplar.trace_id = hex::decode(value).unwrap_or_default(),
            "span_id" if is_id(value, SPAN_ID) => exemplar.span_id = hex::decode(value).unwrap_or_default(),
            _ => exemplar.filtered_attributes.push(text(name, value)),
        }
    }
    Ok(exemplar)
}

/// Whether a text is what its bytes read as.
fn is_id(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

pub(super) fn text(name: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: name.to_owned(), value, key_strindex: 0 }
}

/// Milliseconds of the protocol as nanoseconds of a row.
pub(super) fn nanos(millis: i64) -> Result<u64, Cause> {
    let whole = u64::try_from(millis).ok().filter(|_| millis <= MAX_MILLIS);
    whole.map(|millis| millis * NANOS_PER_MILLI).ok_or(Cause::SampleTime { millis })
}
