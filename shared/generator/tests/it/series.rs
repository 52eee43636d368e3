//! Rows of `metrics` as series of Prometheus, their points added up.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use icegate_otlp::rebuild;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, HistogramDataPoint, Metric, number_data_point};

/// Labels, the name among them, and what the points add up to.
pub(crate) type Series = BTreeMap<BTreeMap<String, String>, f64>;

/// The series of rows. Every point is a difference.
pub(crate) fn series(rows: &[RecordBatch]) -> Series {
    let mut series = Series::new();
    for metric in metrics(rows) {
        match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == i32::from(AggregationTemporality::Delta));
                for point in &sum.data_points {
                    let Some(number_data_point::Value::AsInt(value)) = point.value else { panic!("{point:?}") };
                    add(&mut series, &metric.name, &point.attributes, None, exact(u64::try_from(value).unwrap()));
                }
            }
            Data::Histogram(histogram) => {
                assert_eq!(histogram.aggregation_temporality, i32::from(AggregationTemporality::Delta));
                histogram.data_points.iter().for_each(|point| add_histogram(&mut series, &metric.name, point));
            }
            other => panic!("{other:?}"),
        }
    }
    series
}

fn add_histogram(series: &mut Series, name: &str, point: &HistogramDataPoint) {
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    add(series, &format!("{name}_count"), &point.attributes, None, exact(point.count));
    add(series, &format!("{name}_sum"), &point.attributes, None, point.sum.unwrap());
    let bounds = point.explicit_bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
    let mut below = 0;
    for (bound, count) in bounds.zip(&point.bucket_counts) {
        below += count;
        add(series, &format!("{name}_bucket"), &point.attributes, Some(bound), exact(below));
    }
}

fn add(series: &mut Series, name: &str, attributes: &[KeyValue], le: Option<String>, value: f64) {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.clone()) {
        Some(Value::StringValue(text)) => (pair.key.clone(), text),
        other => panic!("{other:?}"),
    };
    let mut labels: BTreeMap<_, _> = attributes.iter().map(text).collect();
    labels.insert("__name__".to_owned(), name.to_owned());
    labels.extend(le.map(|le| ("le".to_owned(), le)));
    *series.entry(labels).or_default() += value;
}

/// The metrics of rows, which have neither resource nor scope.
pub(crate) fn metrics(rows: &[RecordBatch]) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for resource in rebuild::metrics(rows).unwrap().resource_metrics {
        assert!(resource.resource.is_none());
        for scope in resource.scope_metrics {
            assert!(scope.scope.is_none());
            metrics.extend(scope.metrics);
        }
    }
    metrics
}

/// One series' sum; 0 where there is none.
pub(crate) fn value(series: &Series, name: &str, labels: &[(&str, &str)]) -> f64 {
    let mut key: BTreeMap<_, _> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    key.insert("__name__".to_owned(), name.to_owned());
    series.get(&key).copied().unwrap_or_default()
}

/// Whether both have the same series with the same values; sums of seconds up to what adding in another order changes.
pub(crate) fn same(one: &Series, other: &Series) -> Result<(), String> {
    if !one.keys().eq(other.keys()) {
        let [more, less]: [Vec<_>; 2] =
            [(one, other), (other, one)].map(|(a, b)| a.keys().filter(|key| !b.contains_key(*key)).take(3).collect());
        return Err(format!("series differ: only here {more:?}, only there {less:?}"));
    }
    for ((labels, a), b) in one.iter().zip(other.values()) {
        let is_sum = labels["__name__"].ends_with("_sum");
        let near = if is_sum { (a - b).abs() <= 1e-9 * a.abs().max(1.0) } else { a.to_bits() == b.to_bits() };
        if !near {
            return Err(format!("{labels:?}: {a} and {b}"));
        }
    }
    Ok(())
}

fn exact(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
