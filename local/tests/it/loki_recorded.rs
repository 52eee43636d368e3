//! Recorded queries of the Loki API, over the corpus that they were recorded on.
#![allow(clippy::print_stdout, reason = "says what differs")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, Settings, python};

/// Queries that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("loki_recorded.differences");
/// The tenant of the corpus.
const TENANT: &str = "anchor";

/// The recordings, where they are.
fn recordings(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ICEGATE_CONFORMANCE").map(|folder| Path::new(&folder).join("logql"));
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

/// The queries that a comparison names, with what it says of each; those that it flags as depending on Loki's internals apart.
fn differing(report: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let named = report.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_once(": "));
    let (flagged, plain): (Vec<_>, Vec<_>) = named.partition(|(id, _)| id.ends_with(" (lokiism)"));
    let owned = |pairs: Vec<(&str, &str)>| pairs.into_iter().map(|(id, why)| (id.to_owned(), why.to_owned())).collect();
    (owned(plain), owned(flagged))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_query_is_answered_as_recorded_but_for_those_that_are_listed() {
    let name = "every_recorded_query";
    let (Some(recordings), Some(python)) = (recordings(name), python(name)) else { return };
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
    let (differing, _) = differing(&report);
    let listed: Vec<&str> = DIFFERENCES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(listed.len() < 10, "the list has to stay shorter than ten");
    let unlisted: Vec<_> = differing.iter().filter(|(id, _)| !listed.contains(&id.as_str())).collect();
    assert!(unlisted.is_empty(), "these differ and are not listed: {unlisted:#?}");
    let equal: Vec<_> = listed.iter().filter(|id| !differing.contains_key(**id)).collect();
    assert!(equal.is_empty(), "these are listed and don't differ any more: {equal:?}");
}
