//! `icegate maintain run` on the data of a real process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, UNIX_EPOCH};

use icegate_model::{Clock, SystemClock, Timestamp};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::process::{PATIENCE, Part, Process, Settings, icegate, python, run, script};

const TENANT: &str = "kept";
const REQUESTS: u64 = 15;
const HOUR_MILLIS: i64 = 60 * 60 * 1000;
const VARIABLES: [(&str, &str); 1] = [("ICEGATE_MAINTAIN__MIN_SNAPSHOTS_TO_KEEP", "1")];

fn body(number: u64) -> Vec<u8> {
    let record = json!({ "body": { "stringValue": format!("line {number}") }, "timeUnixNano": "1767225600000000000" });
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] });
    let logs = json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "logRecords": [record] }] }] });
    serde_json::to_vec(&logs).unwrap()
}

async fn send(process: &Process, number: u64) {
    let headers = [("Content-Type", "application/json"), ("X-Scope-OrgID", TENANT)];
    let (status, text) = process.post("/v1/logs", &headers, body(number)).await;
    assert_eq!(status, 200, "{text}");
}

fn maintain(data: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["maintain", "run", "--data-dir", data.to_str().unwrap()];
    all.extend(arguments);
    let output = icegate(&all).envs(VARIABLES).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// The newest metadata of the logs and its snapshots.
fn newest(data: &Path) -> (PathBuf, Value) {
    let number = |path: &Path| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix('v')?.strip_suffix(".metadata.json")?.parse().ok()
    };
    let all = files(&data.join("warehouse/icegate/logs/metadata"));
    let path = all.into_iter().filter(|path| number(path).is_some()).max_by_key(|path| number(path)).unwrap();
    let metadata = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    (path, metadata)
}

fn commits(data: &Path) -> usize {
    newest(data).1["snapshots"].as_array().map_or(0, Vec::len)
}

/// Makes all that happened so far happen three hours earlier, and every object of the table four days old.
fn age(data: &Path) {
    let four_days_ago = UNIX_EPOCH + SystemClock.now().since(Timestamp::from_secs(4 * 86_400));
    let (newest, _) = newest(data);
    for path in files(&data.join("warehouse/icegate/logs")) {
        if path == newest || path.parent().unwrap().ends_with("ledger") {
            let mut document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            make_older(&mut document);
            std::fs::write(&path, serde_json::to_vec(&document).unwrap()).unwrap();
        }
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(four_days_ago).unwrap();
    }
}

fn make_older(value: &mut Value) {
    const TIMES: [&str; 3] = ["timestamp-ms", "last-updated-ms", "committed-millis"];
    match value {
        Value::Array(items) => items.iter_mut().for_each(make_older),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_i64().filter(|_| TIMES.contains(&key.as_str())) {
                    Some(millis) => *value = (millis - 3 * HOUR_MILLIS).into(),
                    None => make_older(value),
                }
            }
        }
        _ => {}
    }
}

/// Sends requests one by one, each shifted by itself.
async fn fill(data: &Path) {
    let process = Process::start(&Settings { data, shift_interval_ms: 1, variables: &VARIABLES }).await;
    for number in 0..REQUESTS {
        let before = commits(data);
        send(&process, number).await;
        let started = Instant::now();
        while commits(data) == before {
            assert!(started.elapsed() < PATIENCE, "{}", process.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(process.stop().success());
}

fn line<'a>(output: &'a str, table: &str) -> &'a str {
    output.lines().find(|line| line.starts_with(&format!("{table}: "))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_snapshots_and_orphans_go_and_every_row_and_every_request_stays_known() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    fill(data).await;
    let first = maintain(data, &["--once"]);
    assert!(line(&first, "logs").contains("0 snapshots expired, 16 kept, 0 objects removed"), "{first}");
    // An expiry that has nothing to take over leaves a table alone.
    assert!(line(&first, "spans").contains("0 snapshots expired, 0 kept"), "{first}");
    let lost = data.join("warehouse/icegate/logs/data/lost.parquet");
    std::fs::write(&lost, "lost").unwrap();
    age(data);

    let before = files(data);
    let planned = maintain(data, &["--dry-run"]);
    assert!(line(&planned, "logs").contains("would expire 15 snapshots of 16"), "{planned}");
    assert!(planned.contains("lost.parquet (4 bytes)"), "{planned}");
    assert_eq!(files(data), before);

    let done = maintain(data, &["--once"]);
    assert!(line(&done, "logs").contains("15 snapshots expired, 1 kept"), "{done}");
    assert!(!lost.exists(), "{done}");
    let live: Vec<_> = files(&data.join("warehouse/icegate/logs/data"));
    assert_eq!(live.len() as u64, REQUESTS);
    outside(data);

    let process = Process::start(&Settings { data, shift_interval_ms: 1, variables: &VARIABLES }).await;
    assert_eq!(process.count_logs(TENANT, r#"{service_name="shop"}"#).await, REQUESTS);
    // The first request once more, hours after its snapshot is gone; and a new one, which shows that the shift has passed both.
    let before = commits(data);
    send(&process, 0).await;
    send(&process, REQUESTS).await;
    let started = Instant::now();
    while commits(data) < before + 1 || !files(&data.join("queue/logs")).is_empty() && commits(data) < before + 2 {
        assert!(started.elapsed() < PATIENCE, "{}", process.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(process.count_logs(TENANT, r#"{service_name="shop"}"#).await, REQUESTS + 1);
    assert!(process.stop().success());
}

/// DuckDB and PyIceberg count the rows, and read the metadata that the maintenance left.
fn outside(data: &Path) {
    let Some(python) = python("old_snapshots_and_orphans_go: outside readers") else { return };
    let output = Command::new(python).arg(script("count.py")).arg(newest(data).0).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts: BTreeMap<String, u64> = serde_json::from_slice(&output.stdout).unwrap();
    eprintln!("rows after expiry and sweep: {counts:?}");
    assert_eq!(counts, BTreeMap::from([("duckdb".to_owned(), REQUESTS), ("pyiceberg".to_owned(), REQUESTS)]));
}

#[test]
fn without_tables_it_fails_and_names_them() {
    let data = tempfile::tempdir().unwrap();
    let output = run(&["maintain", "run", "--once", "--data-dir", data.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("table icegate.logs does not exist") && text.contains("icegate.events"), "{text}");
}

#[test]
fn a_grace_that_a_commit_could_outlast_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let arguments = ["maintain", "run", "--once", "--data-dir", data.path().to_str().unwrap()];
    let output = icegate(&arguments).env("ICEGATE_MAINTAIN__ORPHAN_GRACE_SECS", "60").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("maintain.orphan_grace_secs"));
}

#[test]
fn on_a_schedule_it_runs_until_it_is_stopped() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    assert!(run(&["maintain", "migrate", "create", "--data-dir", folder]).status.success());
    let mut command = icegate(&["maintain", "run", "--data-dir", folder]);
    let log = std::fs::File::create(data.path().join("log")).unwrap();
    let mut child =
        command.env("ICEGATE_MAINTAIN__INTERVAL_SECS", "1").stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap();
    let started = Instant::now();
    while !std::fs::read_to_string(data.path().join("log")).unwrap().contains("maintained") {
        assert!(started.elapsed() < PATIENCE && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(50));
    }
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success());
}

/// Where the catalog's service looks after its tables itself, or may have branches that need more than we see.
async fn nothing_is_expired_or_swept(backend: Option<Backend>, test: &str) {
    let Some(backend) = backend else { return };
    let process = backend.start(Part::All, 1).await;
    for number in 0..3 {
        send(&process, number).await;
    }
    let started = Instant::now();
    let shifted = || backend.rows(test).map(|rows| rows["logs"].clone());
    while shifted().is_some_and(|rows| rows["total"] != 3) {
        assert!(started.elapsed() < PATIENCE, "{}", process.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(process.stop().success());
    let before = shifted();
    let config = backend.folder().join("maintain.yaml");
    std::fs::write(&config, format!("{}maintain: {{ min_snapshots_to_keep: 1 }}\n", backend.stores())).unwrap();
    let mut command = icegate(&["maintain", "run", "--once", "-c", config.to_str().unwrap()]);
    let output = command.envs(backend.variables().iter().cloned()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for table in ["logs", "spans", "metrics", "events"] {
        assert!(line(&text, table).contains("snapshots and files are kept by the catalog"), "{text}");
    }
    // The same snapshot: not even a checkpoint or a fence was added.
    assert_eq!(shifted(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_s3_tables_nothing_is_expired_or_swept_and_the_run_says_so() {
    let test = "maintain::on_s3_tables_nothing_is_expired_or_swept_and_the_run_says_so";
    nothing_is_expired_or_swept(Backend::s3_tables(test), test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_rest_catalog_nothing_is_expired_or_swept_and_the_run_says_so() {
    let test = "maintain::on_a_rest_catalog_nothing_is_expired_or_swept_and_the_run_says_so";
    nothing_is_expired_or_swept(Backend::minio_and_nessie(test), test).await;
}
