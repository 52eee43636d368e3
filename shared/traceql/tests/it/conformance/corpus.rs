//! The data set of the recordings: made by its generator, read as OTLP/JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use icegate_traceql::{Attributes, Event, Instrumentation, Kind, Link, Span, SpanId, Status, Trace, TraceId, Value};
use serde_json::Value as Json;

/// The traces, by id; `None`, with a line that says so, where there is no Python to run the generator.
pub(super) fn traces(directory: &Path) -> Option<&'static [Trace]> {
    static TRACES: OnceLock<Option<Vec<Trace>>> = OnceLock::new();
    TRACES.get_or_init(|| made(directory)).as_deref()
}

fn made(directory: &Path) -> Option<Vec<Trace>> {
    let Some(python) = std::env::var_os("ICEGATE_PYTHON") else {
        println!("skipped what needs the data set: ICEGATE_PYTHON isn't set");
        return None;
    };
    let made =
        std::env::temp_dir().join(format!("icegate-traceql-{}-{:?}.ndjson", std::process::id(), std::thread::current().id()));
    let run = Command::new(python).arg(directory.join("gen_traces.py")).arg("--out").arg(&made).status();
    assert!(run.expect("Python runs").success(), "the generator failed");
    let text = std::fs::read_to_string(&made).unwrap();
    std::fs::remove_file(&made).unwrap();
    Some(read(&text))
}

fn read(text: &str) -> Vec<Trace> {
    let mut spans: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for request in text.lines() {
        let request: Json = serde_json::from_str(request).unwrap();
        for group in list(&request["resourceSpans"]) {
            let resource = Arc::new(attributes(&group["resource"]["attributes"]));
            for scoped in list(&group["scopeSpans"]) {
                let scope = &scoped["scope"];
                let instrumentation = Arc::new(Instrumentation {
                    name: text_of(&scope["name"]),
                    version: text_of(&scope["version"]),
                    attributes: attributes(&scope["attributes"]),
                });
                for one in list(&scoped["spans"]) {
                    let span = span(one, &resource, &instrumentation);
                    spans.entry(TraceId(id(&one["traceId"]))).or_default().push(span);
                }
            }
        }
    }
    spans.into_iter().map(|(id, spans)| Trace::new(id, spans)).collect()
}

fn span(one: &Json, resource: &Arc<Attributes>, instrumentation: &Arc<Instrumentation>) -> Span {
    let start = nanos(&one["startTimeUnixNano"]);
    Span {
        id: SpanId(id(&one["spanId"])),
        parent: one["parentSpanId"].as_str().map(|_| SpanId(id(&one["parentSpanId"]))),
        name: text_of(&one["name"]),
        kind: Kind::ALL[usize::try_from(one["kind"].as_u64().unwrap_or(0)).unwrap()],
        status: Status::ALL[usize::try_from(one["status"]["code"].as_u64().unwrap_or(0)).unwrap()],
        status_message: text_of(&one["status"]["message"]),
        start,
        duration: nanos(&one["endTimeUnixNano"]) - start,
        trace_state: text_of(&one["traceState"]),
        attributes: attributes(&one["attributes"]),
        resource: Arc::clone(resource),
        instrumentation: Arc::clone(instrumentation),
        events: list(&one["events"]).map(event).collect(),
        links: list(&one["links"]).map(link).collect(),
    }
}

fn event(one: &Json) -> Event {
    Event { time: nanos(&one["timeUnixNano"]), name: text_of(&one["name"]), attributes: attributes(&one["attributes"]) }
}

fn link(one: &Json) -> Link {
    Link { trace: TraceId(id(&one["traceId"])), span: SpanId(id(&one["spanId"])), attributes: attributes(&one["attributes"]) }
}

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn text_of(json: &Json) -> Arc<str> {
    json.as_str().unwrap_or_default().into()
}

fn nanos(json: &Json) -> i64 {
    json.as_str().unwrap().parse().unwrap()
}

fn id<const N: usize>(json: &Json) -> [u8; N] {
    let digits = json.as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn attributes(json: &Json) -> Attributes {
    list(json).map(|one| (text_of(&one["key"]), value(&one["value"]))).collect()
}

fn value(json: &Json) -> Value {
    let (kind, inner) = json.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "stringValue" => Value::Text(text_of(inner)),
        "intValue" => Value::Int(nanos(inner)),
        "doubleValue" => Value::Float(inner.as_f64().unwrap()),
        "boolValue" => Value::Bool(inner.as_bool().unwrap()),
        "arrayValue" => Value::Array(list(&inner["values"]).map(value).collect()),
        _ => Value::Nil,
    }
}
