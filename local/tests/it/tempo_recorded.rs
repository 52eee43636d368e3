//! Recorded answers of a Tempo, over the traces that they were recorded on, in each of the places where spans can be.
#![allow(clippy::print_stdout, reason = "says what differs")]

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{PATIENCE, Process, Settings};
use crate::recorded::{differ_as_listed, listed, recordings, run};

/// Answers that differ, each with the reason above it.
const DIFFERENCES: &str = include_str!("tempo_recorded.differences");
/// Leaves everything in the WAL.
const NEVER: u64 = 86_400_000;

/// The requests that the traces come in.
fn requests(python: &str, recordings: &Path, folder: &Path) -> Vec<Value> {
    let made = folder.join("traces.ndjson");
    let (done, text) = run(python, &recordings.join("gen_traces.py"), &["--out", made.to_str().unwrap()]);
    assert!(done, "{text}");
    std::fs::read_to_string(made).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A request with every second of its spans: those at even places, or those at odd ones.
fn half(request: &Value, odd: bool) -> Value {
    let mut request = request.clone();
    for resource in request["resourceSpans"].as_array_mut().unwrap() {
        for scope in resource["scopeSpans"].as_array_mut().unwrap() {
            let mut at = 0;
            scope["spans"].as_array_mut().unwrap().retain(|_| {
                at += 1;
                (at % 2 == 0) == odd
            });
        }
    }
    request
}

/// Sends all of them at the same time, so that they share segments.
async fn post(process: &Process, requests: &[Value]) {
    let send = async |request: &Value| {
        let body = request.to_string().into_bytes();
        let (status, text) = process.post("/v1/traces", &[("Content-Type", "application/json")], body).await;
        assert_eq!(status, 200, "{text}");
    };
    futures::future::join_all(requests.iter().map(send)).await;
}

/// Starts a process that is asked for as many spans as the recording was.
async fn start(data: &Path, shift_interval_ms: u64) -> Process {
    let variables = [("ICEGATE_TEMPO__MAX_SPANS_PER_SPAN_SET", "5000")];
    Process::start(&Settings { data, shift_interval_ms, variables: &variables }).await
}

/// Moves so many spans from the WAL to the table, and stops.
async fn shift(data: &Path, spans: usize) {
    let process = start(data, 100).await;
    let began = Instant::now();
    while process.metric("icegate_shift_rows_total{table=\"spans\"}").await < spans as f64 {
        assert!(began.elapsed() < PATIENCE * 3, "the spans were not shifted:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(process.stop().success());
}

fn spans(requests: &[Value]) -> usize {
    let list = |json: &Value| json.as_array().unwrap().clone();
    let scopes = requests.iter().flat_map(|request| list(&request["resourceSpans"])).flat_map(|one| list(&one["scopeSpans"]));
    scopes.map(|scope| list(&scope["spans"]).len()).sum()
}

/// The recorded queries from one on, each so many of them.
fn some(recordings: &Path, from: usize, each: usize) -> String {
    let text = std::fs::read_to_string(recordings.join("queries.txt")).unwrap();
    let queries = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    queries.skip(from).step_by(each).map(|line| format!("{line}\n")).collect()
}

fn compare(python: &str, recordings: &Path, process: &Process, state: &str, queries: &str) {
    let url = format!("http://127.0.0.1:{}", process.tempo);
    let asked = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(asked.path(), queries).unwrap();
    let expected = recordings.join("expected.jsonl");
    let [asked, expected] = [asked.path(), expected.as_path()].map(|path| path.to_str().unwrap());
    let arguments = ["--base", &url, "--queries", asked, "-v", "compare", expected];
    let (done, report) = run(python, &recordings.join("traceql_run.py"), &arguments);
    assert!(done, "{report}\n{}", process.log());
    println!("{state}: {report}");
    let differing: Vec<&str> = report
        .lines()
        .filter_map(|line| line.strip_prefix("FAIL "))
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect();
    let asked = |id: &&str| queries.lines().any(|line| line.split('\t').next() == Some(*id));
    let listed: Vec<&str> = listed(DIFFERENCES).into_iter().filter(asked).collect();
    differ_as_listed(&differing, &listed, &report);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_answer_of_tempo_is_given_wherever_spans_lie_but_for_those_that_are_listed() {
    let Some((recordings, python)) = recordings("every_recorded_answer_of_tempo", "traceql") else { return };
    let data = tempfile::tempdir().unwrap();
    let requests = requests(&python, &recordings, data.path());

    let [first, second] = [false, true].map(|odd| requests.iter().map(|request| half(request, odd)).collect::<Vec<_>>());
    let process = start(data.path(), NEVER).await;
    post(&process, &first).await;
    assert!(process.stop().success());
    shift(data.path(), spans(&first)).await;

    // Of every trace half of the spans are in the table, and half in the WAL.
    let process = start(data.path(), NEVER).await;
    post(&process, &second).await;
    compare(&python, &recordings, &process, "half in each", &some(&recordings, 0, 1));
    assert!(process.stop().success());

    // What decides where spans are read is below the language: some of the answers are enough for the other places.
    shift(data.path(), spans(&second)).await;
    let process = start(data.path(), NEVER).await;
    compare(&python, &recordings, &process, "all in the table", &some(&recordings, 0, 6));
    assert!(process.stop().success());

    let data = tempfile::tempdir().unwrap();
    let process = start(data.path(), NEVER).await;
    post(&process, &requests).await;
    compare(&python, &recordings, &process, "all in the WAL", &some(&recordings, 3, 6));
}
