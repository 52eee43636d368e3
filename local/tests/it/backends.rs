//! The same scenarios on every store and catalog.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::backend::{Backend, NEVER_MS};
use crate::exactly_once::{acknowledged, assert_each_once, lines, one_line, sender};
use crate::process::{PATIENCE, Part, Process};

/// Makes a test of each scenario on each backend.
macro_rules! on_each_backend {
    ($($scenario:ident)*) => {
        on_each_backend!(@ files $($scenario)*);
        on_each_backend!(@ s3 $($scenario)*);
        on_each_backend!(@ minio_and_nessie $($scenario)*);
        on_each_backend!(@ glue $($scenario)*);
        on_each_backend!(@ s3_tables $($scenario)*);
    };
    (@ $backend:ident $($scenario:ident)*) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $scenario() {
                    let name = concat!(stringify!($backend), "::", stringify!($scenario));
                    if let Some(backend) = crate::backend::Backend::$backend(name) {
                        super::$scenario(backend, name).await;
                    }
                }
            )*
        }
    };
}

on_each_backend! {
    a_line_is_in_the_first_answer_and_stays_once_while_it_is_shifted
    a_restart_serves_what_was_in_the_wal
    a_repeated_request_is_stored_once_also_after_a_shift_and_a_restart
    after_kills_nothing_acknowledged_is_missing_and_nothing_is_doubled
    two_ingest_and_two_query_processes_agree
    readers_from_outside_count_the_rows_of_all_four_tables
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const ONCE: &str = r#"{service_name="once"}"#;

async fn send(process: &Process, path: &str, body: Vec<u8>) {
    let (status, text) = process.post(path, &[JSON], body).await;
    assert_eq!(status, 200, "{text}\n{}", process.log());
}

/// How many rows the process's shift has committed, table by table.
async fn shifted(process: &Process) -> BTreeMap<String, u64> {
    let metrics = process.metrics().await;
    let rows = metrics.lines().filter_map(|line| {
        let (table, count) = line.strip_prefix("icegate_shift_rows_total{table=\"")?.split_once("\"} ")?;
        Some((table.to_owned(), count.parse().unwrap()))
    });
    rows.collect()
}

/// Waits until the processes' shifts have committed at least this many rows to the logs table.
async fn await_shifted_logs(processes: &[&Process], rows: u64) {
    let began = Instant::now();
    loop {
        let mut found = 0;
        for process in processes {
            found += shifted(process).await.get("logs").copied().unwrap_or_default();
        }
        if found >= rows {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{found} of {rows} rows were shifted:\n{}", processes[0].log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_line_is_in_the_first_answer_and_stays_once_while_it_is_shifted(backend: Backend, _: &str) {
    let process = backend.start(Part::All, 300).await;
    send(&process, "/v1/logs", one_line("hello")).await;
    assert_eq!(lines(&process, ONCE).await, ["hello"]);
    let began = Instant::now();
    let mut answers_after_shift = 0;
    while answers_after_shift < 10 {
        assert!(began.elapsed() < PATIENCE, "the line was not shifted:\n{}", process.log());
        answers_after_shift += usize::from(shifted(&process).await.get("logs") == Some(&1));
        assert_eq!(lines(&process, ONCE).await, ["hello"]);
        assert_eq!(process.count_logs("default", ONCE).await, 1);
    }
    assert!(process.stop().success());
}

async fn a_restart_serves_what_was_in_the_wal(backend: Backend, _: &str) {
    let process = backend.start(Part::All, NEVER_MS).await;
    for text in ["one", "two"] {
        send(&process, "/v1/logs", one_line(text)).await;
    }
    assert!(process.stop().success());
    let process = backend.start(Part::All, NEVER_MS).await;
    let mut found = lines(&process, ONCE).await;
    found.sort();
    assert_eq!(found, ["one", "two"]);
}

async fn a_repeated_request_is_stored_once_also_after_a_shift_and_a_restart(backend: Backend, _: &str) {
    let process = backend.start(Part::All, 100).await;
    send(&process, "/v1/logs", one_line("again")).await;
    send(&process, "/v1/logs", one_line("again")).await;
    assert_eq!(lines(&process, ONCE).await, ["again"]);
    await_shifted_logs(&[&process], 1).await;
    send(&process, "/v1/logs", one_line("again")).await;
    assert_eq!(lines(&process, ONCE).await, ["again"]);
    assert!(process.stop().success());
    let process = backend.start(Part::All, 100).await;
    send(&process, "/v1/logs", one_line("again")).await;
    assert_eq!(lines(&process, ONCE).await, ["again"]);
    // A row of its own, sent last: once it is shifted, so is what came before it.
    send(&process, "/v1/logs", one_line("last")).await;
    await_shifted_logs(&[&process], 1).await;
    let mut found = lines(&process, ONCE).await;
    found.sort();
    assert_eq!(found, ["again", "last"]);
}

async fn after_kills_nothing_acknowledged_is_missing_and_nothing_is_doubled(backend: Backend, _: &str) {
    const KILLS: u64 = 4;
    const FIRST_NUMBER_STEP: u64 = 1_000_000;
    let mut expected = BTreeMap::new();
    for round in 0..KILLS {
        let process = backend.start(Part::All, 50).await;
        let journal = backend.folder().join(format!("journal-{round}"));
        let mut sender = sender(&process, round * FIRST_NUMBER_STEP, &journal);
        // The kill falls on append, shift and clean-up of a process that has committed.
        let began = Instant::now();
        while shifted(&process).await.is_empty() || began.elapsed() < Duration::from_millis(300 + round * 137) {
            assert!(began.elapsed() < PATIENCE, "nothing was shifted:\n{}", process.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process.kill();
        let _ = sender.kill();
        let _ = sender.wait();
        expected.extend(acknowledged(&journal));
    }
    assert!(expected.len() as u64 >= KILLS, "{expected:?}");
    assert_each_once(&backend.start(Part::All, 50).await, &expected).await;
}

async fn two_ingest_and_two_query_processes_agree(backend: Backend, _: &str) {
    const LINES: u64 = 20;
    let ingests = [backend.start(Part::Ingest, 200).await, backend.start(Part::Ingest, 200).await];
    let queries = [backend.start(Part::Query, NEVER_MS).await, backend.start(Part::Query, NEVER_MS).await];
    for number in 0..LINES {
        let body = one_line(&format!("line {number}"));
        // A client whose answer is lost asks the other one.
        for ingest in &ingests {
            send(ingest, "/v1/logs", body.clone()).await;
        }
        for query in &queries {
            assert_eq!(query.count_logs("default", ONCE).await, number + 1);
        }
    }
    await_shifted_logs(&[&ingests[0], &ingests[1]], LINES).await;
    for query in &queries {
        assert_eq!(query.count_logs("default", ONCE).await, LINES);
    }
    for process in ingests.into_iter().chain(queries) {
        assert!(process.stop().success());
    }
}

async fn readers_from_outside_count_the_rows_of_all_four_tables(backend: Backend, name: &str) {
    let process = backend.start(Part::All, 200).await;
    let sent = BTreeMap::from([("logs", 30), ("spans", 20), ("metrics", 15), ("events", 10)]);
    send(&process, "/v1/logs", logs(sent["logs"], sent["events"])).await;
    send(&process, "/v1/traces", spans(sent["spans"])).await;
    send(&process, "/v1/metrics", gauge(sent["metrics"])).await;
    let sent: BTreeMap<_, _> = sent.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect();
    let began = Instant::now();
    while shifted(&process).await != sent {
        assert!(began.elapsed() < PATIENCE, "{sent:?} were not shifted, but {:?}", shifted(&process).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(process.count_logs("default", r#"{service_name="four"}"#).await, sent["logs"]);
    let Some(found) = backend.rows(name) else { return };
    for (table, rows) in &sent {
        let found = &found[table];
        assert!(found["snapshot"].is_i64(), "{table}: {found}");
        for count in ["total", "pyiceberg", "duckdb"] {
            assert_eq!(found[count], *rows, "{table}: {found}");
        }
    }
}

/// Log records, the first of which are events.
fn logs(records: u64, events: u64) -> Vec<u8> {
    let record = |number: u64| {
        let mut record =
            json!({ "timeUnixNano": (NOON + number).to_string(), "body": { "stringValue": format!("line {number}") } });
        if number < events {
            record["eventName"] = "shop.checkout".into();
        }
        record
    };
    let records: Vec<_> = (0..records).map(record).collect();
    request("resourceLogs", "scopeLogs", json!({ "logRecords": records }))
}

fn spans(count: u64) -> Vec<u8> {
    let span = |number: u64| {
        json!({ "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": format!("{:016x}", number + 1), "name": "work",
            "startTimeUnixNano": (NOON + number).to_string(), "endTimeUnixNano": (NOON + number + 5).to_string() })
    };
    request("resourceSpans", "scopeSpans", json!({ "spans": (0..count).map(span).collect::<Vec<_>>() }))
}

fn gauge(points: u64) -> Vec<u8> {
    let point = |number: u64| json!({ "timeUnixNano": (NOON + number).to_string(), "asDouble": 0.5 });
    let points: Vec<_> = (0..points).map(point).collect();
    request("resourceMetrics", "scopeMetrics", json!({ "metrics": [{ "name": "load", "gauge": { "dataPoints": points } }] }))
}

/// 2024-01-01 12:00:00 UTC in nanoseconds.
const NOON: u64 = 1_704_110_400_000_000_000;

fn request(resources: &str, scopes: &str, records: Value) -> Vec<u8> {
    let service = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "four" } }] });
    json!({ resources: [{ "resource": service, scopes: [records] }] }).to_string().into_bytes()
}
