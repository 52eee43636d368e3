use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, SummaryDataPoint,
};

use crate::check::{Cause, SPAN_ID, Scale, TRACE_ID, optional_id};
use crate::prometheus_columns::PrometheusCells;

/// Cost of an exemplar beside its attributes.
const EXEMPLAR_BYTES: usize = 48;
/// Cost of a bucket, bound or quantile.
pub(crate) const NUMBER_BYTES: usize = 16;

/// A metric point of any kind: what its kind doesn't have is `None` or empty.
#[derive(Default)]
pub(crate) struct Cells<'a> {
    pub(crate) attributes: &'a [KeyValue],
    pub(crate) start: u64,
    pub(crate) time: u64,
    pub(crate) flags: u32,
    pub(crate) value_double: Option<f64>,
    pub(crate) value_int: Option<i64>,
    pub(crate) count: Option<u64>,
    pub(crate) sum: Option<f64>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) bucket_counts: Option<&'a [u64]>,
    pub(crate) explicit_bounds: Option<&'a [f64]>,
    pub(crate) scale: Option<i32>,
    pub(crate) zero_count: Option<u64>,
    pub(crate) zero_threshold: Option<f64>,
    pub(crate) positive: Option<&'a Buckets>,
    pub(crate) negative: Option<&'a Buckets>,
    pub(crate) quantiles: Option<&'a [ValueAtQuantile]>,
    pub(crate) exemplars: &'a [Exemplar],
    pub(crate) prometheus: Option<PrometheusCells<'a>>,
}

impl Cells<'_> {
    /// Adds up the point, refusing what can't be a row.
    pub(crate) fn check(&self, mut scale: Scale<'_>) -> Result<usize, Cause> {
        let buckets = self.positive.iter().chain(&self.negative).map(|buckets| buckets.bucket_counts.len()).sum::<usize>();
        let bounds = self.bucket_counts.map_or(0, <[_]>::len) + self.explicit_bounds.map_or(0, <[_]>::len);
        let own = self.prometheus.as_ref().map_or(0, PrometheusCells::numbers);
        scale.bytes((buckets + bounds + own + self.quantiles.map_or(0, <[_]>::len)) * NUMBER_BYTES);
        scale.attributes(self.attributes)?;
        for exemplar in self.exemplars {
            optional_id("exemplars.traceId", &exemplar.trace_id, TRACE_ID)?;
            optional_id("exemplars.spanId", &exemplar.span_id, SPAN_ID)?;
            scale.bytes(EXEMPLAR_BYTES);
            scale.attributes(&exemplar.filtered_attributes)?;
        }
        scale.total()
    }
}

impl<'a> From<&'a NumberDataPoint> for Cells<'a> {
    fn from(point: &'a NumberDataPoint) -> Self {
        let (value_double, value_int) = match point.value {
            Some(Value::AsDouble(value)) => (Some(value), None),
            Some(Value::AsInt(value)) => (None, Some(value)),
            None => (None, None),
        };
        Self {
            attributes: &point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            flags: point.flags,
            value_double,
            value_int,
            exemplars: &point.exemplars,
            ..Self::default()
        }
    }
}

impl<'a> From<&'a HistogramDataPoint> for Cells<'a> {
    fn from(point: &'a HistogramDataPoint) -> Self {
        Self {
            attributes: &point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            flags: point.flags,
            count: Some(point.count),
            sum: point.sum,
            min: point.min,
            max: point.max,
            bucket_counts: Some(&point.bucket_counts),
            explicit_bounds: Some(&point.explicit_bounds),
            exemplars: &point.exemplars,
            ..Self::default()
        }
    }
}

impl<'a> From<&'a ExponentialHistogramDataPoint> for Cells<'a> {
    fn from(point: &'a ExponentialHistogramDataPoint) -> Self {
        Self {
            attributes: &point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            flags: point.flags,
            count: Some(point.count),
            sum: point.sum,
            min: point.min,
            max: point.max,
            scale: Some(point.scale),
            zero_count: Some(point.zero_count),
            zero_threshold: Some(point.zero_threshold),
            positive: point.positive.as_ref(),
            negative: point.negative.as_ref(),
            exemplars: &point.exemplars,
            ..Self::default()
        }
    }
}

impl<'a> From<&'a SummaryDataPoint> for Cells<'a> {
    fn from(point: &'a SummaryDataPoint) -> Self {
        Self {
            attributes: &point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            flags: point.flags,
            count: Some(point.count),
            sum: Some(point.sum),
            quantiles: Some(&point.quantile_values),
            ..Self::default()
        }
    }
}
