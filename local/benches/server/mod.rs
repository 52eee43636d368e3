//! The release binary on a folder of its own, measured from outside.
#![allow(dead_code, reason = "each benchmark uses some of it")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use icegate_testkit::free_ports;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_icegate");
/// Generated records of about 480 bytes: 2,200 of them make a request of about 1 MB.
pub(crate) const RECORDS_PER_REQUEST: u64 = 2_200;
/// After how long without a segment shifted a benchmark gives up.
const STANDSTILL: Duration = Duration::from_secs(300);
/// How often a query is measured.
const REPEATS: usize = 5;

/// What one run of a query takes.
pub(crate) struct Measured {
    pub(crate) cpu_seconds: f64,
    pub(crate) megabytes_read: f64,
    /// Files of tables that were opened.
    pub(crate) files: f64,
    /// The median.
    pub(crate) milliseconds: f64,
}

pub(crate) struct Server {
    child: Child,
    otlp: u16,
    loki: u16,
    tempo: u16,
    metrics: u16,
}

impl Server {
    pub(crate) fn start(data: &Path, poll_interval_ms: u64, shift_interval_ms: u64) -> Self {
        let [otlp, grpc, loki, tempo, metrics] = free_ports();
        let config = data.join("icegate.yaml");
        let text = format!(
            "catalog: {{ backend: !object_store , warehouse: \"file://{0}/warehouse/\" }}\n\
             storage: {{ backend: !filesystem {{ root_path: \"{0}\" }} }}\n\
             queue: {{ common: {{ base_path: \"file://{0}/queue/\" }} }}\n\
             shift: {{ jobsmanager: {{ poll_interval_ms: {poll_interval_ms}, iteration_interval_millisecs: {shift_interval_ms} }} }}\n\
             otlp_http: {{ host: 127.0.0.1, port: {otlp} }}\notlp_grpc: {{ host: 127.0.0.1, port: {grpc} }}\nloki: {{ host: 127.0.0.1, port: {loki} }}\n\
             tempo: {{ host: 127.0.0.1, port: {tempo}, trace_reach_secs: 60 }}\n\
             prometheus: {{ enabled: false }}\n\
             metrics: {{ enabled: true, host: 127.0.0.1, port: {metrics} }}\n",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(BINARY)
            .args(["run", "-c", config.to_str().unwrap()])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, otlp, loki, tempo, metrics };
        while !server.get("/ready").is_some_and(|text| text.contains("ready")) {
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// User and system CPU seconds so far.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS_PER_SECOND
    }

    /// Bytes read so far, from files and connections.
    pub(crate) fn bytes_read(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        line.unwrap().parse().unwrap()
    }

    /// Waits until the tables hold everything: until a query finds no segment in the write-ahead log that the tables don't know.
    pub(crate) fn wait_until_shifted(&self) {
        // A metric query reads its whole range, so that every segment in it is counted.
        let query = r#"sum(count_over_time({service_name="nobody"}[1m]))"#;
        let path = format!("/loki/api/v1/query_range?since=1h&step=60&query={}", encode(query));
        let (mut last, mut since) = (u64::MAX, Instant::now());
        while last > 0 {
            let answer: Value = serde_json::from_str(&self.get(&path).unwrap()).unwrap();
            let left = answer["data"]["stats"]["icegate"]["segments"].as_u64().unwrap();
            if left < last {
                (last, since) = (left, Instant::now());
            }
            assert!(since.elapsed() < STANDSTILL, "the shift stands still with {left} segments left");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks a query of the last hour several times, after once unmeasured.
    pub(crate) fn measure(&self, query: &str, parameters: &str) -> Measured {
        let path = format!("/loki/api/v1/query_range?since=1h{parameters}&query={}", encode(query));
        let first = self.get(&path).unwrap();
        assert!(first.contains("\"success\""), "{first}");
        self.repeat(|| self.get(&path).unwrap())
    }

    /// Asks Tempo's API several times, after once unmeasured; the answer, too.
    pub(crate) fn measure_tempo(&self, path: &str) -> (Measured, String) {
        let answer = self.ask(self.tempo, path).unwrap();
        (self.repeat(|| self.ask(self.tempo, path).unwrap()), answer)
    }

    fn repeat(&self, ask: impl Fn() -> String) -> Measured {
        let (cpu, read, files) = (self.cpu_seconds(), self.bytes_read(), self.files_read());
        let mut walls: Vec<f64> = Vec::new();
        for _ in 0..REPEATS {
            let begun = Instant::now();
            ask();
            walls.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        walls.sort_by(f64::total_cmp);
        let repeats = REPEATS as f64;
        Measured {
            cpu_seconds: (self.cpu_seconds() - cpu) / repeats,
            megabytes_read: (self.bytes_read() - read) as f64 / 1e6 / repeats,
            files: (self.files_read() - files) / repeats,
            milliseconds: walls[REPEATS / 2],
        }
    }

    /// Files of tables that queries have read so far.
    fn files_read(&self) -> f64 {
        self.metric("icegate_engine_files_planned_total") - self.metric("icegate_engine_index_files_pruned_total")
    }

    /// A metric without labels; 0 where it isn't there.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.ask(self.metrics, "/metrics").unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// The most memory that was resident so far, in MB.
    pub(crate) fn peak_resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        self.ask(self.loki, path)
    }

    fn ask(&self, port: u16, path: &str) -> Option<String> {
        runtime().block_on(async {
            let answer = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
            answer.text().await.ok()
        })
    }

    /// Sends requests of spans as protobuf, four at a time.
    pub(crate) fn send_traces(&self, requests: impl Iterator<Item = Vec<u8>>) {
        let (client, url) = (reqwest::Client::new(), format!("http://127.0.0.1:{}/v1/traces", self.otlp));
        let send = async |body: Vec<u8>| {
            let answer = client.post(&url).header("Content-Type", "application/x-protobuf").body(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
        };
        runtime().block_on(futures::stream::iter(requests).for_each_concurrent(4, send));
    }

    pub(crate) fn send(&self, count: u64, seed: &str) -> Value {
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

pub(crate) fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_else(|| panic!("no {field} in {value}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
