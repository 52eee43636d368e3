//! The store refuses, stalls, is gone: what was acknowledged stays, what can't be is refused in time, and all of it works again when the
//! store is back.

use std::time::{Duration, Instant};

use futures::future::join_all;
use icegate_testkit::{S3Server, TcpProxy, Traffic};
use tonic::Code;

use crate::exactly_once::{lines, one_line};
use crate::grpc::export_line;
use crate::process::{PATIENCE, Process, Settings, icegate};

const NEVER_MS: u64 = 86_400_000;
const SELECTOR: &str = r#"{service_name="once"}"#;
/// When OTLP's exporters stop waiting, which every answer is to be before.
const EXPORTERS_WAIT: Duration = Duration::from_secs(10);
/// Requests that may wait for their rows to be durable.
const CAPACITY: u32 = 8;
/// Requests at once while the store is down.
const SENDERS: u32 = 64;
/// More than a request of one line takes in memory, and little enough that all senders' would be over the bound by far.
const MOST_OF_A_LINE: u32 = 32 << 10;

struct World {
    proxy: TcpProxy,
    process: Process,
    _data: tempfile::TempDir,
}

/// The process on an S3 server behind a network that breaks.
async fn world(server: &S3Server, shift_interval_ms: u64) -> World {
    let proxy = TcpProxy::start(server.address());
    let (bucket, endpoint) = (server.bucket(), format!("http://{}", proxy.address()));
    let data = tempfile::tempdir().unwrap();
    let (warehouse, queue) = (format!("s3://{bucket}/tables/"), format!("s3://{bucket}/wal/"));
    let capacity = CAPACITY.to_string();
    let variables = &[
        ("ICEGATE_STORAGE__BACKEND", "s3"),
        ("ICEGATE_STORAGE__BUCKET", bucket.as_str()),
        ("ICEGATE_STORAGE__REGION", "us-east-1"),
        ("ICEGATE_STORAGE__ENDPOINT", endpoint.as_str()),
        ("ICEGATE_CATALOG__WAREHOUSE", warehouse.as_str()),
        ("ICEGATE_QUEUE__COMMON__BASE_PATH", queue.as_str()),
        ("ICEGATE_QUEUE__COMMON__CHANNEL_CAPACITY", capacity.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms, variables }).await;
    World { proxy, process, _data: data }
}

struct Answer {
    status: u16,
    retry_after: Option<String>,
    elapsed: Duration,
}

async fn send(client: &reqwest::Client, process: &Process, line: &str) -> Answer {
    let began = Instant::now();
    let request = client.post(process.otlp("/v1/logs")).header("Content-Type", "application/json");
    let answer = request.body(one_line(line)).send().await.unwrap();
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    Answer { status: answer.status().as_u16(), retry_after, elapsed: began.elapsed() }
}

/// Sends until it is acknowledged.
async fn insist(process: &Process, line: &str) {
    let (client, began) = (reqwest::Client::new(), Instant::now());
    while send(&client, process, line).await.status != 200 {
        assert!(began.elapsed() < PATIENCE, "{line} was not taken:\n{}", process.log());
    }
}

/// More requests at once than may wait, while the store does not answer.
async fn refused_while_down(process: &Process, outage: &str) {
    let names: Vec<String> = (0..SENDERS).map(|number| format!("unwritten {outage} {number}")).collect();
    // Made beforehand: it reads the machine's certificates, which takes its time.
    let client = reqwest::Client::new();
    let buffered = async {
        let mut most: f64 = 0.0;
        for _ in 0..20 {
            most = most.max(process.metric("icegate_wal_buffered_bytes ").await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        most
    };
    let over_grpc = async {
        let began = Instant::now();
        let status = export_line(process, &format!("unwritten {outage} grpc")).await.unwrap_err();
        (status, began.elapsed())
    };
    let (answers, (status, grpc_elapsed), buffered) =
        tokio::join!(join_all(names.iter().map(|name| send(&client, process, name))), over_grpc, buffered);
    for answer in answers {
        assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")), "{outage}");
        assert!(answer.elapsed < EXPORTERS_WAIT, "{outage}: {:?}", answer.elapsed);
    }
    assert_eq!(status.code(), Code::Unavailable, "{outage}: {status}");
    assert_eq!(status.metadata().get("retry-after").unwrap(), "1");
    assert!(grpc_elapsed < EXPORTERS_WAIT, "{outage}: {grpc_elapsed:?}");
    // BOUND-1: some waited, the others were refused at once, and nothing is held when all are answered.
    let bound = f64::from(CAPACITY * MOST_OF_A_LINE);
    assert!(buffered > 0.0 && buffered < bound, "{outage}: {buffered} bytes were held");
    assert!(process.metric("icegate_wal_refused_total{bound=\"requests\"} ").await > 0.0, "{outage}");
    assert_eq!(process.metric("icegate_wal_buffered_bytes ").await, 0.0, "{outage}");
}

async fn query_status(process: &Process) -> u16 {
    let query = "query=%7Bservice_name%3D%22once%22%7D&start=1704067200&end=1704067260";
    reqwest::get(format!("http://127.0.0.1:{}/loki/api/v1/query_range?{query}", process.loki)).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_down_requests_are_refused_in_time_and_afterwards_everything_acknowledged_is_there() {
    let Some(server) = S3Server::shared("while_the_store_is_down") else { return };
    let World { proxy, process, _data } = world(server, NEVER_MS).await;
    let mut acknowledged = Vec::new();
    for outage in [Traffic::Refuse, Traffic::Stall] {
        let (before, after) = (format!("before {outage:?}"), format!("after {outage:?}"));
        insist(&process, &before).await;
        proxy.set(outage);
        refused_while_down(&process, &format!("{outage:?}")).await;
        assert_eq!(query_status(&process).await, 503, "a query can't be whole:\n{}", process.log());
        proxy.set(Traffic::Pass);
        insist(&process, &after).await;
        acknowledged.extend([before, after]);
    }
    let mut found = lines(&process, SELECTOR).await;
    // What was refused may be there: its last attempt may have arrived without its answer.
    found.retain(|line| !line.starts_with("unwritten"));
    found.sort();
    acknowledged.sort();
    assert_eq!(found, acknowledged);
    assert!(process.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_from_the_wal_to_the_tables_once_across_outages_of_the_store() {
    let Some(server) = S3Server::shared("rows_go_from_the_wal_to_the_tables") else { return };
    let World { proxy, process, _data } = world(server, 200).await;
    let mut acknowledged = Vec::new();
    for (number, outage) in [Traffic::Refuse, Traffic::Stall, Traffic::Refuse].into_iter().enumerate() {
        for part in 0..3 {
            let line = format!("line {number} {part}");
            insist(&process, &line).await;
            acknowledged.push(line);
        }
        // The shift is somewhere between its listing and the end of its commit.
        proxy.set(outage);
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.set(Traffic::Pass);
    }
    let began = Instant::now();
    loop {
        let mut found = lines(&process, SELECTOR).await;
        found.sort();
        assert_eq!(found, acknowledged, "{}", process.log());
        let shifted = process.metric("icegate_shift_rows_total{table=\"logs\"} ").await;
        if shifted >= acknowledged.len() as f64 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{shifted} rows were shifted:\n{}", process.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(process.count_logs("default", SELECTOR).await, acknowledged.len() as u64);
    assert!(process.stop().success());
}

#[test]
fn a_process_whose_store_is_not_reachable_says_so_and_does_not_start() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = icegate(&["run"])
        .envs([
            ("ICEGATE_CATALOG__WAREHOUSE", "s3://lake/warehouse/"),
            ("ICEGATE_QUEUE__COMMON__BASE_PATH", "s3://lake/queue/"),
            ("ICEGATE_OTLP_HTTP__ENABLED", "false"),
            ("ICEGATE_OTLP_GRPC__ENABLED", "false"),
            ("ICEGATE_LOKI__ENABLED", "false"),
            ("AWS_ENDPOINT_URL_S3", &format!("http://{address}")),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("icegate: ") && last.contains(&address) && last.contains("onnection refused"), "{said}");
}

#[test]
fn a_wrong_place_is_found_by_the_check_with_what_is_allowed() {
    for (key, url, named) in [
        ("ICEGATE_CATALOG__WAREHOUSE", "s3://My_Lake/", "catalog.warehouse: invalid storage url"),
        ("ICEGATE_QUEUE__COMMON__BASE_PATH", "s3://lake//a/", "queue.common.base_path: invalid storage url"),
        ("ICEGATE_CATALOG__WAREHOUSE", "gs://lake/", "allowed are s3, file and memory"),
    ] {
        let output = icegate(&["config", "check"]).env(key, url).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(named) && said.contains(url), "{said}");
    }
}
