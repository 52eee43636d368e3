//! The local stack: the compose file, and the real Collector in front of IceGate on MinIO and Nessie.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use icegate_testkit::{LocalStack, free_ports};
use serde_json::json;

use crate::backend::Backend;
use crate::process::{PATIENCE, Part, Process, Settings};

fn in_local(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compose in either of its forms, where there is one.
fn compose() -> Option<Command> {
    let forms: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    forms.into_iter().find_map(|form| {
        let command = || {
            let mut command = Command::new(form[0]);
            command.args(&form[1..]);
            command
        };
        command().arg("version").output().is_ok_and(|output| output.status.success()).then(command)
    })
}

#[test]
fn compose_accepts_the_file_and_every_service_has_a_pinned_image() {
    let Some(mut compose) = compose() else {
        eprintln!("skipped compose_accepts_the_file: there is no docker compose");
        return;
    };
    let output = compose.arg("-f").arg(in_local("compose.yaml")).arg("config").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let images: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect();
    assert_eq!(images.len(), 6, "{images:?}");
    for image in images {
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest" && !tag.contains('/')), "{image}");
    }
}

#[test]
fn every_file_that_the_compose_file_mounts_is_there() {
    let text = std::fs::read_to_string(in_local("compose.yaml")).unwrap();
    let mounted: Vec<_> = text.split(['"', ' ', '\n']).filter_map(|word| word.strip_prefix("./")).collect();
    assert!(mounted.len() >= 5, "{mounted:?}");
    for mount in mounted {
        let file = mount.split_once(':').map_or(mount, |(file, _)| file);
        assert!(in_local(file).exists(), "{file}");
    }
}

const TENANT: &str = "collected";
const COLLECTED: &str = r#"{service_name="collected"}"#;

/// Hands the Collector a line, which is its to deliver from then on.
async fn hand_over(collector: &LocalStack, number: u64) {
    let record = json!({ "timeUnixNano": (1_704_110_400_000_000_000 + number).to_string(), "body": { "stringValue": format!("line {number}") } });
    let body = json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "collected" } }] },
        "scopeLogs": [{ "logRecords": [record] }],
    }] });
    let request = reqwest::Client::new().post(format!("{}/v1/logs", collector.place("COLLECTOR")));
    let answer = request.header("Content-Type", "application/json").body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

async fn await_lines(process: &Process, lines: u64) {
    let began = Instant::now();
    loop {
        let found = process.count_logs(TENANT, COLLECTED).await;
        assert!(found <= lines, "{found} lines are there, {lines} were sent");
        if found == lines {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{found} of {lines} lines have arrived:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_brings_each_line_once_also_while_icegate_is_stopped_or_killed() {
    let Some(backend) = Backend::minio_and_nessie("the_collector_brings_each_line_once") else { return };
    let ports = free_ports();
    let collector_of = |process: &Process| {
        let variables = [("ICEGATE_OTLP", process.otlp("")), ("ICEGATE_TENANT", TENANT.to_owned())];
        LocalStack::start(&["collector"], &variables.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    let process = backend.start_on(ports, Part::All, 200).await;
    let collector = collector_of(&process);
    hand_over(&collector, 0).await;
    await_lines(&process, 1).await;

    // Stopped in order: the Collector keeps what comes meanwhile.
    assert!(process.stop().success());
    for number in 1..20 {
        hand_over(&collector, number).await;
    }
    let mut process = backend.start_on(ports, Part::All, 200).await;
    await_lines(&process, 20).await;

    // Killed while requests are on their way, so that some are stored whose answer is lost.
    let mut sent = 20;
    for _ in 0..3 {
        for _ in 0..40 {
            hand_over(&collector, sent).await;
            sent += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        process.kill();
        process = backend.start_on(ports, Part::All, 200).await;
    }
    await_lines(&process, sent).await;
    drop(collector);
    assert_eq!(process.count_logs(TENANT, COLLECTED).await, sent);
}

/// What the S3 server of the stack has under a key, if anything.
fn object(s3: &str, key: &str) -> Option<serde_json::Value> {
    let arguments = ["-fsS", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "minioadmin:minioadmin"];
    let output = Command::new("curl").args(arguments).arg(format!("{s3}/{key}")).output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_and_job_state_lie_in_the_bucket_that_the_configuration_names() {
    let test = "leases_and_job_state_lie_in_the_bucket_that_the_configuration_names";
    let Some(stack) = LocalStack::shared(test) else { return };
    let Some(backend) = Backend::minio_and_nessie(test) else { return };
    let (s3, prefix) = (stack.place("S3_ENDPOINT"), format!("shifter-{}", std::process::id()));
    let mut variables: Vec<_> = backend.variables().iter().map(|(name, value)| (*name, value.as_str())).collect();
    variables.extend([
        ("ICEGATE_SHIFT__JOBSMANAGER__STORAGE__ENDPOINT", s3),
        ("ICEGATE_SHIFT__JOBSMANAGER__STORAGE__BUCKET", "jobs"),
        ("ICEGATE_SHIFT__JOBSMANAGER__STORAGE__PREFIX", prefix.as_str()),
    ]);
    let settings = Settings { data: backend.folder(), shift_interval_ms: 200, variables: &variables };
    let process = Process::start_part(Part::All, &settings, backend.stores(), free_ports()).await;
    let record = json!({ "timeUnixNano": "1704110400000000000", "body": { "stringValue": "a line" } });
    let body = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [record] }] }] }).to_string().into_bytes();
    let (status, text) = process.post("/v1/logs", &[("Content-Type", "application/json")], body).await;
    assert_eq!(status, 200, "{text}");
    let began = Instant::now();
    let state = loop {
        let state = object(s3, &format!("jobs/{prefix}/state/logs.json"));
        if let Some(state) = state.filter(|state| state["commit"]["segments"] == 1) {
            break state;
        }
        assert!(began.elapsed() < PATIENCE, "no state of a commit appears:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(state["table"], "logs");
    assert!(process.stop().success());
}
