//! One line through one pipeline.

use std::collections::BTreeMap;
use std::time::Duration;

use icegate_logql::ast::{Aggregation, Expr, MetricExpr, MetricKind, RangeOp, VectorAggregation};
use icegate_logql::{Answer, Direction, Labels, Limits, QueryParams, evaluate, parse};
use icegate_model::Timestamp;
use serde_json::Value;

use super::super::layouts::{LAYOUTS, load};
use super::{Difference, recorded, report, row};

pub(super) type Map = BTreeMap<String, String>;

pub(super) fn recorded_labels(value: &Value) -> Map {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value)));
    labels.map(masked).collect()
}

pub(super) fn found_labels(labels: &Labels) -> Map {
    labels.iter().map(|label| masked((label.name.to_string(), label.value.to_string()))).collect()
}

/// The text of an error belongs to libraries of the other system.
fn masked((name, value): (String, String)) -> (String, String) {
    if name == "__error_details__" { (name, "*".to_owned()) } else { (name, value) }
}

pub(super) fn params(at: i64, instant: bool) -> QueryParams {
    QueryParams {
        start: Timestamp::from_nanos(at),
        end: Timestamp::from_nanos(if instant { at } else { at + 1 }),
        step: Duration::from_secs(u64::from(!instant)),
        interval: Duration::ZERO,
        limit: 10,
        direction: Direction::Forward,
        now: Timestamp::from_nanos(at),
        limits: Limits::default(),
    }
}

#[tokio::test]
async fn every_line_leaves_each_pipeline_as_recorded() {
    let cases = recorded("pipeline_cases.jsonl");
    let mut differences = Vec::new();
    for case in &cases {
        let query = case["query"].as_str().unwrap();
        let line = case["line"].as_str().unwrap();
        let at: i64 = case["ts"].as_str().unwrap().parse().unwrap();
        let rows = load(&[row::row(&case["stream"], case.get("metadata"), line, at)], LAYOUTS[0]);
        let expected = expected(case);
        let found = match parse(query) {
            Err(error) => format!("error {error}"),
            Ok(Expr::Logs(mut logs)) => {
                // Lines are recorded as they leave the pipeline alone.
                logs.selector.matchers.clear();
                logs_of(evaluate(&Expr::Logs(logs), &params(at, false), &rows).await)
            }
            Ok(Expr::Metric(metric)) => {
                let sample = sample(&metric).unwrap();
                sample_of(evaluate(&Expr::Metric(sample), &params(at, true), &rows).await)
            }
        };
        if found != expected {
            let text = format!("line {line:?} {}\n    found {found}\n    want  {expected}", case["metadata"]);
            differences.push(Difference { case: query.to_owned(), text });
        }
    }
    report("pipeline_cases.jsonl", cases.len(), &differences);
}

fn expected(case: &Value) -> String {
    if case["keep"] == false {
        return "dropped".to_owned();
    }
    if let Some(value) = case.get("value") {
        return format!("{:?} {}", recorded_labels(&case["labels"]), value.as_str().unwrap().parse::<f64>().unwrap());
    }
    let mut stream = recorded_labels(&case["out_stream"]);
    let mut metadata = recorded_labels(&case["out_metadata"]);
    // Here the severity is a label.
    stream.extend(metadata.remove_entry("severity_text"));
    format!("{:?} {stream:?} {metadata:?} {:?}", case["out"].as_str().unwrap_or_default(), recorded_labels(&case["out_parsed"]))
}

fn logs_of(answer: Result<Answer, icegate_logql::LogqlError>) -> String {
    match answer {
        Ok(Answer::Streams(streams)) => streams.first().map_or_else(
            || "dropped".to_owned(),
            |stream| {
                let entry = &stream.entries[0];
                let (stream, metadata) = (found_labels(&stream.labels), found_labels(&entry.metadata));
                format!("{:?} {stream:?} {metadata:?} {:?}", entry.line, found_labels(&entry.parsed))
            },
        ),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error {error}"),
    }
}

fn sample_of(answer: Result<Answer, icegate_logql::LogqlError>) -> String {
    match answer {
        Ok(Answer::Vector(samples)) => match samples.as_slice() {
            [] => "dropped".to_owned(),
            [sample] => format!("{:?} {}", found_labels(&sample.labels), sample.value),
            more => format!("{more:?}"),
        },
        Ok(other) => format!("{other:?}"),
        Err(icegate_logql::LogqlError::Pipeline { error, .. }) => format!("pipeline error {error}"),
        Err(error) => format!("error {error}"),
    }
}

/// The first range aggregation of a query, with the sum around it, changed so that its value is the line's own.
fn sample(metric: &MetricExpr) -> Option<MetricExpr> {
    let inner = match &metric.kind {
        MetricKind::Number(_) | MetricKind::Vector(_) => return None,
        MetricKind::Binary { left, right, .. } => return sample(left).or_else(|| sample(right)),
        MetricKind::LabelReplace { inner, .. } => return sample(inner),
        MetricKind::Vectors(vectors) => match sample(&vectors.inner)? {
            inner if vectors.op == Aggregation::Sum && matches!(vectors.inner.kind, MetricKind::Range(_)) => {
                let vectors = VectorAggregation { inner: Box::new(inner), ..vectors.clone() };
                return Some(MetricExpr { kind: MetricKind::Vectors(vectors), place: metric.place });
            }
            inner => return Some(inner),
        },
        MetricKind::Range(range) => range,
    };
    let mut range = inner.clone();
    range.range.selector.matchers.clear();
    range.param = None;
    range.op = match range.op {
        RangeOp::Rate | RangeOp::RateCounter | RangeOp::SumOverTime if range.range.unwrap.is_some() => RangeOp::SumOverTime,
        RangeOp::Rate | RangeOp::CountOverTime => RangeOp::CountOverTime,
        RangeOp::BytesRate | RangeOp::BytesOverTime => RangeOp::BytesOverTime,
        RangeOp::AbsentOverTime => RangeOp::CountOverTime,
        _ => RangeOp::AvgOverTime,
    };
    Some(MetricExpr { kind: MetricKind::Range(range), place: metric.place })
}
