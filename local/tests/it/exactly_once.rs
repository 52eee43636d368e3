//! A row that was acknowledged is in every answer, once: before, while and after it is shifted, and after a restart.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::process::{PATIENCE, Process, Settings, icegate};

const NEVER_MS: u64 = 86_400_000;

pub(crate) fn one_line(text: &str) -> Vec<u8> {
    json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "once" } }] },
        "scopeLogs": [{ "logRecords": [{ "timeUnixNano": "1704067200000000123", "body": { "stringValue": text } }] }],
    }] })
    .to_string()
    .into_bytes()
}

pub(crate) async fn lines(process: &Process, query: &str) -> Vec<String> {
    let range = [("query", query), ("start", "1704067200"), ("end", "1704067260"), ("limit", "5000")];
    let answer = process.query("default", "query_range", &range).await;
    let streams = answer["data"]["result"].as_array().unwrap();
    let values = streams.iter().flat_map(|stream| stream["values"].as_array().unwrap());
    values.map(|value| value[1].as_str().unwrap().to_owned()).collect()
}

fn segments(data: &std::path::Path) -> usize {
    std::fs::read_dir(data.join("queue/logs")).map_or(0, |entries| {
        entries
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".parquet")))
            .count()
    })
}

fn snapshots(data: &std::path::Path) -> usize {
    std::fs::read_dir(data.join("warehouse/icegate/logs/metadata")).map_or(0, |entries| {
        entries.filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().starts_with('v'))).count()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_in_the_first_answer_after_its_acknowledgement_and_stays_once_while_it_is_shifted() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 300, variables: &[] }).await;
    let before = snapshots(data.path());
    let (status, text) = process.post("/v1/logs", &[("Content-Type", "application/json")], one_line("hello")).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(lines(&process, r#"{service_name="once"}"#).await, ["hello"]);

    let started = Instant::now();
    let mut after_shift = 0;
    while after_shift < 20 {
        assert!(started.elapsed() < PATIENCE, "the line was not shifted:\n{}", process.log());
        after_shift += usize::from(snapshots(data.path()) > before);
        assert_eq!(lines(&process, r#"{service_name="once"} |= "hell""#).await, ["hello"]);
        assert_eq!(process.count_logs("default", r#"{service_name="once"}"#).await, 1);
    }
    assert!(process.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_flushes_and_a_restart_serves_what_was_in_the_wal() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings { data: data.path(), shift_interval_ms: NEVER_MS, variables: &[] };
    let process = Process::start(&settings).await;
    for text in ["one", "two"] {
        let (status, _) = process.post("/v1/logs", &[("Content-Type", "application/json")], one_line(text)).await;
        assert_eq!(status, 200);
    }
    assert!(process.stop().success());
    assert_eq!(segments(data.path()), 2);
    let process = Process::start(&settings).await;
    let mut found = lines(&process, r#"{service_name="once"}"#).await;
    found.sort();
    assert_eq!(found, ["one", "two"]);
}

/// Every acknowledged request's rows, as `send` journals them: request number -> rows.
pub(crate) fn acknowledged(journal: &std::path::Path) -> BTreeMap<u64, u64> {
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    let entries = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    });
    entries.collect()
}

/// `send.id` of every stored row, with how often it is there.
pub(crate) async fn stored(process: &Process) -> BTreeMap<String, u64> {
    let query = "sum by (send_id) (count_over_time({service_name=~\".+\"}[100y]))";
    let answer = process.query("default", "query", &[("query", query), ("time", "4102444800")]).await;
    let samples = answer["data"]["result"].as_array().unwrap();
    let count = |sample: &Value| sample["value"][1].as_str().unwrap().parse().unwrap();
    samples.iter().map(|sample| (sample["metric"]["send_id"].as_str().unwrap().to_owned(), count(sample))).collect()
}

/// Rows of a request that [`sender`] sends.
pub(crate) const ROWS: u64 = 5;

/// Sends numbered requests from `first` on until it is killed, and journals those that are acknowledged.
pub(crate) fn sender(process: &Process, first: u64, journal: &std::path::Path) -> std::process::Child {
    let (endpoint, first, rows) = (process.otlp("/v1/logs"), first.to_string(), ROWS.to_string());
    let mut command = icegate(&["send", "--endpoint", &endpoint, "--use-protobuf", "--continuous", "--concurrency", "8"]);
    command.args(["--records-per-message", &rows, "--seed", "7", "--start-number", &first, "--retries", "0"]);
    command.args(["--message-interval-ms", "5", "--journal", journal.to_str().unwrap()]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
}

/// Asserts that every acknowledged row is stored, and none twice.
pub(crate) async fn assert_each_once(process: &Process, acknowledged: &BTreeMap<u64, u64>) {
    let stored = stored(process).await;
    let doubled: Vec<_> = stored.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubled.is_empty(), "stored more than once: {doubled:?}");
    let rows = acknowledged.iter().flat_map(|(request, rows)| (0..*rows).map(move |row| format!("7-{}", request * ROWS + row)));
    let missing: Vec<_> = rows.filter(|id| !stored.contains_key(id)).collect();
    assert!(missing.is_empty(), "acknowledged and missing: {missing:?}");
}
