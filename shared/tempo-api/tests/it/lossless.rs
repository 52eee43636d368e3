//! OTLP in, equal OTLP out (LOSSLESS-1), with every second span of each trace in the table and the others in the WAL.
#![allow(clippy::print_stderr, reason = "says what is skipped")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use icegate_otlp::Encoding;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use prost::Message;
use serde_json::Value;

use crate::world::{Api, World};

/// The most traces that are looked up of one source.
const LOOKED_UP: usize = 20;

/// `tempopb.TraceByIDResponse`, as far as it is looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct TraceById {
    #[prost(message, optional, tag = "1")]
    trace: Option<TracesData>,
    #[prost(int32, tag = "3")]
    status: i32,
}

/// Resource and its schema, scope and its schema, and a span, as bytes that equal messages have.
type Triple = [Vec<u8>; 3];

/// All spans by trace, each with its resource and scope.
fn triples(all: &[ResourceSpans]) -> BTreeMap<Vec<u8>, Vec<Triple>> {
    let mut found: BTreeMap<Vec<u8>, Vec<Triple>> = BTreeMap::new();
    for resource in all {
        let of_resource = ResourceSpans { scope_spans: Vec::new(), ..resource.clone() }.encode_to_vec();
        for scope in &resource.scope_spans {
            let of_scope = ScopeSpans { spans: Vec::new(), ..scope.clone() }.encode_to_vec();
            for span in &scope.spans {
                let triple = [of_resource.clone(), of_scope.clone(), span.encode_to_vec()];
                found.entry(span.trace_id.clone()).or_default().push(triple);
            }
        }
    }
    found.values_mut().for_each(|spans| spans.sort());
    found
}

/// Every second span.
fn half(all: &[ResourceSpans], odd: bool) -> ExportTraceServiceRequest {
    let (mut resource_spans, mut at) = (all.to_vec(), 0);
    for scope in resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        scope.spans.retain(|_| {
            at += 1;
            (at % 2 == 0) == odd
        });
    }
    ExportTraceServiceRequest { resource_spans }
}

/// The spans, half of them in the table and half in the WAL.
async fn stored(all: &[ResourceSpans]) -> Api {
    let world = World::new().await;
    world.ingest_bytes("default", Encoding::Protobuf, &half(all, false).encode_to_vec()).await;
    world.shift().await;
    world.ingest_bytes("default", Encoding::Protobuf, &half(all, true).encode_to_vec()).await;
    world.api()
}

async fn by_id(api: &Api, version: &str, id: &[u8]) -> Vec<ResourceSpans> {
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let reply = api.ask(&format!("/api/{version}traces/{digits}"), &[("accept", "application/protobuf")]).await;
    assert_eq!((reply.status, reply.content_type()), (200, Some("application/protobuf")), "{digits}");
    if version.is_empty() {
        return TracesData::decode(&*reply.body).unwrap().resource_spans;
    }
    let answer = TraceById::decode(&*reply.body).unwrap();
    assert_eq!(answer.status, 0);
    answer.trace.unwrap().resource_spans
}

/// Each of the traces, or as many as are looked up of many, comes back with every span, resource and scope as it was sent.
async fn check(all: &[ResourceSpans]) {
    let (sent, api) = (triples(all), stored(all).await);
    let every = sent.len().div_ceil(LOOKED_UP);
    for ((id, spans), version) in sent.iter().step_by(every).zip(["v2/", ""].into_iter().cycle()) {
        let found = by_id(&api, version, id).await;
        let mut groups = BTreeSet::new();
        for resource in &found {
            assert!(groups.insert(ResourceSpans { scope_spans: Vec::new(), ..resource.clone() }.encode_to_vec()));
        }
        assert!(triples(&found).get(id) == Some(spans), "{id:x?}");
    }
}

fn any(value: Any) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn pair(key: &str, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key: key.to_owned(), value, key_strindex: 0 }
}

/// What a sender can say that others leave out.
fn unusual() -> Vec<ResourceSpans> {
    let list = KeyValueList { values: vec![pair("b", any(Any::IntValue(1))), pair("a", None)] };
    let array = ArrayValue { values: vec![AnyValue { value: Some(Any::BytesValue(vec![0, 255])) }, AnyValue { value: None }] };
    let attributes = vec![
        pair("text", any(Any::StringValue("größe \u{0} \"".to_owned()))),
        pair("empty", any(Any::StringValue(String::new()))),
        pair("int", any(Any::IntValue(i64::MIN))),
        pair("double", any(Any::DoubleValue(-0.0))),
        pair("nan", any(Any::DoubleValue(f64::NAN))),
        pair("bool", any(Any::BoolValue(false))),
        pair("bytes", any(Any::BytesValue(vec![1, 2, 3]))),
        pair("list", any(Any::KvlistValue(list))),
        pair("array", any(Any::ArrayValue(array))),
        pair("nothing", None),
        pair("no value", Some(AnyValue { value: None })),
    ];
    let event = Event { time_unix_nano: 0, name: String::new(), attributes: attributes.clone(), dropped_attributes_count: 7 };
    let link = Link {
        trace_id: vec![9; 16],
        span_id: vec![8; 8],
        trace_state: "a=b".to_owned(),
        attributes: attributes.clone(),
        dropped_attributes_count: u32::MAX,
        flags: 0x8000_0001,
    };
    let span = |id: u8| Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        trace_state: "ot=th:8".to_owned(),
        parent_span_id: if id == 1 { Vec::new() } else { vec![1; 8] },
        flags: 0x301,
        name: format!("span {id}"),
        kind: i32::from(id % 6),
        // In the year 2554, to the nanosecond; some end before they start.
        start_time_unix_nano: u64::MAX - 1_000 + u64::from(id),
        end_time_unix_nano: u64::MAX - u64::from(id) * 300,
        attributes: if id.is_multiple_of(2) { attributes.clone() } else { Vec::new() },
        dropped_attributes_count: 1,
        events: if id.is_multiple_of(3) { vec![event.clone(), Event::default()] } else { Vec::new() },
        dropped_events_count: 2,
        links: if id.is_multiple_of(4) { vec![link.clone()] } else { Vec::new() },
        dropped_links_count: 3,
        status: (id % 3 != 1).then(|| Status { message: "m".to_owned(), code: i32::from(id % 3) }),
    };
    let scope = |name: &str| InstrumentationScope {
        name: name.to_owned(),
        version: "1".to_owned(),
        attributes: attributes.clone(),
        dropped_attributes_count: 4,
    };
    let scopes = |url: &str| {
        vec![
            ScopeSpans { scope: None, spans: vec![span(1), span(2)], schema_url: String::new() },
            ScopeSpans {
                scope: Some(InstrumentationScope::default()),
                spans: vec![span(3), span(4)],
                schema_url: url.to_owned(),
            },
            ScopeSpans { scope: Some(scope("s")), spans: vec![span(5), span(6)], schema_url: url.to_owned() },
        ]
    };
    let resource = Resource { attributes: attributes.clone(), dropped_attributes_count: 5, entity_refs: Vec::new() };
    vec![
        ResourceSpans { resource: None, scope_spans: scopes(""), schema_url: String::new() },
        ResourceSpans { resource: Some(Resource::default()), scope_spans: scopes("u"), schema_url: "u".to_owned() },
        ResourceSpans { resource: Some(resource), scope_spans: scopes("v"), schema_url: "v".to_owned() },
    ]
}

#[tokio::test]
async fn whatever_a_sender_says_of_a_span_comes_back() {
    check(&unusual()).await;
}

/// The telemetry beside the conformance data, where it is.
fn telemetry(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ICEGATE_CONFORMANCE").map(|folder| Path::new(&folder).join("../data"));
    if found.is_none() {
        eprintln!("skipped {test}: ICEGATE_CONFORMANCE does not name the conformance data");
    }
    found
}

#[tokio::test]
async fn traces_of_a_real_application_come_back() {
    let Some(folder) = telemetry("traces_of_a_real_application") else { return };
    let bytes = std::fs::read(folder.join("nezha_trainticket/traces_0852.otlp.pb")).unwrap();
    check(&ExportTraceServiceRequest::decode(&*bytes).unwrap().resource_spans).await;
}

#[tokio::test]
async fn traces_of_zipkin_whose_servers_share_their_clients_ids_come_back() {
    let Some(folder) = telemetry("traces_of_zipkin") else { return };
    for entry in std::fs::read_dir(folder.join("traces/zipkin")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let spans: Vec<Value> = serde_json::from_str(&text).unwrap();
        check(&spans.iter().map(of_zipkin).collect::<Vec<_>>()).await;
    }
}

fn of_zipkin(span: &Value) -> ResourceSpans {
    let id = |name: &str, length: usize| span[name].as_str().map_or_else(Vec::new, |digits| bytes(digits, length));
    let nanos = |name: &str| span[name].as_u64().unwrap_or(0) * 1_000;
    let text = |text: &str| any(Any::StringValue(text.to_owned()));
    let tags = span["tags"].as_object().into_iter().flatten();
    let event = |one: &Value| Event {
        time_unix_nano: one["timestamp"].as_u64().unwrap_or(0) * 1_000,
        name: one["value"].as_str().unwrap_or_default().to_owned(),
        ..Event::default()
    };
    let kinds = ["", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    let kind = span["kind"].as_str().and_then(|kind| kinds.iter().position(|known| *known == kind)).unwrap_or(1);
    let one = Span {
        trace_id: id("traceId", 16),
        span_id: id("id", 8),
        parent_span_id: id("parentId", 8),
        name: span["name"].as_str().unwrap_or_default().to_owned(),
        kind: i32::try_from(kind).unwrap(),
        start_time_unix_nano: nanos("timestamp"),
        end_time_unix_nano: nanos("timestamp") + nanos("duration"),
        attributes: tags.map(|(key, value)| pair(key, text(value.as_str().unwrap_or_default()))).collect(),
        events: span["annotations"].as_array().into_iter().flatten().map(event).collect(),
        ..Span::default()
    };
    let service = span["localEndpoint"]["serviceName"].as_str().unwrap_or_default();
    let resource = Resource { attributes: vec![pair("service.name", text(service))], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![one], ..ScopeSpans::default() }];
    ResourceSpans { resource: Some(resource), scope_spans, schema_url: String::new() }
}

fn bytes(digits: &str, length: usize) -> Vec<u8> {
    let digits = format!("{digits:0>width$}", width = 2 * length);
    (0..length).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// The traces that the recordings of TraceQL were made on, as OTLP/JSON.
#[tokio::test]
async fn generated_traces_come_back_as_otlp_json() {
    let (Some(folder), Some(python)) = (telemetry("generated_traces"), std::env::var_os("ICEGATE_PYTHON")) else {
        eprintln!("skipped generated_traces: ICEGATE_PYTHON does not name a Python");
        return;
    };
    let made = std::env::temp_dir().join(format!("icegate-tempo-api-{}.ndjson", std::process::id()));
    let script = folder.join("../conformance/traceql/gen_traces.py");
    let done = std::process::Command::new(python).arg(script).args(["--traces", "30", "--out"]).arg(&made).status().unwrap();
    assert!(done.success());
    let text = std::fs::read_to_string(&made).unwrap();
    std::fs::remove_file(&made).unwrap();
    let world = World::new().await;
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let request: Value = serde_json::from_str(line).unwrap();
        for (trace, spans) in flat(&request["resourceSpans"]) {
            sent.entry(trace).or_default().extend(spans);
        }
        world.ingest("default", &request).await;
        if at % 16 == 0 {
            world.shift().await;
        }
    }
    let api = world.api();
    for (id, mut spans) in sent {
        spans.sort();
        let reply = api.ask(&format!("/api/traces/{id}"), &[("accept", "application/json;format=otlp")]).await;
        let mut found = flat(&reply.json()["resourceSpans"]).remove(&id).unwrap();
        found.sort();
        assert_eq!(found, spans);
    }
}

/// The spans of OTLP/JSON by trace, each with its resource and scope, as text; what is zero or empty left out.
fn flat(json: &Value) -> BTreeMap<String, Vec<String>> {
    let list = |json: &Value| json.as_array().cloned().unwrap_or_default();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for resource in list(json) {
        for scope in list(&resource["scopeSpans"]) {
            for span in list(&scope["spans"]) {
                let whole = [&resource["resource"], &scope["scope"], &span].map(|part| given(part).to_string());
                found.entry(span["traceId"].as_str().unwrap().to_owned()).or_default().push(whole.join(" "));
            }
        }
    }
    found
}

fn given(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            let empty = |value: &Value| match value {
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty() || text == "0",
                Value::Array(list) => list.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Null => true,
                Value::Bool(_) => false,
            };
            // A value of an attribute is there, whatever it is.
            let kept = members.iter().map(|(name, value)| (name, given(value)));
            let kept = kept.filter(|(name, value)| name.ends_with("Value") || *name == "value" || !empty(value));
            Value::Object(kept.map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::Array(list) => list.iter().map(given).collect(),
        other => other.clone(),
    }
}
