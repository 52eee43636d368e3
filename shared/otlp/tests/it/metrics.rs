use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use icegate_model::Table;

use crate::support::{batch, bytes, int, long, metric, text, time};

fn double(batch: &RecordBatch, column: &str) -> Option<f64> {
    let column = batch.column_by_name(column).unwrap().as_primitive::<Float64Type>();
    column.is_valid(0).then(|| column.value(0))
}

fn longs(batch: &RecordBatch, column: &str) -> Option<Vec<i64>> {
    let column = batch.column_by_name(column).unwrap().as_list::<i32>();
    column.is_valid(0).then(|| column.value(0).as_primitive::<Int64Type>().values().to_vec())
}

#[test]
fn a_sum_has_its_value_temporality_and_monotonicity() {
    let rows = metric(
        r#"{"name":"hits","unit":"1","description":"d","sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE",
        "isMonotonic":true,"dataPoints":[{"timeUnixNano":"2001","startTimeUnixNano":"1001","asInt":"-7"},{"asDouble":"NaN"}]}}"#,
    );
    let metrics = batch(&rows, Table::Metrics);
    assert_eq!((rows.accepted, metrics.num_rows()), (2, 2));
    assert_eq!((text(metrics, "metric_name"), text(metrics, "metric_type")), (Some("hits"), Some("sum")));
    assert_eq!((text(metrics, "unit"), text(metrics, "description")), (Some("1"), Some("d")));
    assert_eq!(text(metrics, "aggregation_temporality"), Some("cumulative"));
    assert!(metrics.column_by_name("is_monotonic").unwrap().as_boolean().value(0));
    assert_eq!((time(metrics, "timestamp"), time(metrics, "start_timestamp")), ((2, 1), (1, 1)));
    assert_eq!((long(metrics, "value_int"), double(metrics, "value_double")), (Some(-7), None));
    let second = metrics.column_by_name("value_double").unwrap().as_primitive::<Float64Type>();
    assert!(second.value(1).is_nan());
    assert!(metrics.column_by_name("start_timestamp").unwrap().is_null(1));
    assert_eq!(text(metrics, "service_name"), Some("unknown_service"));
}

#[test]
fn a_gauge_has_neither_temporality_nor_monotonicity() {
    let rows = metric(r#"{"name":"g","gauge":{"dataPoints":[{"asDouble":0.1}]}}"#);
    let metrics = batch(&rows, Table::Metrics);
    assert_eq!((text(metrics, "metric_type"), text(metrics, "aggregation_temporality")), (Some("gauge"), None));
    assert!(metrics.column_by_name("is_monotonic").unwrap().is_null(0));
    assert_eq!((double(metrics, "value_double"), long(metrics, "count")), (Some(0.1), None));
}

#[test]
fn a_histogram_has_its_buckets_and_exemplars() {
    let rows = metric(
        r#"{"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"count":"3","sum":4.5,"min":1,"bucketCounts":["1",2],
        "explicitBounds":[10],"exemplars":[{"timeUnixNano":"3001","asInt":9,"traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AQIDBAUGBwg="}]}]}}"#,
    );
    let metrics = batch(&rows, Table::Metrics);
    assert_eq!((text(metrics, "metric_type"), text(metrics, "aggregation_temporality")), (Some("histogram"), Some("delta")));
    assert_eq!((long(metrics, "count"), double(metrics, "sum")), (Some(3), Some(4.5)));
    assert_eq!((double(metrics, "min"), double(metrics, "max")), (Some(1.0), None));
    assert_eq!(longs(metrics, "bucket_counts"), Some(vec![1, 2]));
    let bounds = metrics.column_by_name("explicit_bounds").unwrap().as_list::<i32>().value(0);
    assert_eq!(bounds.as_primitive::<Float64Type>().values(), &[10.0]);
    let exemplars = metrics.column_by_name("exemplars").unwrap().as_list::<i32>().value(0);
    let exemplars = RecordBatch::from(exemplars.as_struct().clone());
    assert_eq!((time(&exemplars, "timestamp"), long(&exemplars, "value_int")), ((3, 1), Some(9)));
    assert_eq!(bytes(&exemplars, "span_id"), Some([1, 2, 3, 4, 5, 6, 7, 8].as_slice()));
    assert_eq!(bytes(&exemplars, "trace_id").unwrap()[15], 16);
}

#[test]
fn an_exponential_histogram_tells_absent_buckets_from_empty_ones() {
    let rows = metric(
        r#"{"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"count":18446744073709551615,"scale":-3,
        "zeroCount":4,"zeroThreshold":0.5,"positive":{"offset":-2,"bucketCounts":["5"]}}]}}"#,
    );
    let metrics = batch(&rows, Table::Metrics);
    assert_eq!((long(metrics, "count"), int(metrics, "scale"), long(metrics, "zero_count")), (Some(-1), Some(-3), Some(4)));
    assert_eq!((int(metrics, "positive_offset"), longs(metrics, "positive_bucket_counts")), (Some(-2), Some(vec![5])));
    assert_eq!((int(metrics, "negative_offset"), longs(metrics, "negative_bucket_counts")), (None, None));
    assert_eq!(double(metrics, "zero_threshold"), Some(0.5));
}

#[test]
fn a_summary_has_its_quantiles() {
    let rows = metric(
        r#"{"name":"s","summary":{"dataPoints":[{"count":2,"sum":3,"quantileValues":[{"quantile":0.5,"value":"Infinity"}]}]}}"#,
    );
    let metrics = batch(&rows, Table::Metrics);
    let quantiles = metrics.column_by_name("quantile_values").unwrap().as_list::<i32>().value(0);
    let quantiles = RecordBatch::from(quantiles.as_struct().clone());
    assert_eq!((double(&quantiles, "quantile"), double(&quantiles, "value")), (Some(0.5), Some(f64::INFINITY)));
}

#[test]
fn metrics_need_a_name_data_and_a_known_temporality() {
    let good = r#"{"name":"g","gauge":{"dataPoints":[{"asInt":1}]}}"#;
    for (bad, count, cause) in [
        (r#"{"gauge":{"dataPoints":[{},{}]}}"#, 2, "metrics[1]: name is empty, allowed is any other text"),
        (r#"{"name":"n"}"#, 1, "metrics[1]: no data, allowed are gauge, sum, histogram, exponentialHistogram and summary"),
        (
            r#"{"name":"n","sum":{"aggregationTemporality":3,"dataPoints":[{},{},{}]}}"#,
            3,
            "metrics[1]: aggregationTemporality is 3, allowed are 0 to 2",
        ),
        (
            r#"{"name":"n","gauge":{"dataPoints":[{"exemplars":[{"spanId":"01"}]}]}}"#,
            1,
            "metrics[1].dataPoints[0]: exemplars.spanId has 1 bytes, allowed are 8 or none",
        ),
    ] {
        let rows = metric(&format!("{good},{bad}"));
        assert_eq!((rows.accepted, rows.rejected.count), (1, count), "{bad}");
        assert_eq!(rows.rejected.message(), format!("resourceMetrics[0].scopeMetrics[0].{cause}"));
    }
}
