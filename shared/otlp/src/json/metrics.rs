use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::Json;
use super::message::{Many, Scalars, message};
use super::scalar::{Bool, F64, I32, I64, SpanId, Temporality, Text, TraceId, U32, U64};

message!(ExportMetricsServiceRequest, "ExportMetricsServiceRequest", |request, value| {
    "resourceMetrics" | "resource_metrics": Many<ResourceMetrics> => request.resource_metrics = value;
});

message!(ResourceMetrics, "ResourceMetrics", |metrics, value| {
    "resource": Json<Resource> => metrics.resource = Some(value);
    "scopeMetrics" | "scope_metrics": Many<ScopeMetrics> => metrics.scope_metrics = value;
    "schemaUrl" | "schema_url": Text => metrics.schema_url = value;
});

message!(ScopeMetrics, "ScopeMetrics", |metrics, value| {
    "scope": Json<InstrumentationScope> => metrics.scope = Some(value);
    "metrics": Many<Metric> => metrics.metrics = value;
    "schemaUrl" | "schema_url": Text => metrics.schema_url = value;
});

message!(Metric, "Metric", |metric, value| {
    "name": Text => metric.name = value;
    "description": Text => metric.description = value;
    "unit": Text => metric.unit = value;
    "gauge": Json<Gauge> => metric.data = Some(Data::Gauge(value));
    "sum": Json<Sum> => metric.data = Some(Data::Sum(value));
    "histogram": Json<Histogram> => metric.data = Some(Data::Histogram(value));
    "exponentialHistogram" | "exponential_histogram": Json<ExponentialHistogram> =>
        metric.data = Some(Data::ExponentialHistogram(value));
    "summary": Json<Summary> => metric.data = Some(Data::Summary(value));
    "metadata": Many<KeyValue> => metric.metadata = value;
});

message!(Gauge, "Gauge", |gauge, value| {
    "dataPoints" | "data_points": Many<NumberDataPoint> => gauge.data_points = value;
});

message!(Sum, "Sum", |sum, value| {
    "dataPoints" | "data_points": Many<NumberDataPoint> => sum.data_points = value;
    "aggregationTemporality" | "aggregation_temporality": Temporality => sum.aggregation_temporality = value;
    "isMonotonic" | "is_monotonic": Bool => sum.is_monotonic = value;
});

message!(Histogram, "Histogram", |histogram, value| {
    "dataPoints" | "data_points": Many<HistogramDataPoint> => histogram.data_points = value;
    "aggregationTemporality" | "aggregation_temporality": Temporality => histogram.aggregation_temporality = value;
});

message!(ExponentialHistogram, "ExponentialHistogram", |histogram, value| {
    "dataPoints" | "data_points": Many<ExponentialHistogramDataPoint> => histogram.data_points = value;
    "aggregationTemporality" | "aggregation_temporality": Temporality => histogram.aggregation_temporality = value;
});

message!(Summary, "Summary", |summary, value| {
    "dataPoints" | "data_points": Many<SummaryDataPoint> => summary.data_points = value;
});

message!(NumberDataPoint, "NumberDataPoint", |point, value| {
    "attributes": Many<KeyValue> => point.attributes = value;
    "startTimeUnixNano" | "start_time_unix_nano": U64 => point.start_time_unix_nano = value;
    "timeUnixNano" | "time_unix_nano": U64 => point.time_unix_nano = value;
    "asDouble" | "as_double": F64 => point.value = Some(number_data_point::Value::AsDouble(value));
    "asInt" | "as_int": I64 => point.value = Some(number_data_point::Value::AsInt(value));
    "exemplars": Many<Exemplar> => point.exemplars = value;
    "flags": U32 => point.flags = value;
});

message!(HistogramDataPoint, "HistogramDataPoint", |point, value| {
    "attributes": Many<KeyValue> => point.attributes = value;
    "startTimeUnixNano" | "start_time_unix_nano": U64 => point.start_time_unix_nano = value;
    "timeUnixNano" | "time_unix_nano": U64 => point.time_unix_nano = value;
    "count": U64 => point.count = value;
    "sum": F64 => point.sum = Some(value);
    "bucketCounts" | "bucket_counts": Scalars<U64> => point.bucket_counts = value.into_iter().map(|count| count.0).collect();
    "explicitBounds" | "explicit_bounds": Scalars<F64> => point.explicit_bounds = value.into_iter().map(|bound| bound.0).collect();
    "exemplars": Many<Exemplar> => point.exemplars = value;
    "flags": U32 => point.flags = value;
    "min": F64 => point.min = Some(value);
    "max": F64 => point.max = Some(value);
});

message!(ExponentialHistogramDataPoint, "ExponentialHistogramDataPoint", |point, value| {
    "attributes": Many<KeyValue> => point.attributes = value;
    "startTimeUnixNano" | "start_time_unix_nano": U64 => point.start_time_unix_nano = value;
    "timeUnixNano" | "time_unix_nano": U64 => point.time_unix_nano = value;
    "count": U64 => point.count = value;
    "sum": F64 => point.sum = Some(value);
    "scale": I32 => point.scale = value;
    "zeroCount" | "zero_count": U64 => point.zero_count = value;
    "positive": Json<Buckets> => point.positive = Some(value);
    "negative": Json<Buckets> => point.negative = Some(value);
    "flags": U32 => point.flags = value;
    "exemplars": Many<Exemplar> => point.exemplars = value;
    "min": F64 => point.min = Some(value);
    "max": F64 => point.max = Some(value);
    "zeroThreshold" | "zero_threshold": F64 => point.zero_threshold = value;
});

message!(Buckets, "Buckets", |buckets, value| {
    "offset": I32 => buckets.offset = value;
    "bucketCounts" | "bucket_counts": Scalars<U64> => buckets.bucket_counts = value.into_iter().map(|count| count.0).collect();
});

message!(SummaryDataPoint, "SummaryDataPoint", |point, value| {
    "attributes": Many<KeyValue> => point.attributes = value;
    "startTimeUnixNano" | "start_time_unix_nano": U64 => point.start_time_unix_nano = value;
    "timeUnixNano" | "time_unix_nano": U64 => point.time_unix_nano = value;
    "count": U64 => point.count = value;
    "sum": F64 => point.sum = value;
    "quantileValues" | "quantile_values": Many<ValueAtQuantile> => point.quantile_values = value;
    "flags": U32 => point.flags = value;
});

message!(ValueAtQuantile, "ValueAtQuantile", |quantile, value| {
    "quantile": F64 => quantile.quantile = value;
    "value": F64 => quantile.value = value;
});

message!(Exemplar, "Exemplar", |exemplar, value| {
    "filteredAttributes" | "filtered_attributes": Many<KeyValue> => exemplar.filtered_attributes = value;
    "timeUnixNano" | "time_unix_nano": U64 => exemplar.time_unix_nano = value;
    "asDouble" | "as_double": F64 => exemplar.value = Some(exemplar::Value::AsDouble(value));
    "asInt" | "as_int": I64 => exemplar.value = Some(exemplar::Value::AsInt(value));
    "spanId" | "span_id": SpanId => exemplar.span_id = value;
    "traceId" | "trace_id": TraceId => exemplar.trace_id = value;
});
