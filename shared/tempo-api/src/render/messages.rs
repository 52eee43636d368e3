//! Answers as messages, of what the JSON ones are made of.

use icegate_traceql::{Exemplar, MetricSeries, SpanMatch, SpansetMatch, TraceMatch, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};

use super::{About, Shows};
use crate::message::{self, MetadataMetrics, SearchMetrics, TraceSearchMetadata};

impl About {
    /// What was read, of a search or of metrics.
    pub(crate) fn search_metrics(&self) -> SearchMetrics {
        SearchMetrics {
            inspected_bytes: self.figures.bytes,
            total_blocks: small(self.figures.objects),
            completed_jobs: 1,
            total_jobs: 1,
            total_block_bytes: self.figures.object_bytes,
        }
    }

    /// What was read up to now of a search that goes on.
    pub(crate) fn unfinished(&self) -> SearchMetrics {
        SearchMetrics { completed_jobs: 0, ..self.search_metrics() }
    }

    /// What was read, of names and values.
    pub(crate) fn metadata_metrics(&self) -> MetadataMetrics {
        MetadataMetrics {
            inspected_bytes: self.figures.bytes,
            total_jobs: 1,
            completed_jobs: 1,
            total_blocks: small(self.figures.objects),
            total_block_bytes: self.figures.object_bytes,
        }
    }

    /// `status` and `message` of messages that have them.
    pub(crate) fn status(&self) -> (i32, String) {
        (i32::from(!self.warnings.is_empty()), self.warnings.join("; "))
    }
}

/// A whole trace.
pub(crate) fn trace_by_id(resource_spans: Vec<ResourceSpans>, about: &About) -> message::TraceByIdResponse {
    let (status, message) = about.status();
    message::TraceByIdResponse {
        trace: Some(TracesData { resource_spans }),
        metrics: Some(message::TraceByIdMetrics { inspected_bytes: about.figures.bytes }),
        status,
        message,
    }
}

/// A trace that a search found.
pub(crate) fn trace(found: &TraceMatch, shows: Shows) -> TraceSearchMetadata {
    let mut trace = TraceSearchMetadata {
        trace_id: found.id.to_string(),
        root_service_name: found.root_service.to_string(),
        root_trace_name: found.root_name.to_string(),
        start_time_unix_nano: positive(found.start),
        duration_ms: small(positive(found.duration / 1_000_000)),
        ..TraceSearchMetadata::default()
    };
    if shows == Shows::Spansets {
        trace.span_sets = found.spansets.iter().map(spanset).collect();
        trace.span_set = trace.span_sets.first().cloned();
        let stats = found.services.iter().map(|(service, stats)| {
            (service.to_string(), message::ServiceStats { span_count: stats.spans, error_count: stats.errors })
        });
        trace.service_stats = stats.collect();
    }
    trace
}

fn spanset(set: &SpansetMatch) -> message::SpanSet {
    message::SpanSet {
        spans: set.spans.iter().map(span).collect(),
        matched: small(set.matched as u64),
        attributes: pairs(&set.attributes),
    }
}

fn span(span: &SpanMatch) -> message::Span {
    message::Span {
        span_id: span.id.to_string(),
        name: span.name.as_deref().unwrap_or_default().to_owned(),
        start_time_unix_nano: positive(span.start),
        duration_nanos: positive(span.duration),
        attributes: pairs(&span.attributes),
    }
}

/// A series of a query over a range.
pub(crate) fn over_time(series: &MetricSeries) -> message::TimeSeries {
    let sample = |(time, value): &(i64, f64)| message::Sample { value: *value, timestamp_ms: time.div_euclid(1_000_000) };
    message::TimeSeries {
        labels: pairs(&series.labels),
        samples: series.points.iter().map(sample).collect(),
        exemplars: series.exemplars.iter().map(exemplar).collect(),
    }
}

/// A series of a query for one point.
pub(crate) fn at_once(series: &MetricSeries) -> message::InstantSeries {
    let value = series.points.first().map_or(0.0, |(_, value)| *value);
    message::InstantSeries { labels: pairs(&series.labels), value }
}

fn exemplar(exemplar: &Exemplar) -> message::Exemplar {
    let id = Value::Text(exemplar.trace_id.to_string().into());
    message::Exemplar {
        labels: vec![pair("trace:id", &id)],
        value: exemplar.value,
        timestamp_ms: exemplar.time.div_euclid(1_000_000),
    }
}

fn pairs(all: &[(String, Value)]) -> Vec<KeyValue> {
    all.iter().map(|(key, value)| pair(key, value)).collect()
}

fn pair(key: &str, value: &Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: any(value) }), ..KeyValue::default() }
}

fn any(value: &Value) -> Option<Any> {
    Some(match value {
        Value::Int(value) => Any::IntValue(*value),
        Value::Float(value) => Any::DoubleValue(*value),
        Value::Bool(value) => Any::BoolValue(*value),
        Value::Text(text) => Any::StringValue(text.to_string()),
        Value::Array(values) => {
            Any::ArrayValue(ArrayValue { values: values.iter().map(|value| AnyValue { value: any(value) }).collect() })
        }
        other => match other.shown() {
            Value::Text(text) => Any::StringValue(text.to_string()),
            _ => return None,
        },
    })
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// As messages have it, which know no time before 1970.
fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
