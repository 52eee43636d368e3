//! Bad input gets a clear error, and nothing else is lost because of it.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

use icegate_testkit::free_ports;
use serde_json::json;

use crate::process::{Process, Settings, run};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn records(records: &[serde_json::Value]) -> Vec<u8> {
    json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": records }] }] }).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_bad_request_is_named_and_the_good_rows_beside_it_are_kept() {
    let data = tempfile::tempdir().unwrap();
    let variables = &[
        ("ICEGATE_OTLP_HTTP__MAX_DECODED_BYTES", "1048576"),
        ("ICEGATE_OTLP_HTTP__MAX_BODY_BYTES", "524288"),
        ("ICEGATE_OTLP_HTTP__MAX_RECORD_BYTES", "10000"),
    ];
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables }).await;
    let truncated = {
        let whole = gzip(&records(&[json!({ "body": { "stringValue": "x" } })]));
        whole[..whole.len() - 9].to_vec()
    };
    // Field 1 (resource_logs), 1 (scope_logs) 2, log_records 2, body 5, string_value 1: one byte that is no UTF-8.
    let invalid_utf8 = vec![0x0a, 0x09, 0x12, 0x07, 0x12, 0x05, 0x2a, 0x03, 0x0a, 0x01, 0xff];
    let bomb = gzip(&vec![b' '; 64 << 20]);
    for (what, headers, body, status, named) in [
        ("content type", vec![("Content-Type", "text/plain")], b"x".to_vec(), 415, "text/plain"),
        ("encoding", vec![JSON, ("Content-Encoding", "br")], b"x".to_vec(), 415, "br"),
        ("truncated gzip", vec![JSON, GZIP], truncated, 400, "gzip"),
        ("gzip bomb", vec![JSON, GZIP], bomb, 413, "1048576"),
        ("large body", vec![JSON], vec![b' '; 600_000], 413, "524288"),
        ("bad JSON", vec![JSON], b"{\n  \"resourceLogs\": [}".to_vec(), 400, "line 2 column 20"),
        ("invalid UTF-8", vec![PROTOBUF], invalid_utf8, 400, "UTF-8"),
        ("truncated protobuf", vec![PROTOBUF], vec![0x0a, 0x7f], 400, "protobuf"),
        ("tenant", vec![JSON, ("X-Scope-OrgID", "../x")], records(&[]), 400, "../x"),
        ("account", vec![JSON, ("X-Account-ID", "a/b")], records(&[]), 400, "a/b"),
    ] {
        let (found, text) = process.post("/v1/logs", &headers, body).await;
        assert_eq!(found, status, "{what}: {text}");
        assert!(text.contains(named), "{what}: {text}");
    }
    let mixed = records(&[
        json!({ "body": { "stringValue": "kept 1" } }),
        json!({ "body": { "stringValue": "x".repeat(20_000) } }),
        json!({ "body": { "stringValue": "bad id" }, "traceId": "abcd" }),
        json!({ "body": { "stringValue": "kept 2" }, "traceId": "5b8efff798038103d269b633813fc60c" }),
    ]);
    let (status, text) = process.post("/v1/logs", &[JSON], mixed).await;
    assert_eq!(status, 200, "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let partial = &answer["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], 2, "{text}");
    let message = partial["errorMessage"].as_str().unwrap();
    assert!(message.contains("logRecords[1]") && message.contains("10000"), "{message}");
    assert!(message.contains("logRecords[2]") && message.contains("16"), "{message}");
    assert_eq!(process.count_logs("default", r#"{service_name=~".+"}"#).await, 2);
}

fn fails_to_start(config: &str, data: &Path) -> String {
    let file = data.join("bad.yaml");
    std::fs::write(&file, config).unwrap();
    let output = run(&["run", "-c", file.to_str().unwrap()]);
    assert!(!output.status.success(), "{config}");
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

#[test]
fn a_configuration_with_an_error_ends_the_start_and_names_the_key() {
    let data = tempfile::tempdir().unwrap();
    for (config, named) in [
        ("queue: { write: { flush_intervall_ms: 5 } }", vec!["queue.write", "flush_intervall_ms", "flush_interval_ms"]),
        ("otlp_http: { port: many }", vec!["otlp_http.port"]),
        ("otlp_http: { port: 3100 }", vec!["3100", "loki", "otlp_http"]),
        ("queue: { write: { compression: lzo } }", vec!["queue.write.compression", "lzo"]),
        ("engine: { max_age_secs: 1, refresh_interval_secs: 2 }", vec!["max_age_secs", "refresh_interval_secs"]),
    ] {
        let text = fails_to_start(config, data.path());
        assert!(named.iter().all(|word| text.contains(word)), "{config}: {text}");
    }
}

#[test]
fn a_port_in_use_ends_the_start_and_names_the_server_and_the_address() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let [grpc, loki] = free_ports();
    let config = format!(
        "catalog: {{ backend: object_store, warehouse: \"file://{0}/warehouse/\" }}\nstorage: {{ backend: !filesystem {{ root_path: \"{0}\" }} }}\n\
         queue: {{ common: {{ base_path: \"file://{0}/queue/\" }} }}\notlp_http: {{ host: 127.0.0.1, port: {port} }}\n\
         otlp_grpc: {{ host: 127.0.0.1, port: {grpc} }}\nloki: {{ host: 127.0.0.1, port: {loki} }}\n\
         tempo: {{ enabled: false }}\nprometheus: {{ enabled: false }}\n",
        data.path().display()
    );
    let text = fails_to_start(&config, data.path());
    assert!(text.contains("otlp_http") && text.contains(&port.to_string()), "{text}");
}

#[test]
fn a_data_directory_that_cannot_be_written_ends_the_start_and_is_named() {
    // A file where the directory should be refuses writes for every user, root included.
    let data = tempfile::tempdir().unwrap();
    let blocked = data.path().join("blocked");
    std::fs::write(&blocked, "a file").unwrap();
    let output = run(&["run", "--data-dir", blocked.to_str().unwrap()]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("blocked"), "{text}");
}
