//! Recorded answers of Prometheus' API, over the metrics that they were recorded on.
#![allow(clippy::print_stdout, reason = "says what differs")]

use std::path::Path;

use futures::StreamExt;

use crate::process::{Process, Settings};
use crate::recorded::{differ_as_listed, listed, recordings, run};

/// Cases that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("prometheus_recorded.differences");
/// The tenant of the metrics.
const TENANT: &str = "anchor";
/// What the Prometheus of the recordings had switched on.
const FEATURES: &str = "promql-experimental-functions,promql-extended-range-selectors,promql-binop-fill-modifiers";
/// Of so many recorded compliance queries one is asked, unless `ICEGATE_COMPLIANCE_EVERY` says otherwise: neighbours differ little,
/// and a build without optimisation takes long for all.
const COMPLIANCE_EVERY: usize = 7;
/// Requests that are on their way at once, so that they share segments.
const AT_ONCE: usize = 64;

/// The cases that differ, as comparisons name them.
fn differing(report: &str) -> impl Iterator<Item = &str> {
    assert!(report.contains(" passed, "), "{report}");
    report.lines().filter_map(|line| line.strip_prefix("FAIL ")).map(str::trim)
}

fn header() -> String {
    format!("X-Scope-OrgID:{TENANT}")
}

/// A process that has taken in what a script makes.
async fn fed(script: &Path, python: &str, data: &Path) -> Process {
    let made = data.join("metrics.ndjson");
    let (done, text) = run(python, script, &["--out", made.to_str().unwrap()]);
    assert!(done, "{text}");
    // Rows move from the WAL to the table while queries run.
    let variables = [("ICEGATE_PROMETHEUS__FEATURES", FEATURES)];
    let process = Process::start(&Settings { data, shift_interval_ms: 1_000, variables: &variables }).await;
    let headers = [("Content-Type", "application/json"), ("X-Scope-OrgID", TENANT)];
    let requests = std::fs::read_to_string(made).unwrap();
    let send = requests.lines().map(|request| process.post("/v1/metrics", &headers, request.as_bytes().to_vec()));
    let answers: Vec<_> = futures::stream::iter(send).buffer_unordered(AT_ONCE).collect().await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_of_prometheus_is_given_but_for_those_that_are_listed() {
    let Some((recordings, python)) = recordings("every_recorded_answer_of_prometheus", "promql") else { return };
    let data = tempfile::tempdir().unwrap();
    let process = fed(&recordings.join("gen_metrics.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, queries) = run(&python, &recordings.join("promql_diff.py"), &["compare", "--url", &url, "--header", &header()]);
    let (_, api) = run(&python, &recordings.join("prom_api.py"), &["compare", &url, &header()]);
    println!("{queries}\n{api}");
    let differing: Vec<&str> = differing(&queries).chain(differing(&api)).collect();
    differ_as_listed(&differing, &listed(DIFFERENCES), "");
}

/// The comparison with every so-manyth recorded query, in a folder: the script reads those beside it. How many those are.
fn some_of_the_compliance_queries(recordings: &Path, folder: &Path) -> usize {
    let every = std::env::var("ICEGATE_COMPLIANCE_EVERY").map_or(COMPLIANCE_EVERY, |number| number.parse().unwrap());
    let recorded = std::fs::read_to_string(recordings.join("compliance/expected.jsonl")).unwrap();
    let some: Vec<&str> = recorded.lines().step_by(every).collect();
    let compliance = folder.join("compliance");
    std::fs::create_dir(&compliance).unwrap();
    std::fs::write(compliance.join("expected.jsonl"), some.join("\n")).unwrap();
    for script in ["promql_diff.py", "compliance/run.py"] {
        std::fs::copy(recordings.join(script), folder.join(script)).unwrap();
    }
    println!("{} of {} queries", some.len(), recorded.lines().count());
    some.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compliance_queries_are_answered_as_prometheus_does() {
    let Some((recordings, python)) = recordings("the_compliance_queries", "promql") else { return };
    let (data, scripts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let number = some_of_the_compliance_queries(&recordings, scripts.path());
    let process = fed(&recordings.join("compliance/gen_demo.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, report) = run(&python, &scripts.path().join("compliance/run.py"), &["compare", &url, &header()]);
    println!("{report}");
    assert!(report.contains(&format!("{number} passed, 0 failed")), "{report}");
}
