//! The whole process, measured from outside: OTLP to durable acknowledgement, and queries over what was sent.
//!
//! Starts the release binary on a folder of its own, loads it with `icegate send`, and reads the server's CPU seconds and resident
//! memory from `/proc`.  `ICEGATE_BENCH_SHORT=1` runs the same steps on little data; its figures mean nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and fails by panicking")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use icegate_testkit::free_ports;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_icegate");
/// Generated records of about 480 bytes: 2,200 of them make a request of about 1 MB.
const RECORDS_PER_REQUEST: u64 = 2_200;
const REPEATS: usize = 5;

struct Server {
    child: Child,
    otlp: u16,
    loki: u16,
}

impl Server {
    fn start(data: &Path, poll_interval_ms: u64, shift_interval_ms: u64) -> Self {
        let [otlp, grpc, loki] = free_ports();
        let config = data.join("icegate.yaml");
        let text = format!(
            "catalog: {{ backend: !object_store , warehouse: \"file://{0}/warehouse/\" }}\n\
             storage: {{ backend: !filesystem {{ root_path: \"{0}\" }} }}\n\
             queue: {{ common: {{ base_path: \"file://{0}/queue/\" }} }}\n\
             shift: {{ jobsmanager: {{ poll_interval_ms: {poll_interval_ms}, iteration_interval_millisecs: {shift_interval_ms} }} }}\n\
             otlp_http: {{ host: 127.0.0.1, port: {otlp} }}\notlp_grpc: {{ host: 127.0.0.1, port: {grpc} }}\nloki: {{ host: 127.0.0.1, port: {loki} }}\n",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(BINARY)
            .args(["run", "-c", config.to_str().unwrap()])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, otlp, loki };
        while !server.get("/ready").is_some_and(|text| text.contains("ready")) {
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// User and system CPU seconds so far.
    fn cpu_seconds(&self) -> f64 {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS_PER_SECOND
    }

    /// The most memory that was resident so far, in MB.
    fn peak_resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn get(&self, path: &str) -> Option<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let answer = reqwest::get(format!("http://127.0.0.1:{}{path}", self.loki)).await.ok()?;
            answer.text().await.ok()
        })
    }

    fn send(&self, count: u64, seed: &str) -> Value {
        let endpoint = format!("http://127.0.0.1:{}/v1/logs", self.otlp);
        let records = RECORDS_PER_REQUEST.to_string();
        let output = Command::new(BINARY)
            .args([
                "send",
                "--endpoint",
                &endpoint,
                "--use-protobuf",
                "--records-per-message",
                &records,
                "--count",
                &count.to_string(),
            ])
            .args(["--concurrency", "4", "--seed", seed, "--json"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() { folder_bytes(&entry.path()) } else { entry.metadata().unwrap().len() }
        })
        .sum()
}

fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_else(|| panic!("no {field} in {value}"))
}

fn ingest(requests: u64) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 1_000, 30_000);
    server.send(requests / 10 + 1, "1");
    let before = server.cpu_seconds();
    let summary = server.send(requests, "2");
    let cpu = server.cpu_seconds() - before;
    let megabytes = number(&summary, "raw_bytes") / 1e6;
    println!(
        "process/ingest/otlp-protobuf/1MB: {:.1} MB raw per CPU-second, {:.0} rows/s, {:.1} MB/s, ack p50 {:.0} ms p99 {:.0} ms, {:.0} MB resident at most",
        megabytes / cpu,
        number(&summary, "rows_per_second"),
        number(&summary, "mb_per_second"),
        number(&summary["ack_ms"], "p50"),
        number(&summary["ack_ms"], "p99"),
        server.peak_resident_mb()
    );
}

fn query(rows: u64) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), 200, 1_000);
    let summary = server.send(rows.div_ceil(RECORDS_PER_REQUEST), "3");
    let queue = data.path().join("queue/logs");
    let metadata = data.path().join("warehouse/icegate/logs/metadata");
    // All rows are in the tables once a second has passed without a new snapshot.
    let (mut last, mut quiet) = (0, Instant::now());
    while quiet.elapsed() < Duration::from_secs(4) {
        let now = std::fs::read_dir(&metadata).unwrap().count();
        if now != last {
            (last, quiet) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!(
        "process/stored/logs: {:.1} raw bytes per byte in the tables, {:.1} per byte in the WAL",
        number(&summary, "raw_bytes") / folder_bytes(&data.path().join("warehouse/icegate/logs")) as f64,
        number(&summary, "raw_bytes") / folder_bytes(&queue) as f64
    );
    for (name, query, parameters) in [
        ("process/query/filter-limit-100", r#"{service_name="checkout"} |= "timeout""#, "&limit=100"),
        ("process/query/filter-absent", r#"{service_name="checkout"} |= "no such text""#, "&limit=100"),
        ("process/query/count-by-service", "sum by (service_name) (count_over_time({service_name=~\".+\"}[5m]))", "&step=60"),
    ] {
        let path = format!("/loki/api/v1/query_range?since=1h{parameters}&query={}", encode(query));
        let mut walls: Vec<f64> = Vec::new();
        let first = server.get(&path).unwrap();
        assert!(first.contains("\"success\""), "{first}");
        let before = server.cpu_seconds();
        for _ in 0..REPEATS {
            let begun = Instant::now();
            server.get(&path).unwrap();
            walls.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = (server.cpu_seconds() - before) / REPEATS as f64;
        walls.sort_by(f64::total_cmp);
        println!(
            "{name}: {cpu:.3} CPU-seconds, {:.0} ms, over {:.0} rows",
            walls[REPEATS / 2],
            number(&summary, "rows_accepted")
        );
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn main() {
    let short = std::env::var_os("ICEGATE_BENCH_SHORT").is_some();
    ingest(if short { 10 } else { 600 });
    query(if short { 20_000 } else { 1_000_000 });
}
