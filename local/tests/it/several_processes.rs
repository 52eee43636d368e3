//! Any number of each process on one folder, with nothing between them but the folder.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::process::{PATIENCE, Part, Process, Settings, run};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const SELECTOR: &str = r#"{service_name="several"}"#;
const NEVER_MS: u64 = 86_400_000;

fn settings<'a>(data: &'a Path, shift_interval_ms: u64, variables: &'a [(&'a str, &'a str)]) -> Settings<'a> {
    Settings { data, shift_interval_ms, variables }
}

/// A request of `rows` lines that no other number has.
fn request(number: u64, rows: u64) -> Vec<u8> {
    let line = |row: u64| json!({ "timeUnixNano": "1704067200000000123", "body": { "stringValue": format!("{number}-{row}") } });
    json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "several" } }] },
        "scopeLogs": [{ "logRecords": (0..rows).map(line).collect::<Vec<_>>() }],
    }] })
    .to_string()
    .into_bytes()
}

async fn send(process: &Process, number: u64, rows: u64) {
    let (status, text) = process.post("/v1/logs", JSON, request(number, rows)).await;
    assert_eq!(status, 200, "{text}\n{}", process.log());
}

/// How many commits the table has had, by its metadata.
fn commits(data: &Path) -> usize {
    std::fs::read_dir(data.join("warehouse/icegate/logs/metadata")).map_or(0, |entries| {
        entries.filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().ends_with(".metadata.json"))).count()
    })
}

fn logs(processes: &[&Process]) -> String {
    processes.iter().map(|process| process.log()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_agree_on_the_exact_count_at_every_look_and_store_repeated_requests_once() {
    const REQUESTS: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let without_shift = [("ICEGATE_SHIFT__ENABLED", "false")];
    let plain = settings(data, 200, &[]);
    let receivers = settings(data, 200, &without_shift);
    let ingest = [Process::start_as(Part::Ingest, &receivers).await, Process::start_as(Part::Ingest, &receivers).await];
    let shift = [Process::start_as(Part::Shift, &plain).await, Process::start_as(Part::Shift, &plain).await];
    let query = [Process::start_as(Part::Query, &plain).await, Process::start_as(Part::Query, &plain).await];

    let (mut rows, mut looks) = (0, 0);
    for number in 0..REQUESTS {
        let (one, other) = (&ingest[number as usize % 2], &ingest[(number as usize + 1) % 2]);
        let more = 1 + number % 4;
        send(one, number, more).await;
        rows += more;
        if number % 5 == 0 {
            // The client did not hear the answer and asks the other replica.
            send(other, number, more).await;
        }
        if number % 20 == 19 {
            // One from long ago: its rows are in the table by now, or soon.
            send(other, number - 19, 1 + (number - 19) % 4).await;
        }
        for process in &query {
            assert_eq!(process.count_logs("default", SELECTOR).await, rows, "after request {number}");
            looks += 1;
        }
    }
    assert_eq!(looks, REQUESTS * 2);
    let expected = shifted_rows(&shift).await;
    let begun = Instant::now();
    while shifted_rows(&shift).await < rows as f64 {
        assert!(begun.elapsed() < PATIENCE, "{expected} of {rows} rows are shifted:\n{}", logs(&[&shift[0], &shift[1]]));
        for process in &query {
            assert_eq!(process.count_logs("default", SELECTOR).await, rows);
        }
    }
    assert_eq!(shifted_rows(&shift).await, rows as f64);
    for process in &query {
        assert_eq!(process.count_logs("default", SELECTOR).await, rows);
    }
    assert!(commits(data) > 2);
    // Those that only receive left the work to the others, and one of these said what it did.
    for process in &ingest {
        assert_eq!(process.metric("icegate_shift_rows_total{table=\"logs\"}").await, 0.0);
    }
    let state: Value = serde_json::from_slice(&std::fs::read(data.join("queue/jobs/state/logs.json")).unwrap()).unwrap();
    assert_eq!((&state["table"], state["commit"]["segments"].as_u64() > Some(0)), (&json!("logs"), true), "{state}");
    for process in ingest.into_iter().chain(shift).chain(query) {
        let log = process.log();
        assert!(process.stop().success(), "{log}");
    }
}

async fn shifted_rows(shifters: &[Process]) -> f64 {
    let mut rows = 0.0;
    for process in shifters {
        rows += process.metric("icegate_shift_rows_total{table=\"logs\"}").await;
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn six_processes_that_start_at_the_same_moment_create_the_tables_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let settings = settings(data, NEVER_MS, &[]);
    let parts = [Part::Ingest, Part::Ingest, Part::Shift, Part::Shift, Part::Query, Part::Query];
    let mut processes: Vec<_> = parts.iter().map(|part| Process::spawn(*part, &settings)).collect();
    for (process, part) in processes.iter_mut().zip(parts) {
        process.wait_until_ready(part).await;
    }
    assert_eq!(commits(data), 1, "one first version");
    let created: usize = processes.iter().map(|process| process.log().matches("create table icegate.").count()).sum();
    assert_eq!(created, 4, "{}", logs(&processes.iter().collect::<Vec<_>>()));
    send(&processes[0], 1, 3).await;
    for process in &processes[4..] {
        assert_eq!(process.count_logs("default", SELECTOR).await, 3);
    }
    for process in processes {
        assert!(process.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_process_writes_nothing_and_answers_before_the_tables_exist() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let settings = settings(data, NEVER_MS, &[]);
    let process = Process::start_as(Part::Query, &settings).await;
    let answer = process.query("default", "labels", &[("start", "0"), ("end", "4102444800")]).await;
    let warning = "table logs does not exist in the catalog yet, the answer holds what is in the write-ahead log";
    assert_eq!(answer, json!({ "status": "success", "warnings": [warning] }));
    assert_eq!(commits(data), 0);
    let ingest = Process::start_as(Part::Ingest, &settings).await;
    send(&ingest, 1, 3).await;
    assert_eq!(process.count_logs("default", SELECTOR).await, 3);
    assert!(ingest.stop().success());
    assert!(process.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_nobody_can_read_is_listed_by_a_command_and_named_in_answers() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let ingest = Process::start_as(Part::Ingest, &settings(data, NEVER_MS, &[])).await;
    for number in 0..2 {
        send(&ingest, number, 3).await;
    }
    assert!(ingest.stop().success());
    let listed = || run(&["maintain", "quarantine", "list", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(String::from_utf8(listed().stdout).unwrap(), "no segment is set aside\n");
    let mut names: Vec<_> = std::fs::read_dir(data.join("queue/logs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let broken = names[0].to_str().unwrap().to_owned();
    let path = data.join("queue/logs").join(&broken);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();

    let process = Process::start_as(Part::All, &settings(data, 100, &[])).await;
    let begun = Instant::now();
    while !String::from_utf8(listed().stdout).unwrap().contains(&broken) {
        assert!(begun.elapsed() < PATIENCE, "{}", process.log());
        let answer =
            process.query("default", "query_range", &[("query", SELECTOR), ("start", "1704067200"), ("end", "1704067260")]).await;
        let warning = format!("segment logs/{broken} of the write-ahead log can't be read, the answer is without its rows");
        assert_eq!(answer["warnings"], json!([warning]));
        assert_eq!(process.count_logs("default", SELECTOR).await, 3);
    }
    let text = String::from_utf8(listed().stdout).unwrap();
    let mark = format!("file://{}/queue/quarantine/logs/{broken}.json", data.display());
    assert!(text.contains("is corrupt") && text.contains(&mark), "{text}");
    assert!(path.is_file());
    assert_eq!(process.metric("icegate_shift_quarantined_segments{table=\"logs\"}").await, 1.0);
    assert!(process.stop().success());
}
