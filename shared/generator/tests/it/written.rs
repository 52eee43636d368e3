//! Spans as tests write them, and passes over them.

use icegate_generator::{Generated, Options, Owner, Part, Processors, ServiceGraphs, SpanMetrics, State, generate};
use icegate_model::{Signal, Table, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A span and the service that it is of.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) service: String,
    pub(crate) span: Span,
}

/// A span of a service, of the trace 1.
pub(crate) fn span(service: &str, kind: SpanKind, id: u64, parent: u64) -> Written {
    let id_of = |id: u64| if id == 0 { Vec::new() } else { id.to_be_bytes().to_vec() };
    let span = Span {
        trace_id: 1_u128.to_be_bytes().to_vec(),
        span_id: id_of(id),
        parent_span_id: id_of(parent),
        name: format!("op {service}"),
        kind: kind.into(),
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 1_000_000_000,
        ..Span::default()
    };
    Written { service: service.to_owned(), span }
}

impl Written {
    pub(crate) fn trace(mut self, trace: u128) -> Self {
        self.span.trace_id = trace.to_be_bytes().to_vec();
        self
    }

    pub(crate) fn millis(mut self, start: u64, millis: u64) -> Self {
        self.span.start_time_unix_nano = 1_000_000_000 + start * 1_000_000;
        self.span.end_time_unix_nano = self.span.start_time_unix_nano + millis * 1_000_000;
        self
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.span.attributes.push(pair(key, value));
        self
    }

    pub(crate) fn failed(mut self) -> Self {
        self.span.status = Some(Status { code: StatusCode::Error.into(), message: "broken".to_owned() });
        self
    }
}

pub(crate) fn pair(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

pub(crate) fn owner(tenant: &str, account: Option<&str>) -> Owner {
    Owner { tenant: tenant.parse().unwrap(), account: account.map(|account| account.parse().unwrap()) }
}

/// Rows of spans, in this order.
pub(crate) fn part(owner: &Owner, spans: &[Written]) -> Part {
    let of = |written: &Written| ResourceSpans {
        resource: Some(Resource {
            attributes: vec![pair("service.name", &written.service), pair("region", &format!("of {}", written.service))],
            ..Resource::default()
        }),
        scope_spans: vec![ScopeSpans { spans: vec![written.span.clone()], ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    };
    let request = ExportTraceServiceRequest { resource_spans: spans.iter().map(of).collect() };
    let origin = Origin { tenant: owner.tenant.clone(), account: owner.account.clone(), ingested: START };
    let rows = decode(Signal::Traces, Encoding::Protobuf, &request.encode_to_vec(), &origin, &Limits::default()).unwrap();
    assert_eq!(rows.rejected.count, 0, "{:?}", rows.rejected);
    let (table, rows) = rows.batches.into_iter().next().unwrap();
    assert_eq!(table, Table::Spans);
    Part { owner: owner.clone(), rows }
}

pub(crate) fn both() -> Options {
    with(SpanMetrics::default(), ServiceGraphs::default())
}

pub(crate) fn with(span_metrics: SpanMetrics, service_graphs: ServiceGraphs) -> Options {
    let processors = Processors { span_metrics: Some(span_metrics), service_graphs: Some(service_graphs) };
    Options { defaults: processors, ..Options::default() }
}

pub(crate) fn graphs(service_graphs: ServiceGraphs) -> Options {
    let processors = Processors { service_graphs: Some(service_graphs), ..Processors::default() };
    Options { defaults: processors, ..Options::default() }
}

/// One pass over all of these spans of one tenant.
pub(crate) fn pass(options: &Options, state: &State, spans: &[Written], now: Timestamp) -> Generated {
    let parts: Vec<_> = if spans.is_empty() { Vec::new() } else { vec![part(&owner("t", None), spans)] };
    generate(&parts, state, options, now, true).unwrap()
}
