//! What a pass added to the series of a metric, as points of OTLP.

use std::collections::BTreeMap;

use icegate_model::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, exemplar, number_data_point,
};

use crate::attributes::Labels;

/// The interval in which a pass counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

/// A counter's series.
pub(crate) type Counters = BTreeMap<Labels, u64>;
/// A histogram's series.
pub(crate) type Histograms = BTreeMap<Labels, Durations>;

/// Durations in buckets. Nanoseconds are added up as they are, so that their order doesn't matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Durations {
    /// One more than there are bounds.
    counts: Vec<u64>,
    nanos: u128,
    longest: Option<Example>,
}

/// The span that a histogram's point shows as an example.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Example {
    nanos: u64,
    trace: Vec<u8>,
    span: Vec<u8>,
}

impl Durations {
    pub(crate) fn add(&mut self, nanos: u64, bounds: &[f64], trace: &[u8], span: &[u8]) {
        self.counts.resize(bounds.len() + 1, 0);
        let value = seconds(u128::from(nanos));
        self.counts[bounds.partition_point(|bound| *bound < value)] += 1;
        self.nanos += u128::from(nanos);
        if self.longest.as_ref().is_none_or(|longest| longest.nanos < nanos) {
            self.longest = Some(Example { nanos, trace: trace.to_vec(), span: span.to_vec() });
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "as precise as a point's sum is")]
fn seconds(nanos: u128) -> f64 {
    nanos as f64 / 1e9
}

/// A counter. Its name holds everything that a translation to Prometheus' names would add.
pub(crate) fn counter(name: &str, description: &str, series: Counters, interval: Interval) -> Option<Metric> {
    let point = |(labels, count): (Labels, u64)| NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: nanos(interval.start),
        time_unix_nano: nanos(interval.end),
        value: Some(number_data_point::Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX))),
        ..NumberDataPoint::default()
    };
    let data = Sum {
        data_points: series.into_iter().map(point).collect(),
        aggregation_temporality: AggregationTemporality::Delta.into(),
        is_monotonic: true,
    };
    metric(name, description, "", data.data_points.is_empty(), Data::Sum(data))
}

/// A histogram of seconds. `unit` is empty where the name doesn't say seconds, since a translation would say it.
pub(crate) fn histogram(
    name: &str,
    (unit, description): (&str, &str),
    bounds: &[f64],
    series: Histograms,
    interval: Interval,
) -> Option<Metric> {
    let point = |(labels, durations): (Labels, Durations)| HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: nanos(interval.start),
        time_unix_nano: nanos(interval.end),
        count: durations.counts.iter().sum(),
        sum: Some(seconds(durations.nanos)),
        bucket_counts: durations.counts,
        explicit_bounds: bounds.to_vec(),
        exemplars: durations.longest.map(|example| example.exemplar(interval.end)).into_iter().collect(),
        ..HistogramDataPoint::default()
    };
    let data = Histogram {
        data_points: series.into_iter().map(point).collect(),
        aggregation_temporality: AggregationTemporality::Delta.into(),
    };
    metric(name, description, unit, data.data_points.is_empty(), Data::Histogram(data))
}

impl Example {
    fn exemplar(self, at: Timestamp) -> Exemplar {
        Exemplar {
            time_unix_nano: nanos(at),
            value: Some(exemplar::Value::AsDouble(seconds(u128::from(self.nanos)))),
            trace_id: self.trace,
            span_id: self.span,
            ..Exemplar::default()
        }
    }
}

fn metric(name: &str, description: &str, unit: &str, is_empty: bool, data: Data) -> Option<Metric> {
    let (name, description, unit) = (name.to_owned(), description.to_owned(), unit.to_owned());
    (!is_empty).then(|| Metric { name, description, unit, data: Some(data), ..Metric::default() })
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    let pair =
        |(key, text)| KeyValue { key, value: Some(AnyValue { value: Some(Value::StringValue(text)) }), ..KeyValue::default() };
    labels.into_iter().map(pair).collect()
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.nanos()).unwrap_or_default()
}
