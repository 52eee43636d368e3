//! Scripts: `load` and its spans as JSON, one a line; `eval search|range|instant …` and the answer; `#` before comments.
//!
//! ```text
//! load
//!   {"trace":"1","id":"a","parent":"b","service":"api","name":"GET","kind":"server","start":"0s","duration":"1s"}
//! eval search { name = "GET" }
//!   1 a
//! eval range 0s 10s 5s { } | count_over_time()
//!   {__name__="count_over_time"} 1@0s 0@5s 0@10s
//! ```
//!
//! A line of a search is one spanset: its trace, what was found of it in brackets, its spans with what is shown of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use icegate_syntax::duration;
use icegate_traceql::{
    Attributes, Event, Instrumentation, Kind, Link, MetricSeries, Metrics, MetricsLimits, MetricsOptions, Search, SearchOptions,
    Span, SpanId, Status, Trace, TraceId, TraceMatch, TraceqlError, Value, go_duration, parse,
};
use serde_json::Value as Json;

/// Runs a script; gives what differs.
pub(crate) fn run(name: &str, text: &str) -> Vec<String> {
    let (mut traces, mut failures) = (Vec::new(), Vec::new());
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let block: Vec<_> = std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  "))).map(str::trim_start).collect();
        if line == "load" {
            traces = load(&block);
        } else if let Some(asked) = line.strip_prefix("eval ") {
            let found = answer(asked, &traces).unwrap_or_else(|error| vec![format!("error: {error}")]);
            if found != block {
                failures.push(format!(
                    "{name}: {asked}\n  expected\n    {}\n  found\n    {}",
                    block.join("\n    "),
                    found.join("\n    ")
                ));
            }
        } else {
            assert!(line.is_empty(), "{name}: unknown verb in {line:?}");
        }
    }
    failures
}

fn answer(asked: &str, traces: &[Trace]) -> Result<Vec<String>, TraceqlError> {
    let mut words = asked.splitn(2, ' ');
    let (kind, rest) = (words.next().unwrap(), words.next().unwrap());
    match kind {
        "search" => Ok(search(rest, traces, usize::MAX)?.iter().flat_map(spansets).collect()),
        "newest" => {
            let (limit, query) = rest.split_once(' ').unwrap();
            Ok(search(query, traces, limit.parse().unwrap())?.iter().flat_map(spansets).collect())
        }
        "range" => {
            let parts: Vec<_> = rest.splitn(4, ' ').collect();
            metrics(parts[3], nanos(parts[0]), nanos(parts[1]), Some(nanos(parts[2])), traces)
        }
        "instant" => {
            let parts: Vec<_> = rest.splitn(3, ' ').collect();
            metrics(parts[2], nanos(parts[0]), nanos(parts[1]), None, traces)
        }
        other => panic!("unknown question {other}"),
    }
}

/// Any order of traces gives the same answer, and a printed query asks the same.
fn search(query: &str, traces: &[Trace], limit: usize) -> Result<Vec<TraceMatch>, TraceqlError> {
    let tree = parse(query)?;
    assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{query} prints as {tree}");
    super::plan::check_soundness(&tree, traces);
    let options = SearchOptions { limit: limit.min(1_000), spans: 1_000, window: None };
    let run = |traces: &mut dyn Iterator<Item = &Trace>| {
        let mut search = Search::new(&tree, options)?;
        for trace in traces {
            search.add(trace)?;
        }
        Ok(search.finish())
    };
    let found = run(&mut traces.iter());
    assert_eq!(found, run(&mut traces.iter().rev()), "{query}");
    found
}

fn spansets(found: &TraceMatch) -> Vec<String> {
    let attributes =
        |all: &[(String, Value)]| all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
    let one = |set: &icegate_traceql::SpansetMatch| {
        let mut line = found.id.to_string();
        if !set.attributes.is_empty() {
            write!(line, " [{}]", attributes(&set.attributes)).unwrap();
        }
        for span in &set.spans {
            write!(line, " {}", span.id.to_string().trim_start_matches('0')).unwrap();
            let name = span.name.iter().map(|name| ("name".to_owned(), Value::Text(Arc::clone(name))));
            let shown: Vec<_> = name.chain(span.attributes.iter().cloned()).collect();
            if !shown.is_empty() {
                write!(line, "({})", attributes(&shown)).unwrap();
            }
        }
        line
    };
    found.spansets.iter().map(one).collect()
}

/// The answer is the same in any order and split; spans alone give it where they say that they do.
fn metrics(query: &str, start: i64, end: i64, step: Option<i64>, traces: &[Trace]) -> Result<Vec<String>, TraceqlError> {
    let tree = parse(query)?;
    assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{query} prints as {tree}");
    let options = MetricsOptions { start, end, step, exemplars: 100, limits: MetricsLimits::default() };
    let mut whole = Metrics::new(&tree, &options)?;
    traces.iter().try_for_each(|trace| whole.add(trace))?;
    let mut parts = [Metrics::new(&tree, &options)?, Metrics::new(&tree, &options)?];
    for (index, trace) in traces.iter().rev().enumerate() {
        if whole.needs_traces() {
            parts[index % 2].add(trace)?;
        } else {
            for (at, span) in trace.spans().iter().enumerate() {
                let facts = whole.needs_facts().then(|| trace.facts(at));
                parts[index % 2].add_span(trace.id(), span, facts.as_ref())?;
            }
        }
    }
    let [mut first, second] = parts;
    first.merge(second)?;
    let lines: Vec<String> = whole.finish().iter().map(series).collect();
    assert_eq!(lines, first.finish().iter().map(series).collect::<Vec<_>>(), "{query}");
    Ok(lines)
}

fn series(series: &MetricSeries) -> String {
    let labels: Vec<_> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut line = format!("{{{}}}", labels.join(", "));
    for (time, value) in &series.points {
        write!(line, " {}@{}", round(*value), go_duration(*time)).unwrap();
    }
    line
}

/// To twelve digits, so that scripts don't depend on the last bit.
fn round(value: f64) -> String {
    let text = format!("{value:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn nanos(text: &str) -> i64 {
    duration::go(text).unwrap_or_else(|| panic!("no duration: {text}"))
}

/// The traces of a `load`, in the order in which they come.
pub(crate) fn load(lines: &[&str]) -> Vec<Trace> {
    let mut order = Vec::new();
    let mut spans: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for line in lines {
        let json: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let id = TraceId(id(&json["trace"]));
        if !order.contains(&id) {
            order.push(id);
        }
        spans.entry(id).or_default().push(span(&json));
    }
    order.into_iter().map(|id| Trace::new(id, spans.remove(&id).unwrap())).collect()
}

fn span(json: &Json) -> Span {
    const KNOWN: [&str; 16] = [
        "trace",
        "id",
        "parent",
        "name",
        "service",
        "kind",
        "status",
        "message",
        "start",
        "duration",
        "state",
        "attributes",
        "resource",
        "scope",
        "events",
        "links",
    ];
    json.as_object().unwrap().keys().for_each(|key| assert!(KNOWN.contains(&key.as_str()), "unknown key {key}"));
    let word = |key: &str| json[key].as_str();
    let mut resource = attributes(&json["resource"]);
    if let Some(service) = word("service") {
        resource.set("service.name", Value::text(service));
    }
    let scope = &json["scope"];
    let instrumentation = Instrumentation {
        name: scope["name"].as_str().unwrap_or_default().into(),
        version: scope["version"].as_str().unwrap_or_default().into(),
        attributes: attributes(&scope["attributes"]),
    };
    let start = word("start").map_or(0, nanos);
    let of = |one: &Json| Event {
        time: start + nanos(one["t"].as_str().unwrap()),
        name: one["name"].as_str().unwrap().into(),
        attributes: attributes(&one["attributes"]),
    };
    let link = |one: &Json| Link {
        trace: TraceId(id(&one["trace"])),
        span: SpanId(id(&one["span"])),
        attributes: attributes(&one["attributes"]),
    };
    Span {
        id: SpanId(id(&json["id"])),
        parent: word("parent").map(|_| SpanId(id(&json["parent"]))),
        name: word("name").unwrap_or_default().into(),
        kind: word("kind").map_or(Kind::Unspecified, |word| Kind::ALL.into_iter().find(|kind| kind.name() == word).unwrap()),
        status: word("status")
            .map_or(Status::Unset, |word| Status::ALL.into_iter().find(|status| status.name() == word).unwrap()),
        status_message: word("message").unwrap_or_default().into(),
        start,
        duration: word("duration").map_or(0, nanos),
        trace_state: word("state").unwrap_or_default().into(),
        attributes: attributes(&json["attributes"]),
        resource: Arc::new(resource),
        instrumentation: Arc::new(instrumentation),
        events: json["events"].as_array().into_iter().flatten().map(of).collect(),
        links: json["links"].as_array().into_iter().flatten().map(link).collect(),
    }
}

/// Hexadecimal digits, filled with zeros on the left.
fn id<const N: usize>(json: &Json) -> [u8; N] {
    let digits = format!("{:0>width$}", json.as_str().unwrap(), width = 2 * N);
    std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
}

fn attributes(json: &Json) -> Attributes {
    json.as_object().into_iter().flatten().map(|(key, one)| (key.as_str(), value(one))).collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::text(&**text),
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::Array(values) => Value::Array(values.iter().map(value).collect()),
        _ => Value::Nil,
    }
}
