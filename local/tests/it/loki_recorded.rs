//! Recorded queries of the Loki API, over the corpus that they were recorded on.
#![allow(clippy::print_stdout, reason = "says what differs")]

use crate::process::{Process, Settings};
use crate::recorded::{differ_as_listed, listed, recordings, run};

/// Queries that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("loki_recorded.differences");
/// The tenant of the corpus.
const TENANT: &str = "anchor";

/// The queries that a comparison names; those that it flags as depending on Loki's internals are none of them.
fn differing(report: &str) -> Vec<&str> {
    let named = report.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_once(": "));
    named.map(|(id, _)| id).filter(|id| !id.ends_with(" (lokiism)")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_query_is_answered_as_recorded_but_for_those_that_are_listed() {
    let Some((recordings, python)) = recordings("every_recorded_query", "logql") else { return };
    let data = tempfile::tempdir().unwrap();
    // Rows move from the WAL to the table while queries run.
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 1_000, variables: &[] }).await;
    let (done, text) = run(&python, &recordings.join("gen_logs.py"), &["--post", &process.otlp("/v1/logs"), "--tenant", TENANT]);
    assert!(done, "{text}");
    let url = format!("http://127.0.0.1:{}", process.loki);
    let (found, expected) = (data.path().join("found.jsonl"), recordings.join("expected.jsonl"));
    let runner = recordings.join("logql_run.py");
    let (done, text) = run(&python, &runner, &["run", "--url", &url, "--tenant", TENANT, "--out", found.to_str().unwrap()]);
    assert!(done, "{text}");
    let (_, report) = run(&python, &runner, &["diff", "--verbose", expected.to_str().unwrap(), found.to_str().unwrap()]);
    assert!(report.contains(" compared, "), "{report}");
    println!("{report}");
    differ_as_listed(&differing(&report), &listed(DIFFERENCES), &report);
}
