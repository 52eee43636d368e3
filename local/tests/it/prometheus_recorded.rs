//! Recorded answers of Prometheus' API, over the metrics that they were recorded on.
#![allow(clippy::print_stdout, reason = "says what differs")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, Settings, python};

/// Cases that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("prometheus_recorded.differences");
/// The tenant of the metrics.
const TENANT: &str = "X-Scope-OrgID:anchor";

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

/// The cases that a comparison names, but for those that are listed; listed ones that don't differ are named as well.
fn surprises(report: &str) -> Vec<String> {
    let failed: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("FAIL ")).map(str::trim).collect();
    let listed: Vec<&str> =
        DIFFERENCES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::trim).collect();
    let unlisted = failed.iter().filter(|case| !listed.contains(case)).map(|case| format!("differs: {case}"));
    unlisted.collect()
}

async fn fed(script: &Path, python: &str, data: &Path) -> Process {
    // Rows move from the WAL to the table while queries run.
    let process = Process::start(&Settings { data, shift_interval_ms: 1_000, variables: &[] }).await;
    let (done, text) = run(python, script, &["--post", &process.otlp("/v1/metrics"), "--header", TENANT]);
    assert!(done, "{text}");
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_of_prometheus_is_given_but_for_those_that_are_listed() {
    let name = "every_recorded_answer_of_prometheus";
    let (Some(recordings), Some(python)) = (recordings(name), python(name)) else { return };
    let data = tempfile::tempdir().unwrap();
    let process = fed(&recordings.join("gen_metrics.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, queries) = run(&python, &recordings.join("promql_diff.py"), &["compare", "--url", &url, "--header", TENANT]);
    let (_, api) = run(&python, &recordings.join("prom_api.py"), &["compare", &url, TENANT]);
    let mut found = Vec::new();
    for report in [queries, api] {
        println!("{report}");
        assert!(report.contains(" passed, "), "{report}");
        found.extend(surprises(&report));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compliance_queries_are_answered_as_prometheus_does() {
    let name = "the_compliance_queries";
    let (Some(recordings), Some(python)) = (recordings(name), python(name)) else { return };
    let recordings = recordings.join("compliance");
    let data = tempfile::tempdir().unwrap();
    let process = fed(&recordings.join("gen_demo.py"), &python, data.path()).await;
    let url = format!("http://127.0.0.1:{}", process.prometheus);
    let (_, report) = run(&python, &recordings.join("run.py"), &["compare", &url, TENANT]);
    println!("{report}");
    assert!(report.contains("539 passed, 0 failed"), "{report}");
}
