//! One line through one stage.

use std::collections::BTreeMap;

use icegate_logql::{Answer, evaluate, parse};
use serde_json::{Value, json};

use super::super::layouts::{LAYOUTS, load};
use super::pipelines::{Map, found_labels, params, recorded_labels};
use super::{Difference, recorded, report, row};

const FILE: &str = "upstream/stage_cases.jsonl";

/// A time of its own, where a case needs none.
const AT: i64 = 1_768_471_200_000_000_000;

/// What a case asks, and what it should find.
struct Asked {
    pipeline: String,
    line: String,
    wanted: String,
}

fn quoted(text: &Value) -> String {
    text.to_string()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

fn kept(labels: &Map, line: &str) -> String {
    format!("{labels:?} {line:?}")
}

/// What a case asks; none where it can't be asked of a pipeline: what follows hints of a query that isn't recorded, and bytes that
/// are no text.
fn asked(case: &Value) -> Vec<Asked> {
    let hinted = case.get("hints").is_some_and(|hints| hints != "none");
    let raw = case.get("line_b64").is_some() && text(case, "line").contains('\u{FFFD}');
    if hinted || raw {
        return Vec::new();
    }
    let line = text(case, "line").to_owned();
    let labels = recorded_labels(&case["want"]);
    let leaves = |pipeline: String| {
        let wanted = kept(&labels, case["want_line"].as_str().unwrap_or(&line));
        vec![Asked { pipeline, line: line.clone(), wanted }]
    };
    let accepted = |pipeline: String, accepted: bool| {
        let wanted = if accepted { "accepted" } else { "refused" }.to_owned();
        vec![Asked { pipeline, line: String::new(), wanted }]
    };
    let expressions = || {
        let pairs = case["expressions"].as_array().into_iter().flatten();
        let pairs: Vec<_> = pairs.map(|pair| format!("{}={}", text(pair, "id"), quoted(&pair["expr"]))).collect();
        pairs.join(", ")
    };
    let has_no_error = case["error"] == "" || case["error"] == false;
    match text(case, "kind") {
        kind @ ("drop" | "keep") => {
            let names = case["labels"].as_array().into_iter().flatten();
            let names: Vec<_> = names.filter_map(Value::as_str).collect();
            match case["error"].as_str().unwrap_or_default() {
                // A stage that names nothing can't be written.
                _ if names.is_empty() => Vec::new(),
                "" => leaves(format!("| {kind} {}", names.join(", "))),
                // The error is made by a parser that can't read the line.
                _ => {
                    let wanted = kept(&labels, "no object");
                    let pipeline = format!("| json | {kind} {}", names.join(", "));
                    vec![Asked { pipeline, line: "no object".to_owned(), wanted }]
                }
            }
        }
        "label_filter" => {
            let wanted = if case["keep"] == true { kept(&labels, "") } else { "dropped".to_owned() };
            vec![Asked { pipeline: format!("| {}", text(case, "filter")), line, wanted }]
        }
        "label_filter_error" if case["error"] == "JSONParserErr" => {
            let mut labels = labels;
            labels.insert("__error_details__".to_owned(), "*".to_owned());
            let wanted = if case["keep"] == true { kept(&labels, "no object") } else { "dropped".to_owned() };
            vec![Asked { pipeline: format!("| json | {}", text(case, "filter")), line: "no object".to_owned(), wanted }]
        }
        kind @ ("json" | "unpack" | "decolorize") => leaves(format!("| {kind}")),
        "json_expr" => leaves(format!("| json {}", expressions())),
        "logfmt_expr" => leaves(format!("| logfmt {}", expressions())),
        "regexp" => leaves(format!("| regexp {}", quoted(&case["regexp"]))),
        "pattern" => leaves(format!("| pattern {}", quoted(&case["pattern"]))),
        "line_format" => leaves(format!("| line_format {}", quoted(&case["template"]))),
        "label_format" => {
            let formats = case["formats"].as_array().into_iter().flatten().map(|format| {
                let value = if format["rename"] == true { text(format, "value").to_owned() } else { quoted(&format["value"]) };
                format!("{}={value}", text(format, "name"))
            });
            leaves(format!("| label_format {}", formats.collect::<Vec<_>>().join(", ")))
        }
        "logfmt" => {
            let mut asked = leaves("| logfmt".to_owned());
            // Recorded where it isn't the same; no line ever leaves without the stream's labels.
            let strict = recorded_labels(&case["want_strict"]);
            if !strict.is_empty() {
                let wanted = kept(&strict, &line);
                asked.push(Asked { pipeline: "| logfmt --strict".to_owned(), line: line.clone(), wanted });
            }
            asked
        }
        "logfmt_keep_empty" => {
            let flag = |name: &str| if case[name] == true { format!(" --{}", name.replace('_', "-")) } else { String::new() };
            leaves(format!("| logfmt{}{}", flag("strict"), flag("keep_empty")))
        }
        "json_path" | "json_expr_error" => accepted(format!("| json a={}", quoted(&case["expr"])), has_no_error),
        "logfmt_expr_error" => accepted(format!("| logfmt a={}", quoted(&case["expr"])), has_no_error),
        "regexp_new" => accepted(format!("| regexp {}", quoted(&case["regexp"])), has_no_error),
        "pattern_new" => accepted(format!("| pattern {}", quoted(&case["pattern"])), has_no_error),
        "pattern_line_filter_new" => accepted(format!("|> {}", quoted(&case["pattern"])), has_no_error),
        "ip_line" if !has_no_error => accepted(format!("|= ip({})", quoted(&case["pattern"])), false),
        "ip_line" => {
            let matched: Vec<u64> = serde_json::from_value(case["matched"].clone()).unwrap_or_default();
            let lines = case["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).zip(0..);
            let ask = |(line, index): (&str, u64)| Asked {
                pipeline: format!("|= ip({})", quoted(&case["pattern"])),
                line: line.to_owned(),
                wanted: if matched.contains(&index) { kept(&Map::new(), line) } else { "dropped".to_owned() },
            };
            lines.map(ask).collect()
        }
        "bytes_value" => {
            let wanted = kept(&BTreeMap::from([("size".to_owned(), text(case, "text").to_owned())]), "");
            vec![Asked { pipeline: format!("| size = {}B", case["bytes"]), line, wanted }]
        }
        // What a pattern catches, by its names in their order.
        "pattern_match" => {
            let names = text(case, "pattern").split('<').skip(1).filter_map(|part| part.split_once('>')).map(|(name, _)| name);
            let captures = case["captures"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let caught = names.filter(|name| *name != "_").zip(captures).filter(|(_, value)| !value.is_empty());
            let labels: Map = caught.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let wanted = kept(&labels, &line);
            vec![Asked { pipeline: format!("| pattern {}", quoted(&case["pattern"])), line: line.clone(), wanted }]
        }
        // No stage makes the other errors.
        "label_filter_error" => Vec::new(),
        other => panic!("nothing asks what {other} is"),
    }
}

#[tokio::test]
async fn every_stage_leaves_lines_as_recorded() {
    let cases = recorded(FILE);
    let (mut compared, mut differences) = (0, Vec::new());
    for (case, number) in cases.iter().zip(1..) {
        for asked in asked(case) {
            compared += 1;
            let found = found(case, &asked).await;
            if found != asked.wanted {
                let (line, stream, wanted) = (&asked.line, &case["stream"], &asked.wanted);
                let text = format!("{}\n    line  {line:?} {stream}\n    found {found}\n    want  {wanted}", asked.pipeline);
                differences.push(Difference { case: number_of(number, &asked), text });
            }
        }
    }
    report(FILE, compared, &differences);
}

/// The place of a case in its file, and the stage where it asks for several.
fn number_of(number: u32, asked: &Asked) -> String {
    let strict = if asked.pipeline.contains("--strict") { " strict" } else { "" };
    format!("line {number}{strict}")
}

async fn found(case: &Value, asked: &Asked) -> String {
    let expr = match parse(&format!("{{absent=\"\"}} {}", asked.pipeline)) {
        Ok(expr) => expr,
        Err(_) if asked.wanted == "refused" => return "refused".to_owned(),
        Err(error) => return format!("error {error}"),
    };
    if asked.wanted == "accepted" {
        return "accepted".to_owned();
    }
    let stream = match (case.get("stream"), text(case, "kind")) {
        (_, "bytes_value") => json!({"size": case["text"]}),
        (None, _) => json!({}),
        (Some(stream), _) => stream.clone(),
    };
    let at = case.get("ts").and_then(Value::as_i64).filter(|at| *at != 0).unwrap_or(AT);
    let rows = load(&[row::row(&stream, case.get("metadata"), &asked.line, at)], LAYOUTS[0]);
    match evaluate(&expr, &params(at, false), &rows).await {
        Err(_) if asked.wanted == "refused" => "refused".to_owned(),
        Err(error) => format!("error {error}"),
        Ok(Answer::Streams(streams)) => streams.first().map_or_else(
            || "dropped".to_owned(),
            |stream| {
                let entry = &stream.entries[0];
                let mut labels = found_labels(&stream.labels);
                labels.extend(found_labels(&entry.metadata));
                labels.extend(found_labels(&entry.parsed));
                kept(&labels, &entry.line)
            },
        ),
        Ok(other) => format!("{other:?}"),
    }
}
