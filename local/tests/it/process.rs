//! Runs the real binary on a folder and ports of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use icegate_testkit::{LogFile, free_ports};
use serde_json::Value;

/// How long a start or an expected change may take on a slow machine; nothing is asserted about how fast it is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running `icegate`, killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) otlp_http: u16,
    pub(crate) otlp_grpc: u16,
    pub(crate) loki: u16,
    pub(crate) tempo: u16,
    pub(crate) prometheus: u16,
    pub(crate) metrics: u16,
    log: LogFile,
}

/// Which of the documented processes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// `icegate run`.
    All,
    /// `icegate ingest run`.
    Ingest,
    /// `icegate shift run`.
    Shift,
    /// `icegate query run`.
    Query,
}

impl Part {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::All => &["run", "-c"],
            Self::Ingest => &["ingest", "run", "-c"],
            Self::Shift => &["shift", "run", "-c"],
            Self::Query => &["query", "run", "-c"],
        }
    }
}

/// What differs between tests on plain files in the process's configuration.
pub(crate) struct Settings<'a> {
    pub(crate) data: &'a Path,
    /// How often the WAL is shifted; long leaves everything in the WAL.
    pub(crate) shift_interval_ms: u64,
    /// Variables that override single keys.
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

impl Process {
    /// Starts the whole system in one process, on plain files, and waits until it answers.
    pub(crate) async fn start(settings: &Settings<'_>) -> Self {
        Self::start_as(Part::All, settings).await
    }

    /// Starts one of the processes, on plain files, and waits until it answers.
    pub(crate) async fn start_as(part: Part, settings: &Settings<'_>) -> Self {
        Self::start_part(part, settings, &files_text(settings.data), free_ports()).await
    }

    /// Starts one of the processes on the stores of a configuration, and waits until it answers. The data folder holds the
    /// configuration; the ports are those of OTLP over HTTP and gRPC, Loki, Tempo, Prometheus and metrics.
    pub(crate) async fn start_part(part: Part, settings: &Settings<'_>, stores: &str, ports: [u16; 6]) -> Self {
        let mut process = Self::spawn_part(part, settings, stores, ports);
        process.wait_until_ready(part).await;
        process
    }

    /// Starts one of the processes, on plain files, which may not be ready yet.
    pub(crate) fn spawn(part: Part, settings: &Settings<'_>) -> Self {
        Self::spawn_part(part, settings, &files_text(settings.data), free_ports())
    }

    fn spawn_part(part: Part, settings: &Settings<'_>, stores: &str, ports: [u16; 6]) -> Self {
        let [otlp_http, otlp_grpc, loki, tempo, prometheus, metrics] = ports;
        // Several processes may share the folder.
        let config = settings.data.join(format!("icegate-{metrics}.yaml"));
        std::fs::write(&config, format!("{stores}{}", servers_text(settings, ports))).unwrap();
        let mut command = icegate(part.arguments());
        let log = LogFile::new();
        command.arg(&config).envs(settings.variables.iter().copied()).stderr(log.stdio()).stdout(log.stdio());
        let child = command.spawn().unwrap();
        Self { child, otlp_http, otlp_grpc, loki, tempo, prometheus, metrics, log }
    }

    /// Waits until the process answers on the ports that it opens.
    pub(crate) async fn wait_until_ready(&mut self, part: Part) {
        let (ready, health) = (format!("{}/ready", self.loki), format!("{}/health", self.otlp_http));
        let metrics = format!("{}/metrics", self.metrics);
        let mut urls = match part {
            Part::All => vec![ready, health],
            Part::Ingest => vec![health, metrics],
            Part::Shift => vec![metrics],
            Part::Query => vec![ready, metrics],
        };
        let started = Instant::now();
        while let Some(url) = urls.last() {
            assert!(started.elapsed() < PATIENCE, "icegate was not ready:\n{}", self.log());
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("icegate ended with {status} before it was ready:\n{}", self.log());
            }
            if reqwest::get(format!("http://127.0.0.1:{url}")).await.is_ok_and(|answer| answer.status().is_success()) {
                urls.pop();
            } else {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// What the process has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, then the exit status.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap()
    }

    /// What the process counts, as one text.
    pub(crate) async fn metrics(&self) -> String {
        reqwest::get(format!("http://127.0.0.1:{}/metrics", self.metrics)).await.unwrap().text().await.unwrap()
    }

    pub(crate) fn otlp(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.otlp_http)
    }

    /// A Loki query's `data.result`; the query must succeed.
    pub(crate) async fn query(&self, tenant: &str, endpoint: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = reqwest::Client::new()
            .get(format!("http://127.0.0.1:{}/loki/api/v1/{endpoint}?{}", self.loki, encode(parameters)))
            .header("X-Scope-OrgID", tenant)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}\n{}", self.log());
        serde_json::from_str(&text).unwrap()
    }

    /// How many log rows the tenant has in all of time, by LogQL.
    pub(crate) async fn count_logs(&self, tenant: &str, selector: &str) -> u64 {
        let query = format!("sum(count_over_time({selector}[100y]))");
        let answer = self.query(tenant, "query", &[("query", &query), ("time", "4102444800")]).await;
        let result = &answer["data"]["result"];
        result.as_array().unwrap().first().map_or(0, |sample| sample["value"][1].as_str().unwrap().parse().unwrap())
    }

    /// A metric of the process now, by the start of its line; 0 where it isn't there.
    pub(crate) async fn metric(&self, line: &str) -> f64 {
        let text = self.metrics().await;
        let value = text.lines().find_map(|found| found.strip_prefix(line));
        value.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// A request body to an OTLP path; the status and text of the answer.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
        let mut request = reqwest::Client::new().post(self.otlp(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary under test with arguments.
pub(crate) fn icegate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_icegate"));
    command.args(arguments).env("RUST_LOG", "info").env_remove("OTEL_EXPORTER_OTLP_ENDPOINT").stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    icegate(arguments).output().unwrap()
}

/// The telemetry beside the conformance data, where it is.
pub(crate) fn telemetry(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ICEGATE_CONFORMANCE").map(|folder| Path::new(&folder).join("../data"));
    if found.is_none() {
        eprintln!("skipped {test}: ICEGATE_CONFORMANCE does not name the conformance data");
    }
    found
}

/// A Python with the packages of `python/requirements.txt`, where there is one.
pub(crate) fn python(test: &str) -> Option<String> {
    let found = std::env::var("ICEGATE_PYTHON").ok();
    if found.is_none() {
        eprintln!("skipped {test}: ICEGATE_PYTHON does not name a Python with local/tests/it/python/requirements.txt installed");
    }
    found
}

/// A script in `python/`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/python").join(name)
}

/// Parameters as a query string.
pub(crate) fn encode(parameters: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        for part in [name, "=", value, "&"] {
            let structural = part == "=" || part == "&";
            for byte in part.bytes() {
                if structural || byte.is_ascii_alphanumeric() {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    text
}

/// Everything in one folder.
fn files_text(data: &Path) -> String {
    let data = data.display();
    format!(
        "catalog: {{ backend: !object_store , warehouse: \"file://{data}/warehouse/\" }}\n\
         storage: {{ backend: !filesystem {{ root_path: \"{data}\" }} }}\n\
         queue: {{ common: {{ base_path: \"file://{data}/queue/\" }} }}\n"
    )
}

fn servers_text(settings: &Settings<'_>, [otlp_http, otlp_grpc, loki, tempo, prometheus, metrics]: [u16; 6]) -> String {
    let interval = settings.shift_interval_ms;
    format!(
        "shift: {{ jobsmanager: {{ poll_interval_ms: 100, iteration_interval_millisecs: {interval}, lease_secs: 1 }} }}\n\
         otlp_http: {{ host: 127.0.0.1, port: {otlp_http} }}\n\
         otlp_grpc: {{ host: 127.0.0.1, port: {otlp_grpc} }}\n\
         loki: {{ host: 127.0.0.1, port: {loki} }}\n\
         tempo: {{ host: 127.0.0.1, port: {tempo} }}\n\
         prometheus: {{ host: 127.0.0.1, port: {prometheus} }}\n\
         metrics: {{ enabled: true, host: 127.0.0.1, port: {metrics} }}\n"
    )
}
