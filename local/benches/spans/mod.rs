//! Generated traces of a shop: the same for the same numbers, but for when they are.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

/// Spans of each trace.
pub(crate) const SPANS_PER_TRACE: u64 = 9;
/// Traces of a request, which then is about half a megabyte.
const TRACES_PER_REQUEST: u64 = 250;

const SERVICES: [&str; 9] = ["gateway", "frontend", "checkout", "cart", "catalog", "payment", "shipping", "email", "stock"];
const ROUTES: [&str; 6] = ["/", "/cart", "/checkout", "/product/{id}", "/search", "/api/orders"];
const STATUSES: [i64; 20] = [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 201, 204, 302, 304, 400, 404, 404, 500];

/// A trace's id: any 128 bits that its number decides.
pub(crate) fn trace_id(trace: u64) -> u128 {
    u128::from(mixed(trace)) << 64 | u128::from(mixed(trace ^ (1 << 63)))
}

/// Requests with traces that start evenly from one second to another.
pub(crate) fn requests(traces: u64, start: u64, end: u64) -> impl Iterator<Item = Vec<u8>> {
    let starts = move |trace: u64| (start * 1_000 + (end - start) * 1_000 * trace / traces) * 1_000_000;
    (0..traces.div_ceil(TRACES_PER_REQUEST)).map(move |request| {
        let first = request * TRACES_PER_REQUEST;
        let all = first..(first + TRACES_PER_REQUEST).min(traces);
        let resource_spans = SERVICES.iter().zip(0..).map(|(service, at)| {
            let spans = all.clone().map(|trace| span(trace, at, starts(trace))).collect();
            let resource = Resource {
                attributes: vec![text("service.name", service), text("deployment.environment", "prod")],
                ..Resource::default()
            };
            ResourceSpans {
                resource: Some(resource),
                scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
                ..ResourceSpans::default()
            }
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }.encode_to_vec()
    })
}

/// The span of a trace in one of the services: that of the gateway calls the others, by two and two.
fn span(trace: u64, at: u64, start: u64) -> Span {
    let chance = mixed(trace * SPANS_PER_TRACE + at);
    let id = |at: u64| mixed(trace * 16 + at + 1).to_be_bytes().to_vec();
    let choice = |from: u64, of: usize| usize::try_from((chance >> from) % of as u64).unwrap();
    let status = STATUSES[choice(8, STATUSES.len())];
    let server = at.is_multiple_of(2);
    let duration = 1_000_000 + (chance >> 20) % 600_000_000 / (at + 1);
    let mut attributes = vec![
        text("http.request.method", if chance.is_multiple_of(3) { "POST" } else { "GET" }),
        text("http.route", ROUTES[choice(16, ROUTES.len())]),
        int("http.response.status_code", status),
        text("user.id", &format!("u{}", (chance >> 24) % 5_000)),
    ];
    if !server {
        attributes.extend([text("db.system", "postgresql"), int("db.rows", i64::try_from((chance >> 30) % 5_000).unwrap())]);
    }
    Span {
        trace_id: trace_id(trace).to_be_bytes().to_vec(),
        span_id: id(at),
        parent_span_id: if at == 0 { Vec::new() } else { id((at - 1) / 2) },
        name: format!("{} {}", if server { "GET" } else { "CALL" }, ROUTES[choice(16, ROUTES.len())]),
        kind: if server { 2 } else { 3 },
        start_time_unix_nano: start + at * 1_000_000,
        end_time_unix_nano: start + at * 1_000_000 + duration,
        attributes,
        status: (status == 500).then(|| Status { message: "failed".to_owned(), code: 2 }),
        ..Span::default()
    }
}

fn text(key: &str, text: &str) -> KeyValue {
    pair(key, Any::StringValue(text.to_owned()))
}

fn int(key: &str, number: i64) -> KeyValue {
    pair(key, Any::IntValue(number))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Bits that look like chance.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
