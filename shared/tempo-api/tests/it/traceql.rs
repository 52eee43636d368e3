//! The scripts of TraceQL over HTTP, wherever spans lie: the answers that they state.

use std::collections::BTreeSet;
use std::path::Path;

use icegate_engine::{EngineConfig, PredicatePushdown};
use icegate_syntax::{duration, text::quote};
use icegate_tempo_api::TempoConfig;
use serde_json::{Value, json};

use crate::world::{Api, State, T0, World};

const SECOND: i64 = 1_000_000_000;

/// A `load` and what is asked of it.
#[derive(Default)]
struct Block {
    file: String,
    spans: Vec<Value>,
    evals: Vec<(String, Vec<String>)>,
}

fn blocks() -> Vec<Block> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traceql/tests/eval");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let indented: Vec<_> = std::iter::from_fn(|| lines.next_if(|next| next.starts_with("  ")))
            .map(|line| line.trim_start().to_owned())
            .collect();
        if line == "load" {
            let spans = indented.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            blocks.push(Block { file: file.file_name().unwrap().to_str().unwrap().to_owned(), spans, evals: Vec::new() });
        } else if let Some(asked) = line.strip_prefix("eval ") {
            blocks.last_mut().unwrap().evals.push((asked.to_owned(), indented));
        } else {
            assert!(line.is_empty(), "unknown verb in {line:?}");
        }
    }
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_give_the_answers_that_they_state_in_every_state_of_storage() {
    let small = EngineConfig { batch_size: 2, target_partitions: 3, ..EngineConfig::default() };
    let usual = EngineConfig { target_partitions: 2, ..EngineConfig::default() };
    let engines = [
        usual,
        EngineConfig { pushdown: PredicatePushdown::Never, ..small.clone() },
        EngineConfig { pushdown: PredicatePushdown::Always, ..small },
    ];
    let (mut failures, mut compared) = (Vec::new(), 0);
    for (number, block) in blocks().into_iter().enumerate() {
        let requests: Vec<Value> = block.spans.iter().map(otlp).collect();
        // Each way to read is taken by turns where spans are in both places. That one place is enough is shown of half of the scripts each.
        let alone = if number % 2 == 0 { State::Wal } else { State::Table };
        for state in [State::Both, alone] {
            let world = World::with(&requests, state).await;
            let config = |rows_at_once| TempoConfig { max_spans_per_span_set: 10_000, rows_at_once, ..TempoConfig::default() };
            let [usual, never, always] = engines.clone();
            let many = TempoConfig::default().rows_at_once;
            let apis = [(many, usual), (many, never), (0, always)].map(|(rows, engine)| world.api_with(config(rows), engine));
            for (at, (asked, expected)) in block.evals.iter().enumerate() {
                compared += 1;
                let api = if state == State::Both { &apis[at % apis.len()] } else { &apis[0] };
                let found = answer(api, asked).await;
                if normal(&found) != normal(expected) {
                    failures.push(format!("{} {state:?} {asked}\n  expected {expected:#?}\n  found {found:#?}", block.file));
                }
            }
        }
    }
    assert!(compared > 0 && failures.is_empty(), "{} of {compared}:\n{}", failures.len(), failures.join("\n"));
}

/// Lines with their spans in any order: spans that start at the same time have none, wherever they lie. A name that is empty isn't shown.
fn normal(lines: &[String]) -> Vec<BTreeSet<String>> {
    let line = |line: &String| line.replace("name=\"\", ", "").replace("(name=\"\")", "");
    let mut lines: Vec<BTreeSet<String>> = lines.iter().map(line).map(|line| words(&line)).collect();
    lines.sort();
    lines
}

/// Words with what is in brackets and quotes.
fn words(line: &str) -> BTreeSet<String> {
    let (mut words, mut word, mut depth, mut quoted) = (BTreeSet::new(), String::new(), 0, false);
    let mut before = ' ';
    for c in line.chars() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 => {
                words.insert(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c);
        before = c;
    }
    words.insert(word);
    words
}

async fn answer(api: &Api, asked: &str) -> Vec<String> {
    let (kind, rest) = asked.split_once(' ').unwrap();
    let window = [("start", (T0 - 1_000).to_string()), ("end", (T0 + 10_000).to_string())];
    let (path, params) = match kind {
        "search" | "newest" => {
            let (limit, query) = if kind == "newest" { rest.split_once(' ').unwrap() } else { ("1000", rest) };
            let mut params = vec![("q", query.to_owned()), ("limit", limit.to_owned()), ("spss", "1000".to_owned())];
            params.extend(window);
            ("/api/search", params)
        }
        "range" => {
            let parts: Vec<_> = rest.splitn(4, ' ').collect();
            let step = format!("{}", nanos(parts[2]) as f64 / 1e9);
            (
                "/api/metrics/query_range",
                vec![("q", parts[3].to_owned()), ("start", at(parts[0])), ("end", at(parts[1])), ("step", step)],
            )
        }
        "instant" => {
            let parts: Vec<_> = rest.splitn(3, ' ').collect();
            ("/api/metrics/query", vec![("q", parts[2].to_owned()), ("start", at(parts[0])), ("end", at(parts[1]))])
        }
        other => panic!("unknown question {other}"),
    };
    // A time within a query is since 1970, too.
    let moved = |value: &str| value.replace("1000000000, 6000000000", &format!("{}, {}", at("1s"), at("6s")));
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, moved(value))).collect();
    let params: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = api.query(path, &params).await;
    if reply.status != 200 {
        let text = reply.text().trim_end().trim_start_matches("invalid TraceQL query: ");
        return vec![format!("error: {text}")];
    }
    let json = reply.json();
    match kind {
        "search" | "newest" => list(&json["traces"]).flat_map(spansets).collect(),
        "instant" => list(&json["series"]).map(|series| instant(series, rest.split(' ').nth(1).unwrap())).collect(),
        _ => list(&json["series"]).map(over_time).collect(),
    }
}

/// A time of a script as nanoseconds since 1970.
fn at(text: &str) -> String {
    (T0 * SECOND + nanos(text)).to_string()
}

fn nanos(text: &str) -> i64 {
    duration::go(text).unwrap_or_else(|| panic!("no duration: {text}"))
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn spansets(found: &Value) -> Vec<String> {
    let one = |set: &Value| {
        let mut line = found["traceID"].as_str().unwrap_or_default().to_owned();
        let attributes = pairs(&set["attributes"]);
        if !attributes.is_empty() {
            line += &format!(" [{}]", attributes.join(", "));
        }
        for span in list(&set["spans"]) {
            line += &format!(" {}", span["spanID"].as_str().unwrap().trim_start_matches('0'));
            let name = span["name"].as_str().map(|name| format!("name={}", quote(name)));
            let shown: Vec<_> = name.into_iter().chain(pairs(&span["attributes"])).collect();
            if !shown.is_empty() {
                line += &format!("({})", shown.join(", "));
            }
        }
        line
    };
    list(&found["spanSets"]).map(one).collect()
}

fn pairs(json: &Value) -> Vec<String> {
    list(json).map(|pair| format!("{}={}", pair["key"].as_str().unwrap(), written(&pair["value"]))).collect()
}

/// A value as a query writes it.
fn written(json: &Value) -> String {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "stringValue" => quote(value.as_str().unwrap()),
        "intValue" => value.as_str().unwrap().to_owned(),
        "doubleValue" => format!("{:?}", value.as_f64().unwrap()),
        "boolValue" => value.to_string(),
        "arrayValue" => format!("[{}]", list(&value["values"]).map(written).collect::<Vec<_>>().join(", ")),
        other => panic!("{other}"),
    }
}

fn over_time(series: &Value) -> String {
    let point = |sample: &Value| {
        let millis: i64 = sample["timestampMs"].as_str().unwrap().parse().unwrap();
        let time = icegate_traceql::go_duration((millis - T0 * 1_000) * 1_000_000);
        format!(" {}@{time}", number(&sample["value"]))
    };
    format!("{{{}}}{}", pairs(&series["labels"]).join(", "), list(&series["samples"]).map(point).collect::<String>())
}

fn instant(series: &Value, end: &str) -> String {
    let end = icegate_traceql::go_duration(nanos(end));
    format!("{{{}}} {}@{end}", pairs(&series["labels"]).join(", "), number(&series["value"]))
}

/// To twelve digits, as scripts have them; what is left out is 0.
fn number(json: &Value) -> String {
    let number = json.as_f64().unwrap_or_else(|| match json.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => 0.0,
    });
    let text = format!("{number:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A span of a script as a request of its own.
fn otlp(json: &Value) -> Value {
    let word = |key: &str| json[key].as_str();
    let id = |text: Option<&str>, digits: usize| text.map(|text| format!("{text:0>digits$}"));
    let code = |words: &[&str], key| word(key).map(|word| words.iter().position(|known| *known == word).unwrap());
    let start = T0 * SECOND + word("start").map_or(0, nanos);
    let mut span = json!({
        "traceId": id(word("trace"), 32), "spanId": id(word("id"), 16), "parentSpanId": id(word("parent"), 16),
        "name": word("name"), "traceState": word("state"),
        "kind": code(&["unspecified", "internal", "server", "client", "producer", "consumer"], "kind"),
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + word("duration").map_or(0, nanos)).to_string(),
        "attributes": attributes(&json["attributes"]),
        "status": { "code": code(&["unset", "ok", "error"], "status"), "message": word("message") },
    });
    let event = |one: &Value| {
        let time = start + nanos(one["t"].as_str().unwrap());
        json!({ "timeUnixNano": time.to_string(), "name": one["name"], "attributes": attributes(&one["attributes"]) })
    };
    let link = |one: &Value| {
        let (trace, span) = (id(one["trace"].as_str(), 32), id(one["span"].as_str(), 16));
        json!({ "traceId": trace, "spanId": span, "attributes": attributes(&one["attributes"]) })
    };
    span["events"] = list(&json["events"]).map(event).collect();
    span["links"] = list(&json["links"]).map(link).collect();
    let mut resource = attributes(&json["resource"]);
    if let Some(service) = word("service") {
        resource.push(json!({ "key": "service.name", "value": { "stringValue": service } }));
    }
    let scope = &json["scope"];
    let scope = json!({ "name": scope["name"], "version": scope["version"], "attributes": attributes(&scope["attributes"]) });
    json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": [{ "scope": scope, "spans": [span] }] }] })
}

fn attributes(json: &Value) -> Vec<Value> {
    json.as_object().into_iter().flatten().map(|(key, one)| json!({ "key": key, "value": value(one) })).collect()
}

fn value(json: &Value) -> Value {
    match json {
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Number(number) if number.is_i64() => json!({ "intValue": number.to_string() }),
        Value::Number(number) => json!({ "doubleValue": number }),
        Value::Array(values) => json!({ "arrayValue": { "values": values.iter().map(value).collect::<Vec<_>>() } }),
        Value::Object(members) => {
            let pairs: Vec<_> = members.iter().map(|(key, one)| json!({ "key": key, "value": value(one) })).collect();
            json!({ "kvlistValue": { "values": pairs } })
        }
        Value::Null => json!({}),
    }
}
