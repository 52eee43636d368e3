//! The commands of the README, and those of the documented quick start, do what they say.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::{Process, Settings, telemetry};

/// The ```bash blocks of a text between two of its lines.
fn bash_blocks(text: &str, from: &str, to: &str) -> Vec<String> {
    let section = text.split_once(from).map_or("", |(_, rest)| rest).split_once(to).map_or("", |(section, _)| section);
    let after_fences = section.split("```bash\n").skip(1);
    after_fences.filter_map(|block| block.split_once("\n```").map(|(code, _)| code.to_owned())).collect()
}

/// Runs a block as it is written, but for the ports, and returns what it prints.
fn bash(process: &Process, block: &str) -> String {
    let block = block
        .replace("localhost:4318", &format!("localhost:{}", process.otlp_http))
        .replace("localhost:3100", &format!("localhost:{}", process.loki));
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &block.replace("curl ", "curl -sS ")]).output().unwrap();
    assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn has_curl(test: &str) -> bool {
    let found = Command::new("curl").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped {test}: there is no curl");
    }
    found
}

/// Several answers printed one after the other.
fn answers(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_first_steps_send_a_line_and_find_it() {
    if !has_curl("the_readmes_first_steps") {
        return;
    }
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let blocks = bash_blocks(&readme, "## First steps", "## Connect Grafana");
    assert_eq!(blocks.len(), 3);
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    assert_eq!(answers(&bash(&process, &blocks[0]))[0]["partialSuccess"]["rejectedLogRecords"], 0);
    let found = &answers(&bash(&process, &blocks[1]))[0]["data"]["result"][0];
    assert_eq!(found["stream"]["service_name"], "my-service");
    assert_eq!(found["values"][0][1], "User login successful");
    let rate = &answers(&bash(&process, &blocks[2]))[0]["data"];
    assert_eq!(rate["resultType"], "matrix");
    assert_eq!(rate["result"][0]["metric"], serde_json::json!({ "service_name": "my-service" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_curl_of_the_documented_quick_start_answers_as_documented() {
    let name = "every_curl_of_the_documented_quick_start";
    let Some(folder) = telemetry(name) else { return };
    if !has_curl(name) {
        return;
    }
    let docs = std::fs::read_to_string(folder.join("../reference/icegate-docs.md")).unwrap();
    let blocks = bash_blocks(&docs, "# Quick Start This guide", "# Data Ingestion");
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    assert_eq!(bash(&process, "curl http://localhost:4318/health"), r#"{"status":"healthy"}"#);
    assert_eq!(bash(&process, "curl http://localhost:3100/ready"), r#"{"status":"ready"}"#);

    let [logs, traces, metrics, basic, severity, content, counts, labels, values, series, tenants] = &blocks[..] else {
        panic!("{} blocks", blocks.len())
    };
    assert_eq!(answers(&bash(&process, logs))[0]["partialSuccess"]["rejectedLogRecords"], 0);
    assert_eq!(answers(&bash(&process, traces))[0]["partialSuccess"]["rejectedSpans"], 0);
    assert_eq!(answers(&bash(&process, metrics))[0]["partialSuccess"]["rejectedDataPoints"], 0);

    // The line's time is the second in which it was sent, and `end` is not in the range: ask once that second is over.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let found = &answers(&bash(&process, basic))[0];
    assert_eq!(found["status"], "success");
    let stream = &found["data"]["result"][0];
    assert_eq!((&stream["stream"]["service_name"], &stream["stream"]["severity_text"]), (&"my-service".into(), &"INFO".into()));
    assert_eq!(stream["values"][0][1], "User login successful");
    assert_eq!(answers(&bash(&process, severity))[0]["data"]["result"], serde_json::json!([]));
    assert_eq!(answers(&bash(&process, content))[0]["data"]["result"][0]["values"][0][1], "User login successful");
    let both = answers(&bash(&process, counts));
    assert_eq!(both[0]["data"]["resultType"], "matrix");
    assert_eq!(both[0]["data"]["result"][0]["metric"]["service_name"], "my-service");
    assert_eq!(both[1]["data"]["result"], serde_json::json!([]));

    let names = answers(&bash(&process, labels));
    assert_eq!(names[0]["data"], serde_json::json!(["service_name", "severity_text"]));
    assert_eq!(answers(&bash(&process, values))[0]["data"], serde_json::json!(["my-service"]));
    let sets = answers(&bash(&process, series));
    assert_eq!(sets[0]["data"], serde_json::json!([{ "service_name": "my-service", "severity_text": "INFO" }]));

    // The block's body is a placeholder, '...', which is no JSON: its first command is refused, its query sees no other tenant.
    let two = answers(&bash(&process, tenants));
    assert_eq!(two[1]["data"]["result"], serde_json::json!([]));
    assert!(two[0]["message"].as_str().unwrap().contains("line 1 column 1"), "{}", two[0]);
}
