use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, SummaryDataPoint, exemplar,
};

use super::{Draw, shop};
use crate::send::random::{Random, Stream};

/// Bounds of a histogram in seconds, by OpenTelemetry's HTTP conventions.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// How many requests of a round fall into each bucket, about.
const SHARES: [u64; BOUNDS.len() + 1] = [40, 80, 160, 120, 60, 40, 60, 20, 8, 4, 4, 2, 1, 1, 1];
/// Buckets of an exponential histogram of scale 2, which grow by the fourth root of two; the first ends at 2^-9 s.
const EXPONENTIAL: (i32, i32) = (2, -37);
/// How many operations of a round fall into each of them, about.
const OPERATIONS: [u64; 10] = [5, 20, 60, 110, 90, 40, 20, 10, 4, 2];
/// Of a summary.
const QUANTILES: [(f64, f64); 4] = [(0.5, 12.0), (0.9, 38.0), (0.99, 140.0), (1.0, 450.0)];

/// Where a point stands.
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) series: u64,
    /// How many values its series has before.
    pub(super) round: u64,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) time: u64,
    pub(super) began: u64,
}

impl Place {
    fn attributes(&self) -> Vec<KeyValue> {
        vec![shop::text("http.request.method", self.method), shop::text("http.route", self.route)]
    }

    fn random(&self, draw: &Draw) -> Random {
        draw.stream(Stream::Record, self.number)
    }

    /// A count that has grown by `rate` in each round, give or take one rate: it never falls.
    fn grown(&self, rate: u64, random: &mut Random) -> u64 {
        (self.round + 1).saturating_mul(rate).saturating_add(random.below(rate))
    }

    /// The counts of all buckets, each grown by its share, larger in some series than in others.
    fn buckets<const N: usize>(&self, shares: [u64; N], random: &mut Random) -> Vec<u64> {
        shares.iter().map(|share| self.grown(share * (1 + self.series % 4), random)).collect()
    }

    /// The record that led to a value, with the id by which it can be found.
    fn exemplar(&self, draw: &Draw, value: f64) -> Vec<Exemplar> {
        vec![Exemplar {
            filtered_attributes: vec![draw.send_id(self.number)],
            time_unix_nano: self.time,
            trace_id: draw.stream(Stream::TraceId, self.number).id::<{ super::TRACE_ID }>(),
            span_id: draw.span_id(self.number),
            value: Some(exemplar::Value::AsDouble(value)),
        }]
    }
}

pub(super) fn gauge(draw: &Draw, place: &Place) -> NumberDataPoint {
    let value = place.random(draw).fraction() * 40.0;
    NumberDataPoint {
        attributes: place.attributes(),
        time_unix_nano: place.time,
        value: Some(Value::AsDouble(value.floor())),
        ..NumberDataPoint::default()
    }
}

pub(super) fn sum(draw: &Draw, place: &Place) -> NumberDataPoint {
    let mut random = place.random(draw);
    let value = place.grown(100 * (1 + place.series % 4), &mut random);
    NumberDataPoint {
        attributes: place.attributes(),
        start_time_unix_nano: place.began,
        time_unix_nano: place.time,
        exemplars: place.exemplar(draw, 1.0),
        value: Some(Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX))),
        ..NumberDataPoint::default()
    }
}

pub(super) fn histogram(draw: &Draw, place: &Place) -> HistogramDataPoint {
    let bucket_counts = place.buckets(SHARES, &mut place.random(draw));
    // Each request counts with its bucket's lower bound, so the sum grows with the counts.
    let lower = std::iter::once(0.0).chain(BOUNDS);
    let sum = bucket_counts.iter().zip(lower).map(|(count, bound)| float(*count) * bound).sum();
    HistogramDataPoint {
        attributes: place.attributes(),
        start_time_unix_nano: place.began,
        time_unix_nano: place.time,
        count: bucket_counts.iter().sum(),
        sum: Some(sum),
        bucket_counts,
        explicit_bounds: BOUNDS.to_vec(),
        exemplars: place.exemplar(draw, 0.042),
        min: Some(0.001),
        max: Some(11.5),
        ..HistogramDataPoint::default()
    }
}

pub(super) fn exponential(draw: &Draw, place: &Place) -> ExponentialHistogramDataPoint {
    let mut random = place.random(draw);
    let bucket_counts = place.buckets(OPERATIONS, &mut random);
    let zero_count = place.grown(3, &mut random);
    let (scale, offset) = EXPONENTIAL;
    let lower = (offset..).map(|index| (f64::from(index) / 4.0).exp2());
    let sum = bucket_counts.iter().zip(lower).map(|(count, bound)| float(*count) * bound).sum();
    ExponentialHistogramDataPoint {
        attributes: place.attributes(),
        start_time_unix_nano: place.began,
        time_unix_nano: place.time,
        count: zero_count + bucket_counts.iter().sum::<u64>(),
        sum: Some(sum),
        scale,
        zero_count,
        positive: Some(Buckets { offset, bucket_counts }),
        exemplars: place.exemplar(draw, 0.003),
        ..ExponentialHistogramDataPoint::default()
    }
}

pub(super) fn summary(draw: &Draw, place: &Place) -> SummaryDataPoint {
    let mut random = place.random(draw);
    let count = place.grown(200, &mut random);
    let wobble = 0.9 + random.fraction() * 0.2;
    let quantile_values =
        QUANTILES.iter().map(|&(quantile, millis)| ValueAtQuantile { quantile, value: millis * wobble }).collect();
    SummaryDataPoint {
        attributes: place.attributes(),
        start_time_unix_nano: place.began,
        time_unix_nano: place.time,
        count,
        sum: float(count) * 16.0,
        quantile_values,
        ..SummaryDataPoint::default()
    }
}

#[allow(clippy::cast_precision_loss, reason = "invented counts need no last digit")]
fn float(count: u64) -> f64 {
    count as f64
}
