//! `traces_spanmetrics_*`: every span is counted once.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;

use crate::SpanMetrics;
use crate::attributes::{Labels, label_name, text};
use crate::points::{Counters, Histograms, Interval, counter, histogram};

/// Labels that are no attributes; an attribute of the same name gets underscores before it.
const INTRINSIC: [&str; 5] = ["service", "span_name", "span_kind", "status_code", "status_message"];

/// The series of one tenant's account.
#[derive(Debug)]
pub(crate) struct Spans<'a> {
    options: &'a SpanMetrics,
    calls: Counters,
    sizes: Counters,
    latencies: Histograms,
}

impl<'a> Spans<'a> {
    pub(crate) fn new(options: &'a SpanMetrics) -> Self {
        Self { options, calls: Counters::new(), sizes: Counters::new(), latencies: Histograms::new() }
    }

    pub(crate) fn add(&mut self, resource: &[KeyValue], span: &Span) {
        let labels = self.labels(resource, span);
        let nanos = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
        let size = size(span);
        *self.calls.entry(labels.clone()).or_default() += 1;
        *self.sizes.entry(labels.clone()).or_default() += size;
        self.latencies.entry(labels).or_default().add(nanos, &self.options.histogram_buckets, &span.trace_id, &span.span_id);
    }

    fn labels(&self, resource: &[KeyValue], span: &Span) -> Labels {
        let mut labels = Labels::new();
        let of_attribute = |key: &str| text(&span.attributes, key).or_else(|| text(resource, key));
        for key in &self.options.dimensions {
            if let Some(value) = of_attribute(key) {
                labels.insert(apart(label_name(key)), value.into_owned());
            }
        }
        for mapping in &self.options.dimension_mappings {
            let values: Vec<_> = mapping.source_labels.iter().filter_map(|key| of_attribute(key)).collect();
            if !values.is_empty() {
                labels.insert(apart(label_name(&mapping.name)), values.join(&mapping.join));
            }
        }
        let (wanted, status) = (self.options.intrinsic_dimensions, span.status.as_ref());
        let kind = SpanKind::try_from(span.kind).unwrap_or(SpanKind::Unspecified).as_str_name();
        let code = status.and_then(|status| StatusCode::try_from(status.code).ok()).unwrap_or(StatusCode::Unset).as_str_name();
        let message = status.map_or("", |status| status.message.as_str());
        let service = text(resource, "service.name").unwrap_or_default();
        let intrinsic = [
            (wanted.service, service.as_ref()),
            (wanted.span_name, span.name.as_str()),
            (wanted.span_kind, kind),
            (wanted.status_code, code),
            (wanted.status_message, message),
        ];
        for (name, (_, value)) in INTRINSIC.into_iter().zip(intrinsic).filter(|(_, (wanted, value))| *wanted && !value.is_empty())
        {
            labels.insert(name.to_owned(), value.to_owned());
        }
        labels
    }

    pub(crate) fn metrics(self, interval: Interval) -> impl Iterator<Item = Metric> {
        let latency = ("", "Seconds from a span's start to its end");
        let bounds = &self.options.histogram_buckets;
        let metrics = [
            counter("traces_spanmetrics_calls_total", "Spans", self.calls, interval),
            counter("traces_spanmetrics_size_total", "Bytes of spans as OTLP writes them", self.sizes, interval),
            histogram("traces_spanmetrics_latency", latency, bounds, self.latencies, interval),
        ];
        metrics.into_iter().flatten()
    }
}

/// Bytes of a span as OTLP's own collector passes it on, and Tempo counts it: with a status, even an empty one.
fn size(span: &Span) -> u64 {
    const EMPTY_STATUS: usize = 2;
    let status = if span.status.is_none() { EMPTY_STATUS } else { 0 };
    u64::try_from(span.encoded_len() + status).unwrap_or(u64::MAX)
}

/// A label's name that is none of those which are no attributes.
fn apart(name: String) -> String {
    if INTRINSIC.contains(&name.as_str()) { format!("__{name}") } else { name }
}
