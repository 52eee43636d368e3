//! What metrics answer: the same series, times and values as recorded.

use icegate_traceql::{MetricSeries, Metrics, MetricsLimits, MetricsOptions, Trace, TraceqlError, Value, parse};
use serde_json::Value as Json;

use super::searches::typed;
use super::{Difference, corpus, directory, recorded, report};

/// Labels with their values' types, and points with their times in milliseconds.
type Normal = (Vec<[String; 2]>, Vec<(String, f64)>);

const SECOND: i64 = 1_000_000_000;

#[test]
fn metrics_answer_as_recorded() {
    let Some(directory) = directory("metrics") else { return };
    let Some(traces) = corpus::traces(&directory) else { return };
    let asked = |case: &Json| case["kind"] == "range" || case["kind"] == "instant";
    let cases: Vec<_> = recorded(&directory).into_iter().filter(asked).collect();
    let mut differences = Vec::new();
    for case in &cases {
        if let Err(why) = compare(case, traces) {
            let text = format!("{}\n    {why}", case["query"].as_str().unwrap());
            differences.push(Difference { case: case["id"].as_str().unwrap().to_owned(), text });
        }
    }
    report("metrics", cases.len(), &differences);
}

fn compare(case: &Json, traces: &[Trace]) -> Result<(), String> {
    let found = ask(case, traces).map_err(|error| error.to_string())?;
    let mut found: Vec<Normal> = found.iter().map(normal).collect();
    if case["kind"] == "instant" {
        found.iter_mut().flat_map(|(_, points)| points).for_each(|point| point.0 = "instant".to_owned());
    }
    found.sort_by_key(|(labels, _)| serde_json::to_string(labels).unwrap());
    let mut expected: Vec<_> = case["answer"]["series"].as_array().unwrap().iter().map(recorded_series).collect();
    expected.sort_by_key(|(labels, _)| serde_json::to_string(labels).unwrap());
    let labels = |all: &[Normal]| all.iter().map(|one| one.0.clone()).collect::<Vec<_>>();
    if labels(&found) != labels(&expected) {
        return Err(format!("labels {:?}, recorded {:?}", labels(&found), labels(&expected)));
    }
    for ((labels, points), (_, wanted)) in found.iter().zip(&expected) {
        let times = |points: &[(String, f64)]| points.iter().map(|point| point.0.clone()).collect::<Vec<_>>();
        if times(points) != times(wanted) {
            return Err(format!("{labels:?}: times {:?}, recorded {:?}", times(points), times(wanted)));
        }
        for ((time, value), (_, wanted)) in points.iter().zip(wanted) {
            if (value - wanted).abs() > 1e-9 * value.abs().max(wanted.abs()) {
                return Err(format!("{labels:?} at {time}: {value}, recorded {wanted}"));
            }
        }
    }
    Ok(())
}

fn ask(case: &Json, traces: &[Trace]) -> Result<Vec<MetricSeries>, TraceqlError> {
    let (mut start, mut end, mut step) = (1_768_471_200, 1_768_474_800, 300);
    for pair in case["params"].as_str().unwrap().split('&') {
        match pair.split_once('=') {
            Some(("start", value)) => start = value.parse().unwrap(),
            Some(("end", value)) => end = value.parse().unwrap(),
            // Without a step the range is cut in 240.
            Some(("step", "")) => step = 3_600 / 240,
            Some(("step", value)) => step = value.trim_end_matches('s').parse().unwrap(),
            _ => {}
        }
    }
    let step = (case["kind"] == "range").then_some(step * SECOND);
    let options =
        MetricsOptions { start: start * SECOND, end: end * SECOND, step, exemplars: 0, limits: MetricsLimits::default() };
    let query = parse(case["query"].as_str().unwrap())?;
    // Whole traces, and spans one by one where that is enough, in two parts that are merged.
    let mut by_trace = Metrics::new(&query, &options)?;
    traces.iter().try_for_each(|trace| by_trace.add(trace))?;
    let needs_traces = by_trace.needs_traces();
    let whole = by_trace.finish();
    if !needs_traces {
        let mut parts = [Metrics::new(&query, &options)?, Metrics::new(&query, &options)?];
        for (index, trace) in traces.iter().enumerate() {
            for (at, span) in trace.spans().iter().enumerate() {
                parts[index % 2].add_span(trace.id(), span, Some(&trace.facts(at)))?;
            }
        }
        let [mut first, second] = parts;
        first.merge(second)?;
        let spans = first.finish();
        assert_eq!(spans.len(), whole.len());
        for (one, other) in spans.iter().zip(&whole) {
            assert_eq!(one.labels, other.labels);
            let close = |(a, b): (&(i64, f64), &(i64, f64))| a.0 == b.0 && (a.1 - b.1).abs() <= 1e-9 * a.1.abs();
            assert!(one.points.len() == other.points.len() && one.points.iter().zip(&other.points).all(close));
        }
    }
    Ok(whole)
}

fn normal(series: &MetricSeries) -> Normal {
    let mut labels: Vec<_> = series.labels.iter().map(|(name, value): &(String, Value)| [name.clone(), typed(value)]).collect();
    labels.sort();
    (labels, series.points.iter().map(|(time, value)| ((time / 1_000_000).to_string(), *value)).collect())
}

fn recorded_series(series: &Json) -> Normal {
    let pair = |pair: &Json| [pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()];
    let number = |value: &Json| value.as_str().unwrap().parse().unwrap();
    let points = match series["samples"].as_array() {
        Some(samples) => samples.iter().map(|sample| (sample[0].as_str().unwrap().to_owned(), number(&sample[1]))).collect(),
        None => vec![("instant".to_owned(), number(&series["value"]))],
    };
    (series["labels"].as_array().unwrap().iter().map(pair).collect(), points)
}
