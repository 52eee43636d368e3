//! Recorded answers of Prometheus' API, over the metrics that they were recorded on.
#![allow(clippy::print_stdout, reason = "says what differs")]

use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt;

use crate::process::{Process, Settings, python};

/// Cases that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("prometheus_recorded.differences");
/// The tenant of the metrics.
const TENANT: &str = "anchor";
/// What the Prometheus of the recordings had switched on.
const FEATURES: &str = "promql-experimental-functions,promql-binop-fill-modifiers";
/// Requests that are on their way at once, so that they share segments.
const AT_ONCE: usize = 64;

fn recordings(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ICEGATE_CONFORMANCE").map(|folder| Path::new(&folder).join("promql"));
    if found.is_none() {
        println!("skipped {test}: ICEGATE_CONFORMANCE does not name the conformance data");
    }
    found
}

fn run(python: &str, script: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), texts.concat())
}

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
    let name = "every_recorded_answer_of_prometheus";
    let (Some(recordings), Some(python)) = (recordings(name), python(name)) else { return };
    let data = tempfile::tempdir().unwrap();
    let process = fed(&recordings.join("gen_metrics.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, queries) = run(&python, &recordings.join("promql_diff.py"), &["compare", "--url", &url, "--header", &header()]);
    let (_, api) = run(&python, &recordings.join("prom_api.py"), &["compare", &url, &header()]);
    println!("{queries}\n{api}");
    let differing: Vec<&str> = differing(&queries).chain(differing(&api)).collect();
    let listed: Vec<&str> =
        DIFFERENCES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::trim).collect();
    let unlisted: Vec<_> = differing.iter().filter(|case| !listed.contains(case)).collect();
    assert!(unlisted.is_empty(), "these differ and are not listed: {unlisted:#?}");
    let equal: Vec<_> = listed.iter().filter(|case| !differing.contains(case)).collect();
    assert!(equal.is_empty(), "these are listed and don't differ any more: {equal:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compliance_queries_are_answered_as_prometheus_does() {
    let name = "the_compliance_queries";
    let (Some(recordings), Some(python)) = (recordings(name), python(name)) else { return };
    let recordings = recordings.join("compliance");
    let data = tempfile::tempdir().unwrap();
    let process = fed(&recordings.join("gen_demo.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, report) = run(&python, &recordings.join("run.py"), &["compare", &url, &header()]);
    println!("{report}");
    assert!(report.contains("539 passed, 0 failed"), "{report}");
}
