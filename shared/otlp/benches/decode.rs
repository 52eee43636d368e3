//! Decoding of requests of about 1 MiB.

use divan::Bencher;
use divan::counter::BytesCount;
use icegate_model::{Signal, TenantId, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

const MIB: usize = 1 << 20;
const START: u64 = 1_700_000_000_000_000_000;

fn main() {
    divan::main();
}

#[divan::bench(name = "otlp/decode/logs/1MiB")]
fn logs(bencher: Bencher<'_, '_>) {
    run(bencher, Signal::Logs, Encoding::Protobuf, log_request().encode_to_vec());
}

#[divan::bench(name = "otlp/decode/logs/json")]
fn logs_json(bencher: Bencher<'_, '_>) {
    let record = r#"{"timeUnixNano":"1700000000000000001","severityNumber":9,"severityText":"INFO","body":{"stringValue":"GET /api/products/42 HTTP/1.1 200 in 13 ms"},"attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"http.status_code","value":{"intValue":"200"}}]}"#;
    let records = vec![record; MIB / record.len()].join(",");
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#);
    run(bencher, Signal::Logs, Encoding::Json, body.into_bytes());
}

#[divan::bench(name = "otlp/decode/spans/1MiB")]
fn spans(bencher: Bencher<'_, '_>) {
    run(bencher, Signal::Traces, Encoding::Protobuf, span_request().encode_to_vec());
}

#[divan::bench(name = "otlp/decode/metrics/1MiB")]
fn metrics(bencher: Bencher<'_, '_>) {
    run(bencher, Signal::Metrics, Encoding::Protobuf, metric_request().encode_to_vec());
}

fn run(bencher: Bencher<'_, '_>, signal: Signal, encoding: Encoding, body: Vec<u8>) {
    let origin = Origin { tenant: TenantId::default_tenant(), account: None, ingested: Timestamp::from_secs(1) };
    let limits = Limits::default();
    bencher.counter(BytesCount::new(body.len())).bench(|| decode(signal, encoding, &body, &origin, &limits));
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.to_owned()))
}

fn resource() -> Option<Resource> {
    let attributes = vec![
        text("service.name", "frontend"),
        text("service.version", "1.4.2"),
        text("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
        text("k8s.namespace.name", "shop"),
        text("k8s.pod.name", "frontend-6d4cf56db6-w8x2z"),
        text("host.name", "node-3"),
        pair("process.pid", Value::IntValue(4711)),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: "io.shop.http".to_owned(), version: "2.1".to_owned(), ..InstrumentationScope::default() })
}

fn request_attributes(at: usize) -> Vec<KeyValue> {
    vec![
        text("http.request.method", "GET"),
        text("url.path", &format!("/api/products/{at}")),
        pair("http.response.status_code", Value::IntValue(200)),
        text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
        pair("duration_ms", Value::DoubleValue(12.75)),
    ]
}

fn id(at: usize, length: usize) -> Vec<u8> {
    (at as u128 + 1).to_be_bytes()[16 - length..].to_vec()
}

fn log_request() -> ExportLogsServiceRequest {
    let record = |at: usize| LogRecord {
        time_unix_nano: START + at as u64,
        observed_time_unix_nano: START + at as u64,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(format!("GET /api/products/{at} HTTP/1.1 200 in 13 ms"))) }),
        attributes: request_attributes(at),
        trace_id: id(at, 16),
        span_id: id(at, 8),
        ..LogRecord::default()
    };
    let log_records = fill(record);
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource: resource(), scope_logs, ..ResourceLogs::default() }] }
}

fn span_request() -> ExportTraceServiceRequest {
    let spans = fill(|at| Span {
        trace_id: id(at, 16),
        span_id: id(at, 8),
        parent_span_id: id(at + 1, 8),
        name: "GET /api/products".to_owned(),
        kind: 2,
        start_time_unix_nano: START + at as u64,
        end_time_unix_nano: START + at as u64 + 13_000_000,
        attributes: request_attributes(at),
        ..Span::default()
    });
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let spans = ResourceSpans { resource: resource(), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![spans] }
}

fn metric_request() -> ExportMetricsServiceRequest {
    let metrics = fill(|at| {
        let point = |cpu: i64| NumberDataPoint {
            time_unix_nano: START + at as u64,
            attributes: vec![pair("cpu", Value::IntValue(cpu)), text("state", "idle")],
            value: Some(number_data_point::Value::AsDouble(0.25)),
            ..NumberDataPoint::default()
        };
        Metric {
            name: format!("system.cpu.utilization.{}", at % 100),
            unit: "1".to_owned(),
            data: Some(Data::Gauge(Gauge { data_points: (0..8).map(point).collect() })),
            ..Metric::default()
        }
    });
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let metrics = ResourceMetrics { resource: resource(), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![metrics] }
}

/// As many messages as make up 1 MiB.
fn fill<M: Message>(make: impl Fn(usize) -> M) -> Vec<M> {
    let size = make(1).encoded_len();
    (0..MIB / size).map(make).collect()
}
