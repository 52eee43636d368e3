use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::replica::Replica;
use crate::backend::Backend;
use crate::process::icegate;

/// Rows of a request.
pub(super) const ROWS: u64 = 5;
/// Time of row 0; row `n` is so many milliseconds later.
pub(super) const START_SECS: u64 = 1_704_067_200;
/// Requests that a restarted client sends once more although they were acknowledged.
const REPEATED: u64 = 20;

/// A client with a tenant of its own that sends numbered rows through both ingest processes.
pub(super) struct Sender {
    pub(super) number: u64,
    pub(super) tenant: String,
    arguments: Vec<String>,
    journal: PathBuf,
    log: PathBuf,
    child: Mutex<Option<Child>>,
    seen: Mutex<Seen>,
    /// By the summaries of clients that ended well.
    pub(super) retries: AtomicU64,
    pub(super) failed: AtomicU64,
}

/// What was read of the journal.
#[derive(Default)]
struct Seen {
    bytes: usize,
    /// Request -> how often it was acknowledged.
    acknowledged: BTreeMap<u64, u64>,
}

impl Sender {
    pub(super) fn new(number: u64, backend: &Backend, ingest: &[std::sync::Arc<Replica>]) -> Self {
        /// Each client speaks another way.
        const WAYS: [&str; 5] = [
            "--use-protobuf",
            "--transport grpc",
            "--compression gzip",
            "--transport grpc --compression zstd",
            "--use-protobuf --compression zstd",
        ];
        let way = WAYS[usize::try_from(number).unwrap() % WAYS.len()];
        let wire = usize::from(way.contains("grpc"));
        let mut ports: Vec<_> = ingest.iter().map(|replica| replica.wires[wire].port).collect();
        // Half of the clients begin at the other replica.
        ports.rotate_left(usize::try_from(number).unwrap() % ingest.len());
        let tenant = format!("soak-{number}");
        let journal = backend.folder().join(format!("{tenant}.journal"));
        let mut line = format!(
            "send {way} --continuous --concurrency 2 --retries 1000 --records-per-message {ROWS} --message-interval-ms 100 \
             --tenant-id {tenant} --seed {number} --start-time {START_SECS} --time-step-ms 1 --json --journal {}",
            journal.display()
        );
        for port in ports {
            line.push_str(&format!(" --endpoint http://127.0.0.1:{port}"));
        }
        Self {
            number,
            arguments: line.split_whitespace().map(str::to_owned).collect(),
            log: backend.folder().join(format!("{tenant}.log")),
            tenant,
            journal,
            child: Mutex::default(),
            seen: Mutex::default(),
            retries: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Starts the client; where one ran before it goes some acknowledged requests back, with the same bytes.
    pub(super) fn start(&self) {
        let newest = self.acknowledged().last_key_value().map_or(0, |(request, _)| *request);
        let first = (newest.saturating_sub(REPEATED) * ROWS).to_string();
        let mut arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        arguments.extend(["--start-number", &first]);
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let child = icegate(&arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        *self.child.lock().unwrap() = Some(child);
    }

    /// `kill -9`.
    pub(super) fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Lets the client finish the requests that it has under way.
    pub(super) fn stop(&self) {
        let Some(child) = self.child.lock().unwrap().take() else { return };
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{} has no {name}: {summary}", self.tenant));
        self.retries.fetch_add(count("retries"), Ordering::SeqCst);
        self.failed.fetch_add(count("requests_failed"), Ordering::SeqCst);
        // A request that the interrupt caught between two attempts was given up.
        assert!(count("requests_failed") <= 2, "{}: {summary}", self.tenant);
    }

    /// Every request that was acknowledged so far, with how often.
    pub(super) fn acknowledged(&self) -> BTreeMap<u64, u64> {
        let mut seen = self.seen.lock().unwrap();
        let text = std::fs::read(&self.journal).unwrap_or_default();
        let fresh = &text[seen.bytes..];
        let whole = fresh.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in std::str::from_utf8(&fresh[..whole]).unwrap().lines() {
            let words: Vec<_> = line.split(' ').collect();
            let [request, rows, "acked"] = words[..] else { panic!("journal of {}: {line:?}", self.tenant) };
            assert_eq!(rows, ROWS.to_string(), "no row is refused: {line}");
            *seen.acknowledged.entry(request.parse().unwrap()).or_default() += 1;
        }
        seen.bytes += whole;
        seen.acknowledged.clone()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.kill();
    }
}
