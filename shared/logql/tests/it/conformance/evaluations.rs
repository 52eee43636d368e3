//! Metric queries over small data sets.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use icegate_logql::{Answer, Direction, Labels, Limits, LogqlError, QueryParams, evaluate, parse};
use icegate_model::Timestamp;
use serde_json::Value;

use super::super::layouts::{LAYOUTS, load};
use super::{Difference, recorded, report, row};

/// The zero of the scripts' times, in milliseconds.
const BASE: i64 = 1_768_471_200_000;

/// The recording.
const FILE: &str = "upstream/eval_cases.jsonl";

type Points = BTreeMap<String, Vec<(i64, f64)>>;

fn at(case: &Value, name: &str) -> Timestamp {
    Timestamp::from_nanos((BASE + case[name].as_i64().unwrap()) * 1_000_000)
}

fn params(case: &Value) -> QueryParams {
    let instant = case["kind"] == "instant";
    QueryParams {
        start: at(case, if instant { "at_ms" } else { "start_ms" }),
        end: at(case, if instant { "at_ms" } else { "end_ms" }),
        step: Duration::from_millis(case.get("step_ms").and_then(Value::as_u64).unwrap_or_default()),
        interval: Duration::ZERO,
        limit: 100,
        direction: Direction::Backward,
        now: at(case, if instant { "at_ms" } else { "end_ms" }),
        limits: Limits::default(),
    }
}

#[tokio::test]
async fn metric_queries_answer_as_recorded() {
    let lines = recorded(FILE);
    let mut sets = HashMap::new();
    for set in lines.iter().filter(|line| line.get("entries").is_some()) {
        let entry = |entry: &Value| {
            let nanos = (BASE + entry["t_ms"].as_i64().unwrap()) * 1_000_000;
            row::row(&entry["stream"], entry.get("metadata"), entry["line"].as_str().unwrap(), nanos)
        };
        let rows: Vec<_> = set["entries"].as_array().unwrap().iter().map(entry).collect();
        sets.insert(set["group"].as_str().unwrap().to_owned(), load(&rows, LAYOUTS[0]));
    }
    let cases: Vec<_> = lines.iter().filter(|line| line.get("expect").is_some()).collect();
    let mut differences = Vec::new();
    for case in &cases {
        let query = case["query"].as_str().unwrap();
        let rows = &sets[case["group"].as_str().unwrap()];
        let answer = match parse(query) {
            Ok(expr) => evaluate(&expr, &params(case), rows).await,
            Err(error) => Err(error),
        };
        if let Some(difference) = difference(case, answer) {
            let case = format!("{}:{}", case["file"].as_str().unwrap(), case["line"]);
            differences.push(Difference { case, text: format!("{query}\n    {difference}") });
        }
    }
    report(FILE, cases.len(), &differences);
}

fn difference(case: &Value, answer: Result<Answer, LogqlError>) -> Option<String> {
    let expect = &case["expect"];
    let is_failure = expect["fail"] == true;
    let (found, order) = match answer {
        Err(_) if is_failure => return None,
        Err(error) => return Some(format!("found error {error}\n    want {expect}")),
        Ok(answer) if is_failure => return Some(format!("found {answer:?}\n    want {expect}")),
        Ok(Answer::Scalar(value)) => (Points::from([("scalar".to_owned(), vec![(0, value)])]), Vec::new()),
        Ok(Answer::Vector(samples)) => {
            let order = samples.iter().map(|sample| text(&sample.labels)).collect();
            (samples.iter().map(|sample| (text(&sample.labels), vec![(sample.time, sample.value)])).collect(), order)
        }
        Ok(Answer::Matrix(series)) => (series.into_iter().map(|one| (text(&one.labels), one.points)).collect(), Vec::new()),
        Ok(other) => return Some(format!("{other:?}")),
    };
    let (wanted, wanted_order) = expected(case);
    if let Some(value) = expect.get("scalar") {
        let value: f64 = number(value);
        let same_value = found.values().flatten().next().is_some_and(|(_, found)| same(*found, value));
        return (!same_value).then(|| format!("found {found:?}\n    want {value}"));
    }
    let equal = found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|((a, found), (b, wanted))| {
            a == b && found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        });
    let ordered = expect.get("ordered").is_none() || order == wanted_order;
    (!equal || !ordered).then(|| format!("found {found:?} {order:?}\n    want  {wanted:?} {wanted_order:?}"))
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn same(found: f64, wanted: f64) -> bool {
    found == wanted || found.is_nan() && wanted.is_nan() || (found - wanted).abs() <= 1e-9 + wanted.abs() * 1e-6
}

fn text(labels: &Labels) -> String {
    let labels: BTreeMap<_, _> = labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect();
    format!("{labels:?}")
}

fn expected(case: &Value) -> (Points, Vec<String>) {
    let mut points = Points::new();
    let mut order = Vec::new();
    let (start, step) = match case.get("at_ms") {
        Some(at) => (at.as_i64().unwrap(), 0),
        None => (case["start_ms"].as_i64().unwrap(), case["step_ms"].as_i64().unwrap()),
    };
    for series in case["expect"]["series"].as_array().into_iter().flatten() {
        let labels: BTreeMap<String, String> = serde_json::from_value(series["metric"].clone()).unwrap();
        let name = format!("{labels:?}");
        let values = series["values"].as_array().unwrap().iter().zip(0..);
        let value = |(value, index): (&Value, i64)| {
            (!value.is_null()).then(|| ((BASE + start + index * step) * 1_000_000, number(value)))
        };
        points.insert(name.clone(), values.filter_map(value).collect());
        order.push(name);
    }
    (points, order)
}
