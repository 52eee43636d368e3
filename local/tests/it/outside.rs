//! Real telemetry in; the tables read from outside by DuckDB and PyIceberg hold exactly it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::process::{PATIENCE, Process, Settings, python, script, telemetry};

const TENANT: &str = "audit";

fn files(folder: &Path) -> Vec<PathBuf> {
    let in_folder = |name: &str| {
        let mut found: Vec<_> = std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.extension().is_some_and(|ending| ["json", "jsonl", "pb"].contains(&ending.to_str().unwrap())));
        found.sort();
        found
    };
    ["otlp/otlp2parquet_testdata", "otlp/proto_examples", "nezha_trainticket"].into_iter().flat_map(in_folder).collect()
}

fn signal_path(file: &Path, first_line: &str) -> &'static str {
    let name = file.file_name().unwrap().to_str().unwrap();
    match (name, first_line) {
        (_, text) if text.contains("resourceLogs") => "/v1/logs",
        (_, text) if text.contains("resourceSpans") => "/v1/traces",
        (_, text) if text.contains("resourceMetrics") => "/v1/metrics",
        (name, _) if name.contains("log") => "/v1/logs",
        (name, _) if name.contains("trace") => "/v1/traces",
        _ => "/v1/metrics",
    }
}

/// Sends a file: each line of JSON lines, each message of a length-prefixed file, else the whole, is one request.
async fn send(process: &Process, file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let ending = file.extension().unwrap().to_str().unwrap();
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
    let (path, content_type) = match ending {
        "pb" | "lp" => (signal_path(file, ""), "application/x-protobuf"),
        _ => (signal_path(file, &head), "application/json"),
    };
    let bodies: Vec<Vec<u8>> = match ending {
        "jsonl" => bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).map(<[u8]>::to_vec).collect(),
        "lp" => length_prefixed(&bytes),
        _ => vec![bytes],
    };
    for body in bodies {
        let (status, text) = process.post(path, &[("Content-Type", content_type), ("X-Scope-OrgID", TENANT)], body).await;
        assert_eq!(status, 200, "{}: {text}", file.display());
        if content_type == "application/json" {
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(answer["partialSuccess"]["errorMessage"], "", "{}: {text}", file.display());
        } else {
            assert!(text.is_empty(), "{}: {text}", file.display());
        }
    }
}

fn length_prefixed(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<4>() {
        let (body, rest) = rest.split_at(u32::from_le_bytes(*size) as usize);
        bodies.push(body.to_vec());
        bytes = rest;
    }
    bodies
}

/// The loghub lines as OTLP, by the converter that lies beside them.
fn loghub(python: &str, folder: &Path, out: &Path) -> PathBuf {
    let file = out.join("loghub_logs.lp");
    let converter = folder.join("tools/loghub_to_otlp.py");
    let status = Command::new(python)
        .args([
            converter.to_str().unwrap(),
            "--dir",
            folder.join("logs/loghub_2k").to_str().unwrap(),
            "--out",
            file.to_str().unwrap(),
        ])
        .status()
        .unwrap();
    assert!(status.success());
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_real_telemetry_is_stored_once_and_two_other_readers_agree_with_what_was_sent() {
    let name = "every_row_of_real_telemetry";
    let (Some(folder), Some(python)) = (telemetry(name), python(name)) else { return };
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 200, variables: &[] }).await;
    let mut files = files(&folder);
    files.push(loghub(&python, &folder, data.path()));
    for file in &files {
        send(&process, file).await;
    }
    let warehouse = data.path().join("warehouse");
    let started = Instant::now();
    let counts = loop {
        let output = Command::new(&python)
            .arg(script("audit.py"))
            .args([warehouse.to_str().unwrap(), TENANT])
            .args(&files)
            .output()
            .unwrap();
        if output.status.success() {
            break serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
        }
        // Rows that are still in the WAL are not in the tables yet.
        assert!(started.elapsed() < PATIENCE, "{}\n{}", String::from_utf8_lossy(&output.stderr), process.log());
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    };
    eprintln!("rows sent and read back by DuckDB and PyIceberg: {counts}");
    assert_eq!(process.count_logs(TENANT, r#"{service_name=~".+"}"#).await, counts["logs"].as_u64().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_otlp_files_get_their_errors_and_leave_nothing() {
    let Some(folder) = telemetry("invalid_otlp_files") else { return };
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    for (file, path, named) in [
        ("log_invalid_severity.json", "/v1/logs", "INVALID_SEVERITY_VALUE"),
        ("trace_invalid_base64.json", "/v1/traces", "!!!INVALID_BASE64!!!"),
        ("trace_invalid_kind.json", "/v1/traces", "SPAN_KIND_INVALID_TYPE"),
        ("trace_mixed_encoding.json", "/v1/traces", "zzz"),
        ("metrics_invalid_temporality.json", "/v1/metrics", "INVALID_TEMPORALITY_VALUE"),
        ("malformed.json", "/v1/logs", "line 21"),
    ] {
        let body = std::fs::read(folder.join("otlp/otlp2parquet_testdata/invalid").join(file)).unwrap();
        let (status, text) = process.post(path, &[("Content-Type", "application/json")], body).await;
        assert_eq!(status, 400, "{file}: {text}");
        assert!(text.contains(named), "{file}: {text}");
    }
    assert_eq!(process.count_logs("default", r#"{service_name=~".+"}"#).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_sdk_is_served_without_an_error() {
    const COUNT: u64 = 50;
    let Some(python) = python("a_real_sdk_is_served") else { return };
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    for (transport, endpoint) in
        [("http", format!("http://127.0.0.1:{}", process.otlp_http)), ("grpc", format!("127.0.0.1:{}", process.otlp_grpc))]
    {
        let output =
            Command::new(&python).arg(script("sdk.py")).args([transport, &endpoint, &COUNT.to_string()]).output().unwrap();
        assert!(output.status.success(), "{transport}: {}\n{}", String::from_utf8_lossy(&output.stderr), process.log());
        assert_eq!(process.count_logs("sdk", &format!("{{service_name=\"sdk-{transport}\"}}")).await, COUNT);
    }
    let metrics = reqwest::get(format!("http://127.0.0.1:{}/metrics", process.metrics)).await.unwrap().text().await.unwrap();
    for signal in ["logs", "traces", "metrics"] {
        assert!(metrics.contains(signal), "{metrics}");
    }
}
