use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
    SummaryDataPoint, exemplar, number_data_point,
};

use super::object::Object;
use super::value;

pub(super) fn resource(object: &mut Object<'_>, metrics: &ResourceMetrics) {
    value::resource(object, metrics.resource.as_ref());
    object.objects("scopeMetrics", &metrics.scope_metrics, scope);
    object.text("schemaUrl", &metrics.schema_url);
}

fn scope(object: &mut Object<'_>, metrics: &ScopeMetrics) {
    value::scope(object, metrics.scope.as_ref());
    object.objects("metrics", &metrics.metrics, metric);
    object.text("schemaUrl", &metrics.schema_url);
}

fn metric(object: &mut Object<'_>, metric: &Metric) {
    object.text("name", &metric.name);
    object.text("description", &metric.description);
    object.text("unit", &metric.unit);
    value::attributes(object, "metadata", &metric.metadata);
    match &metric.data {
        None => {}
        Some(Data::Gauge(gauge)) => object.object("gauge", |object| object.objects("dataPoints", &gauge.data_points, number)),
        Some(Data::Sum(sum)) => object.object("sum", |object| {
            object.objects("dataPoints", &sum.data_points, number);
            object.small("aggregationTemporality", sum.aggregation_temporality);
            object.small("isMonotonic", sum.is_monotonic);
        }),
        Some(Data::Histogram(data)) => object.object("histogram", |object| {
            object.objects("dataPoints", &data.data_points, histogram);
            object.small("aggregationTemporality", data.aggregation_temporality);
        }),
        Some(Data::ExponentialHistogram(data)) => object.object("exponentialHistogram", |object| {
            object.objects("dataPoints", &data.data_points, exponential);
            object.small("aggregationTemporality", data.aggregation_temporality);
        }),
        Some(Data::Summary(data)) => object.object("summary", |object| object.objects("dataPoints", &data.data_points, summary)),
    }
}

fn number(object: &mut Object<'_>, point: &NumberDataPoint) {
    value::attributes(object, "attributes", &point.attributes);
    object.large("startTimeUnixNano", point.start_time_unix_nano);
    object.large("timeUnixNano", point.time_unix_nano);
    object.objects("exemplars", &point.exemplars, exemplar);
    object.small("flags", point.flags);
    match point.value {
        None => {}
        Some(number_data_point::Value::AsDouble(value)) => object.any_float("asDouble", value),
        Some(number_data_point::Value::AsInt(value)) => object.any_large("asInt", value),
    }
}

fn histogram(object: &mut Object<'_>, point: &HistogramDataPoint) {
    value::attributes(object, "attributes", &point.attributes);
    object.large("startTimeUnixNano", point.start_time_unix_nano);
    object.large("timeUnixNano", point.time_unix_nano);
    object.large("count", point.count);
    object.optional_float("sum", point.sum);
    object.larges("bucketCounts", &point.bucket_counts);
    object.floats("explicitBounds", &point.explicit_bounds);
    object.objects("exemplars", &point.exemplars, exemplar);
    object.small("flags", point.flags);
    object.optional_float("min", point.min);
    object.optional_float("max", point.max);
}

fn exponential(object: &mut Object<'_>, point: &ExponentialHistogramDataPoint) {
    value::attributes(object, "attributes", &point.attributes);
    object.large("startTimeUnixNano", point.start_time_unix_nano);
    object.large("timeUnixNano", point.time_unix_nano);
    object.large("count", point.count);
    object.optional_float("sum", point.sum);
    object.small("scale", point.scale);
    object.large("zeroCount", point.zero_count);
    for (key, side) in [("positive", &point.positive), ("negative", &point.negative)] {
        if let Some(side) = side {
            object.object(key, |object| buckets(object, side));
        }
    }
    object.small("flags", point.flags);
    object.objects("exemplars", &point.exemplars, exemplar);
    object.optional_float("min", point.min);
    object.optional_float("max", point.max);
    object.float("zeroThreshold", point.zero_threshold);
}

fn buckets(object: &mut Object<'_>, buckets: &Buckets) {
    object.small("offset", buckets.offset);
    object.larges("bucketCounts", &buckets.bucket_counts);
}

fn summary(object: &mut Object<'_>, point: &SummaryDataPoint) {
    value::attributes(object, "attributes", &point.attributes);
    object.large("startTimeUnixNano", point.start_time_unix_nano);
    object.large("timeUnixNano", point.time_unix_nano);
    object.large("count", point.count);
    object.float("sum", point.sum);
    object.objects("quantileValues", &point.quantile_values, quantile);
    object.small("flags", point.flags);
}

fn quantile(object: &mut Object<'_>, quantile: &ValueAtQuantile) {
    object.float("quantile", quantile.quantile);
    object.float("value", quantile.value);
}

fn exemplar(object: &mut Object<'_>, exemplar: &Exemplar) {
    value::attributes(object, "filteredAttributes", &exemplar.filtered_attributes);
    object.large("timeUnixNano", exemplar.time_unix_nano);
    object.hex("spanId", &exemplar.span_id);
    object.hex("traceId", &exemplar.trace_id);
    match exemplar.value {
        None => {}
        Some(exemplar::Value::AsDouble(value)) => object.any_float("asDouble", value),
        Some(exemplar::Value::AsInt(value)) => object.any_large("asInt", value),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::metrics::v1::{ExponentialHistogram, Gauge, Histogram};

    use super::*;

    fn written(data: Data) -> serde_json::Value {
        let mut text = String::new();
        Object::write(&mut text, |object| {
            metric(object, &Metric { name: "m".to_owned(), data: Some(data), ..Metric::default() })
        });
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_points_zero_is_written_because_it_says_which_kind_of_number() {
        let point = |value| NumberDataPoint { time_unix_nano: 7, value: Some(value), ..NumberDataPoint::default() };
        let data_points = vec![point(number_data_point::Value::AsInt(0)), point(number_data_point::Value::AsDouble(0.0))];
        let expected = serde_json::json!({
            "name": "m",
            "gauge": {"dataPoints": [{"timeUnixNano": "7", "asInt": "0"}, {"timeUnixNano": "7", "asDouble": 0.0}]}
        });
        assert_eq!(written(Data::Gauge(Gauge { data_points })), expected);
    }

    #[test]
    fn a_histogram_has_counts_as_text_and_bounds_as_numbers() {
        // The point of opentelemetry-proto's examples/metrics.json.
        let point = HistogramDataPoint {
            start_time_unix_nano: 1_544_712_660_300_000_000,
            time_unix_nano: 1_544_712_660_300_000_000,
            count: 2,
            sum: Some(2.0),
            bucket_counts: vec![1, 1],
            explicit_bounds: vec![1.0],
            min: Some(0.0),
            max: Some(2.0),
            ..HistogramDataPoint::default()
        };
        let expected = serde_json::json!({
            "name": "m",
            "histogram": {
                "aggregationTemporality": 1,
                "dataPoints": [{
                    "startTimeUnixNano": "1544712660300000000",
                    "timeUnixNano": "1544712660300000000",
                    "count": "2",
                    "sum": 2.0,
                    "bucketCounts": ["1", "1"],
                    "explicitBounds": [1.0],
                    "min": 0.0,
                    "max": 2.0
                }]
            }
        });
        assert_eq!(written(Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 1 })), expected);
    }

    #[test]
    fn an_exponential_histogram_keeps_offset_and_present_sides() {
        let point = ExponentialHistogramDataPoint {
            count: 5,
            scale: -1,
            zero_count: 1,
            positive: Some(Buckets { offset: -3, bucket_counts: vec![0, 4] }),
            negative: Some(Buckets::default()),
            ..ExponentialHistogramDataPoint::default()
        };
        let expected = serde_json::json!({
            "name": "m",
            "exponentialHistogram": {"dataPoints": [{
                "count": "5",
                "scale": -1,
                "zeroCount": "1",
                "positive": {"offset": -3, "bucketCounts": ["0", "4"]},
                "negative": {}
            }]}
        });
        let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: 0 };
        assert_eq!(written(Data::ExponentialHistogram(data)), expected);
    }
}
