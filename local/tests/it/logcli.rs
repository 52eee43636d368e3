//! Loki's own command line against the process, and what Loki's agents push to it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::process::{Part, Process, Settings};

const TENANT: &str = "pushed";
const SHOP: &str = r#"{app="shop"}"#;
const RANGE: [&str; 2] = ["--from=2024-01-01T00:00:00Z", "--to=2024-01-01T01:00:00Z"];

/// The binary that `local/stack/build FOLDER logcli` makes.
fn logcli(test: &str) -> Option<PathBuf> {
    let versions = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("stack/versions")).unwrap();
    let version = versions.lines().find_map(|line| line.strip_prefix("logcli_version=")).unwrap();
    let folder = std::env::var_os("ICEGATE_STACK").map(PathBuf::from);
    let binary = folder.map(|folder| folder.join(format!("logcli-{version}"))).filter(|binary| binary.exists());
    if binary.is_none() {
        eprintln!(
            "skipped {test}: ICEGATE_STACK does not name a folder with logcli, which `local/stack/build FOLDER logcli` makes"
        );
    }
    binary
}

fn command(logcli: &Path, process: &Process, arguments: &[&str]) -> Command {
    let mut command = Command::new(logcli);
    command.arg(format!("--addr=http://127.0.0.1:{}", process.loki)).arg(format!("--org-id={TENANT}"));
    command.args(["--quiet", "--timezone=UTC"]).args(arguments).env_remove("LOKI_ADDR").stdin(Stdio::null());
    command
}

/// What it prints; it must succeed.
fn output(logcli: &Path, process: &Process, arguments: &[&str]) -> String {
    let output = command(logcli, process, arguments).output().unwrap();
    let (text, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "logcli {arguments:?}: {errors}\n{}", process.log());
    text
}

fn documents(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn push_to(port: u16, values: Value) -> (u16, String) {
    let body = json!({"streams": [{"stream": {"app": "shop", "env": "dev"}, "values": values}]});
    let url = format!("http://127.0.0.1:{port}/loki/api/v1/push");
    let request = reqwest::Client::new().post(url).header("X-Scope-OrgID", TENANT).header("Content-Type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn pushed(test: &str) -> Option<(PathBuf, tempfile::TempDir, Process)> {
    let logcli = logcli(test)?;
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    let values = json!([
        ["1704067200000000000", "level=info msg=started"],
        ["1704067260000000000", "level=error msg=failed size=10", {"user": "u1"}],
        ["1704067320000000000", "level=info msg=done size=20"],
    ]);
    assert_eq!(push_to(process.loki, values).await, (204, String::new()));
    Some((logcli, data, process))
}

#[tokio::test(flavor = "multi_thread")]
async fn logcli_finds_lines_labels_and_series() {
    let Some((logcli, _data, process)) = pushed("logcli_finds_lines_labels_and_series").await else { return };
    let run = |arguments: &[&str]| output(&logcli, &process, arguments);
    let lines = run(&["query", SHOP, RANGE[0], RANGE[1], "--output=raw", "--forward"]);
    assert_eq!(lines, "level=info msg=started\nlevel=error msg=failed size=10\nlevel=info msg=done size=20\n");
    // The last two, the latest first.
    let last = run(&["query", SHOP, RANGE[0], RANGE[1], "--output=raw", "--limit=2", "--batch=2"]);
    assert_eq!(last, "level=info msg=done size=20\nlevel=error msg=failed size=10\n");
    let with_labels =
        documents(&run(&["query", r#"{app="shop"} | logfmt | level="error""#, RANGE[0], RANGE[1], "--output=jsonl"]));
    assert_eq!((with_labels.len(), &with_labels[0]["line"]), (1, &json!("level=error msg=failed size=10")));
    let metric =
        documents(&run(&["instant-query", r#"sum by (env) (count_over_time({app="shop"}[1h]))"#, "--now=2024-01-01T00:59:00Z"]));
    assert_eq!((&metric[0][0]["metric"], &metric[0][0]["value"][1]), (&json!({"env": "dev"}), &json!("3")));
    assert_eq!(run(&["labels", RANGE[0], RANGE[1]]), "app\nenv\nservice_name\n");
    assert_eq!(run(&["labels", "app", RANGE[0], RANGE[1]]), "shop\n");
    assert_eq!(run(&["series", SHOP, RANGE[0], RANGE[1]]), "{app=\"shop\", env=\"dev\", service_name=\"shop\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn logcli_asks_for_statistics() {
    let Some((logcli, _data, process)) = pushed("logcli_asks_for_statistics").await else { return };
    let run = |arguments: &[&str]| output(&logcli, &process, arguments);
    let stats = run(&["stats", SHOP, RANGE[0], RANGE[1]]);
    assert!(stats.contains("entries: 3"), "{stats}");
    let volume = documents(&run(&["volume", SHOP, RANGE[0], RANGE[1]]));
    assert_eq!(volume[0][0]["metric"], json!({"app": "shop"}), "{volume:?}");
    let fields = run(&["detected-fields", SHOP, RANGE[0], RANGE[1]]);
    for field in ["level", "msg", "size", "user"] {
        assert!(fields.contains(&format!("label: {field}")), "{fields}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logcli_follows_what_comes() {
    let Some((logcli, _data, process)) = pushed("logcli_follows_what_comes").await else { return };
    let arguments = ["query", SHOP, "--tail", "--output=raw", "--since=876000h"];
    let mut child = command(&logcli, &process, &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<_> = lines.by_ref().take(3).collect();
    assert_eq!(first, ["level=info msg=started", "level=error msg=failed size=10", "level=info msg=done size=20"]);
    for number in 0..3 {
        let line = format!("line {number}");
        assert_eq!(push_to(process.loki, json!([["1704067400000000000", line]])).await.0, 204);
        assert_eq!(lines.next(), Some(line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_that_takes_logs_in_takes_pushes_and_a_query_process_says_that_it_does_not() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings { data: data.path(), shift_interval_ms: 200, variables: &[] };
    let ingest = Process::start_as(Part::Ingest, &settings).await;
    let query = Process::start_as(Part::Query, &settings).await;
    assert_eq!(push_to(ingest.otlp_http, json!([["1704067200000000000", "a line"]])).await.0, 204);
    assert_eq!(query.count_logs(TENANT, SHOP).await, 1);
    let (status, text) = push_to(query.loki, json!([["1704067200000000001", "lost"]])).await;
    assert_eq!(status, 501);
    assert!(text.starts_with("this server answers queries only: send logs to one that takes them in"), "{text}");
    assert!(ingest.stop().success() && query.stop().success());
}
