//! What searches find: the same traces, spansets, spans and attributes as recorded.

use icegate_traceql::{Search, SearchOptions, SpansetMatch, Trace, TraceMatch, Value, parse};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Difference, corpus, directory, python_json, recorded, report};
use crate::plan::check_soundness;

const WINDOW: (i64, i64) = (1_768_471_200, 1_768_474_800);

#[test]
fn searches_answer_as_recorded() {
    let Some(directory) = directory("searches") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let mut differences = Vec::new();
    let cases: Vec<_> = recorded(&directory).into_iter().filter(|case| case["kind"] == "search").collect();
    let mut levels = [0; 5];
    for case in &cases {
        let level = level(case, traces);
        levels[level] += 1;
        if level < 4 {
            let text = format!("{}\n    answers at level {level} of 4", case["query"].as_str().unwrap());
            differences.push(Difference { case: case["id"].as_str().unwrap().to_owned(), text });
        }
    }
    println!("levels 0 to 4: {levels:?}");
    report("searches", cases.len(), &differences);
}

#[test]
fn what_is_pushed_down_leaves_out_no_span_of_an_answer() {
    let Some(directory) = directory("pushed down predicates") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    for case in recorded(&directory).into_iter().filter(|case| case["kind"] == "search") {
        check_soundness(&parse(case["query"].as_str().unwrap()).unwrap(), &traces[..200]);
    }
}

#[test]
fn where_the_recordings_depart_from_the_language_searches_answer_by_the_language() {
    let Some(directory) = directory("departures") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let text = std::fs::read_to_string(directory.join("quirks.json")).unwrap();
    let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    for id in ["s111", "q001", "q011"] {
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let query = json!({ "params": "", "query": case["query"] });
        let found: std::collections::BTreeMap<_, _> = search(&query, traces).unwrap().iter().map(ids).collect();
        let wanted = case["oracle_typed"]["ids"].as_object().unwrap().iter();
        let sorted = |spans: &Json| {
            let mut spans: Vec<_> = spans[0].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
            spans.sort();
            spans
        };
        assert_eq!(found, wanted.map(|(trace, spans)| (trace.clone(), sorted(spans))).collect(), "{id}");
    }
}

/// The id of a trace and of the spans that were found of it, sorted.
fn ids(found: &TraceMatch) -> (String, Vec<String>) {
    let mut spans: Vec<_> = found.spansets[0].spans.iter().map(|span| span.id.to_string()).collect();
    spans.sort();
    (found.id.to_string(), spans)
}

/// How far an answer is the recorded one: 0 other traces, 1 other counts, 2 other spans, 3 other attributes or times, 4 equal.
fn level(case: &Json, traces: &[Trace]) -> usize {
    let recorded = &case["answer"];
    let found = search(case, traces);
    let Ok(found) = found else { return usize::from(recorded["status"] == 500) * 4 };
    let Some(expected) = recorded["traces"].as_object() else { return 0 };
    if expected.len() != found.len() || !found.iter().all(|one| expected.contains_key(&one.id.to_string())) {
        return 0;
    }
    let sets = |one: &TraceMatch| {
        let id = one.id.to_string();
        let set = |set: &Json| {
            let compact = set.as_array();
            let (matched, spans) = compact.map_or((&set["matched"], &set["spans"]), |set| (&set[0], &set[1]));
            let id = |span: &Json| span.as_str().unwrap_or_else(|| span[0].as_str().unwrap()).to_owned();
            (matched.as_u64().unwrap(), spans.as_array().unwrap().iter().map(id).collect::<Vec<_>>())
        };
        let expected = &expected[&id];
        let expected = if expected.is_array() { expected } else { &expected["sets"] };
        let mut expected: Vec<_> = expected.as_array().unwrap().iter().map(set).collect();
        let mine = |set: &SpansetMatch| {
            let mut spans: Vec<_> = set.spans.iter().map(|span| span.id.to_string()).collect();
            spans.sort();
            (set.matched as u64, spans)
        };
        let mut found: Vec<_> = one.spansets.iter().map(mine).collect();
        expected.iter_mut().for_each(|set| set.1.sort());
        expected.sort();
        found.sort();
        (expected, found)
    };
    let counts = |sets: &[(u64, Vec<String>)]| sets.iter().map(|set| set.0).collect::<Vec<_>>();
    let all: Vec<_> = found.iter().map(sets).collect();
    if !all.iter().all(|(expected, found)| counts(expected) == counts(found)) {
        return 1;
    }
    if !all.iter().all(|(expected, found)| expected == found) {
        return 2;
    }
    let normal = normal(&found);
    let equal = hex::encode(Sha256::digest(python_json::dump(&normal)))[..16] == *recorded["digest"].as_str().unwrap();
    if !equal && recorded.get("compact").is_none() {
        for (id, one) in expected.iter() {
            if normal[id] != *one {
                println!("{}\n  recorded {}\n  found    {}", case["query"], one, normal[id]);
                break;
            }
        }
    }
    3 + usize::from(equal)
}

fn search(case: &Json, traces: &[Trace]) -> Result<Vec<TraceMatch>, icegate_traceql::TraceqlError> {
    let mut window = WINDOW;
    for pair in case["params"].as_str().unwrap().split('&') {
        match pair.split_once('=') {
            Some(("start", value)) => window.0 = value.parse().unwrap(),
            Some(("end", value)) => window.1 = value.parse().unwrap(),
            _ => {}
        }
    }
    let window = Some((window.0 * 1_000_000_000, window.1 * 1_000_000_000));
    let mut search = Search::new(&parse(case["query"].as_str().unwrap())?, SearchOptions { limit: 5_000, spans: 5_000, window })?;
    for trace in traces {
        search.add(trace)?;
    }
    Ok(search.finish())
}

/// In the form whose digest is recorded.
fn normal(found: &[TraceMatch]) -> Json {
    let trace = |one: &TraceMatch| {
        let name = if one.root_name.is_empty() { Json::Null } else { json!(&*one.root_name) };
        let stats = one.services.iter().map(|(service, stats)| (service.to_string(), json!([stats.spans, stats.errors])));
        let mut sets: Vec<Json> = one.spansets.iter().map(spanset).collect();
        sets.sort_by_key(|set| {
            let ids: Vec<_> = set["spans"].as_array().unwrap().iter().map(|span| span[0].clone()).collect();
            python_json::dump_ascii(&json!([set["attrs"], ids]))
        });
        let answer = json!({
            "svc": &*one.root_service, "name": name, "start": one.start.to_string(), "ms": one.duration / 1_000_000,
            "stats": stats.collect::<serde_json::Map<_, _>>(), "sets": sets,
        });
        (one.id.to_string(), answer)
    };
    Json::Object(found.iter().map(trace).collect())
}

fn spanset(set: &SpansetMatch) -> Json {
    let span = |span: &icegate_traceql::SpanMatch| {
        let duration = if span.duration == 0 { Json::Null } else { json!(span.duration.to_string()) };
        let name = span.name.as_ref().filter(|name| !name.is_empty()).map(|name| name.to_string());
        json!([span.id.to_string(), name, span.start.to_string(), duration, attributes(&span.attributes)])
    };
    let mut spans: Vec<Json> = set.spans.iter().map(span).collect();
    spans.sort_by_key(python_json::dump_ascii);
    json!({ "matched": set.matched, "attrs": attributes(&set.attributes), "spans": spans })
}

fn attributes(all: &[(String, Value)]) -> Json {
    let mut all: Vec<_> = all.iter().map(|(key, value)| (key.clone(), typed(value))).collect();
    all.sort();
    json!(all)
}

/// A value with its type, as the recordings write it.
pub(super) fn typed(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("s:{text}"),
        Value::Int(value) => format!("i:{value}"),
        Value::Float(value) => format!("d:{}", python_json::float(*value)),
        Value::Bool(value) => format!("b:{value}"),
        Value::Array(values) => format!("a:[{}]", values.iter().map(typed).collect::<Vec<_>>().join(",")),
        _ => "nil".to_owned(),
    }
}
