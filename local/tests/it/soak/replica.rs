use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use icegate_testkit::free_ports;

use super::wire::Wire;
use crate::backend::Backend;
use crate::process::{PATIENCE, icegate};

/// What a process of the running system is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Ingest,
    Shift,
    Query,
    /// A query process that reads the tables alone.
    TablesOnly,
    /// Expires snapshots and sweeps orphans once a second.
    Maintain,
}

impl Role {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Shift => "shift",
            Self::Query => "query",
            Self::TablesOnly => "tables",
            Self::Maintain => "maintain",
        }
    }
}

/// One of the system's processes, which is killed and started anew, each time on other ports.
pub(super) struct Replica {
    pub(super) role: Role,
    pub(super) number: usize,
    /// OTLP over HTTP and over gRPC; of an ingest process alone.
    pub(super) wires: [Arc<Wire>; 2],
    backend: Arc<Backend>,
    /// The configuration's sections on storage.
    stores: String,
    child: Mutex<Option<Child>>,
    loki: AtomicU16,
    metrics: AtomicU16,
    restarts: AtomicU64,
    /// Most memory of any incarnation, in KiB.
    peak: AtomicU64,
    /// Counters of the incarnation that runs, as last seen, and the sums of those before.
    counters: Mutex<[BTreeMap<String, u64>; 2]>,
}

impl Replica {
    pub(super) async fn new(role: Role, number: usize, backend: &Arc<Backend>) -> Arc<Self> {
        Self::with_stores(role, number, backend, backend.stores().to_owned()).await
    }

    /// A process that finds the stores of `backend` at other addresses.
    pub(super) async fn with_stores(role: Role, number: usize, backend: &Arc<Backend>, stores: String) -> Arc<Self> {
        Arc::new(Self {
            stores,
            role,
            number,
            wires: [Arc::new(Wire::new().await), Arc::new(Wire::new().await)],
            backend: Arc::clone(backend),
            child: Mutex::default(),
            loki: AtomicU16::new(0),
            metrics: AtomicU16::new(0),
            restarts: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            counters: Mutex::default(),
        })
    }

    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.role.name(), self.number)
    }

    pub(super) fn loki(&self) -> u16 {
        self.loki.load(Ordering::SeqCst)
    }

    /// Starts the process and doesn't wait for it.
    pub(super) fn start(&self) {
        let ports = free_ports();
        let [otlp_http, otlp_grpc, loki, metrics] = ports;
        let config = self.backend.folder().join(format!("{}.yaml", self.name()));
        std::fs::write(&config, self.config(ports)).unwrap();
        let arguments = [self.subcommand(), "run", "-c", config.to_str().unwrap()];
        let log = self.log_file();
        let mut command = icegate(&arguments);
        command.envs(self.backend.variables().iter().cloned()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        self.wires[0].lead_to(otlp_http);
        self.wires[1].lead_to(otlp_grpc);
        self.loki.store(loki, Ordering::SeqCst);
        self.metrics.store(metrics, Ordering::SeqCst);
        *self.child.lock().unwrap() = Some(child);
    }

    fn subcommand(&self) -> &'static str {
        match self.role {
            Role::TablesOnly => Role::Query.name(),
            role => role.name(),
        }
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.backend.folder().join(format!("{}.log", self.name()))
    }

    /// The end of what all incarnations have logged.
    pub(super) fn log(&self) -> String {
        const LINES: usize = 40;
        let text = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        format!("{}:\n{}", self.name(), lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }

    fn config(&self, [otlp_http, otlp_grpc, loki, metrics]: [u16; 4]) -> String {
        // Segments are deleted while the run goes on, and the shift commits about once a second; a lease that ends soon lets the
        // shift of a killed process go on, and two processes work on the same segments now and then. What reads the tables alone stays
        // on a snapshot for long enough to be asked several times.
        format!(
            "{}\
             shift: {{ enabled: false, grace_secs: 90, jobsmanager: {{ poll_interval_ms: 100, iteration_interval_millisecs: 1000, lease_secs: 1 }} }}\n\
             maintain: {{ interval_secs: 1, snapshot_retention_secs: 81, min_snapshots_to_keep: 2, orphan_grace_secs: 7200 }}\n\
             engine: {{ wal_query_enabled: {}, refresh_interval_secs: 20, max_age_secs: 20 }}\n\
             otlp_http: {{ host: 127.0.0.1, port: {otlp_http} }}\n\
             otlp_grpc: {{ host: 127.0.0.1, port: {otlp_grpc} }}\n\
             loki: {{ host: 127.0.0.1, port: {loki}, query_timeout_secs: 60, max_query_series: 100000 }}\n\
             tempo: {{ enabled: false }}\n\
             prometheus: {{ enabled: false }}\n\
             metrics: {{ enabled: true, host: 127.0.0.1, port: {metrics} }}\n",
            self.stores,
            self.role != Role::TablesOnly,
        )
    }

    /// Waits until the process answers.
    pub(super) async fn ready(&self) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            self.check_runs();
            // It serves nothing.
            if self.role == Role::Maintain {
                return;
            }
            if reqwest::get(self.metrics_url()).await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not ready: {}", self.log());
    }

    fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics.load(Ordering::SeqCst))
    }

    /// A process that ends by itself is a failure, unless it says that somebody took its port in the moment before it had it, or
    /// that it can't start because the store doesn't answer in time; who supervises it then starts it anew, as this does.
    pub(super) fn check_runs(&self) {
        let ended = self.child.lock().unwrap().as_mut().and_then(|child| child.try_wait().unwrap());
        if let Some(status) = ended {
            let log = self.log();
            let said = log.lines().last().filter(|line| line.starts_with("icegate: "));
            assert!(said.is_some_and(|line| line.contains("in use") || line.contains("did not answer")), "{status}, {log}");
            self.restarts.fetch_add(1, Ordering::SeqCst);
            self.start();
        }
    }

    /// How often the process could not start.
    pub(super) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::SeqCst)
    }

    /// `kill -9`.
    pub(super) fn kill(&self) {
        self.measure();
        let child = self.child.lock().unwrap().take();
        if let Some(mut child) = child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let mut counters = self.counters.lock().unwrap();
        let [now, before] = &mut *counters;
        for (name, count) in std::mem::take(now) {
            *before.entry(name).or_default() += count;
        }
    }

    /// SIGTERM; the process has to end well.
    pub(super) fn stop(&self) {
        self.measure();
        let Some(mut child) = self.child.lock().unwrap().take() else { return };
        Command::new("kill").arg(child.id().to_string()).stdout(Stdio::null()).status().unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}, {}", self.log());
    }

    /// Notes how much memory the process has had.
    pub(super) fn measure(&self) {
        let id = self.child.lock().unwrap().as_ref().map(Child::id);
        let status = id.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/status")).ok()).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        self.peak.fetch_max(peak.unwrap_or(0), Ordering::SeqCst);
    }

    pub(super) fn peak_mib(&self) -> u64 {
        self.peak.load(Ordering::SeqCst) >> 10
    }

    /// Reads the process's counters, where it answers.
    pub(super) async fn scrape(&self) {
        let Ok(answer) = reqwest::get(self.metrics_url()).await else { return };
        let text = answer.text().await.unwrap_or_default();
        let mut counters = self.counters.lock().unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, Ok(count))) = line.rsplit_once(' ').map(|(name, count)| (name, count.parse())) else { continue };
            counters[0].insert(name.to_owned(), count);
        }
    }

    /// How many rows of logs the process that runs has shifted, where it answers.
    pub(super) async fn shifted(&self) -> Option<u64> {
        let text = reqwest::get(self.metrics_url()).await.ok()?.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix("icegate_shift_rows_total{table=\"logs\"} ")?.parse().ok())
    }

    /// Sum of a counter over its labels and all incarnations, as far as they were seen.
    pub(super) fn counted(&self, name: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        let named = |given: &str| given.split('{').next() == Some(name);
        counters.iter().flatten().filter(|(given, _)| named(given)).map(|(_, count)| count).sum()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(child) = self.child.get_mut().unwrap() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
