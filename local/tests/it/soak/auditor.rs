use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::replica::Replica;
use super::sender::{ROWS, START_SECS, Sender};
use crate::process::{PATIENCE, encode};

/// Rows of one query of an audit.
const WINDOW: u64 = 2_000;

/// Why a query has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The process went away, or wasn't there.
    Gone,
    /// It said that it can't answer, or not in full.
    Refused(String),
}

/// What an audit found; the ids are those of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) acknowledged: u64,
    pub(super) found: u64,
    /// Rows found of requests without an acknowledgement.
    pub(super) unacknowledged: u64,
    pub(super) lost: Vec<String>,
    pub(super) doubled: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.found += other.found;
        self.unacknowledged += other.unacknowledged;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
    }

    pub(super) fn assert_none(&self, when: &str) {
        let some = |ids: &[String]| ids.iter().take(20).cloned().collect::<Vec<_>>();
        assert!(self.lost.is_empty(), "{when}: {} acknowledged rows are missing: {:?}", self.lost.len(), some(&self.lost));
        assert!(self.doubled.is_empty(), "{when}: {} rows are there twice: {:?}", self.doubled.len(), some(&self.doubled));
    }
}

/// Compares what `process` answers with what was acknowledged before it was asked: the rows of `numbers`.
pub(super) async fn audit(process: &Replica, sender: &Sender, numbers: Range<u64>) -> Result<Findings, NoAnswer> {
    let acknowledged = sender.acknowledged();
    let found = counts(process, sender, numbers.clone()).await?;
    let mut findings = Findings::default();
    for number in numbers {
        let id = format!("{}-{number}", sender.number);
        let is_acknowledged = acknowledged.contains_key(&(number / ROWS));
        let count = found.get(&number).copied().unwrap_or(0);
        findings.acknowledged += u64::from(is_acknowledged);
        findings.found += count;
        match (is_acknowledged, count) {
            (true, 0) => findings.lost.push(id),
            (_, 0 | 1) => findings.unacknowledged += u64::from(!is_acknowledged) * count,
            _ => findings.doubled.push(id),
        }
    }
    Ok(findings)
}

/// Audits everything that a client sent.
pub(super) async fn audit_all(process: &Replica, sender: &Sender) -> Findings {
    let newest = sender.acknowledged().last_key_value().map_or(0, |(request, _)| *request);
    // Requests that were under way at the end have later numbers.
    let end = newest * ROWS + WINDOW;
    let mut findings = Findings::default();
    for first in (0..end).step_by(usize::try_from(WINDOW).unwrap()) {
        findings.add(insist(process, || audit(process, sender, first..first + WINDOW)).await);
    }
    findings
}

/// An answer, at the latest when a slow store has had its time; nobody kills the process meanwhile.
pub(super) async fn insist<T, F: Future<Output = Result<T, NoAnswer>>>(process: &Replica, ask: impl Fn() -> F) -> T {
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(why) => assert!(started.elapsed() < PATIENCE, "{why:?}: {}", process.log()),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Row -> how often it is there.
async fn counts(process: &Replica, sender: &Sender, numbers: Range<u64>) -> Result<BTreeMap<u64, u64>, NoAnswer> {
    let query = format!("sum by (send_id) (count_over_time({{service_name=~\".+\"}}[{}ms]))", numbers.end - numbers.start);
    // Row n lies n milliseconds after the start, and the range is open at its early end.
    let time = START_SECS * 1_000_000_000 + (numbers.end - 1) * 1_000_000;
    let answer = ask(process, &sender.tenant, "query", &[("query", &query), ("time", &time.to_string())]).await?;
    let mut counts = BTreeMap::new();
    for sample in answer["data"]["result"].as_array().unwrap() {
        let id = sample["metric"]["send_id"].as_str().unwrap_or_else(|| panic!("a row without an id: {sample}"));
        let (seed, number) = id.split_once('-').unwrap();
        assert_eq!(seed, sender.number.to_string(), "a row of another tenant in the answer to {}: {sample}", sender.tenant);
        counts.insert(number.parse().unwrap(), sample["value"][1].as_str().unwrap().parse().unwrap());
    }
    Ok(counts)
}

/// A query's answer.
pub(super) async fn ask(process: &Replica, tenant: &str, endpoint: &str, parameters: &[(&str, &str)]) -> Result<Value, NoAnswer> {
    let url = format!("http://127.0.0.1:{}/loki/api/v1/{endpoint}?{}", process.loki(), encode(parameters));
    let sent = reqwest::Client::new().get(url).header("X-Scope-OrgID", tenant).send().await;
    let answer = sent.map_err(|_| NoAnswer::Gone)?;
    let status = answer.status();
    let text = answer.text().await.map_err(|_| NoAnswer::Gone)?;
    if !status.is_success() {
        return Err(NoAnswer::Refused(format!("{status} {text}")));
    }
    let answer: Value = serde_json::from_str(&text).unwrap();
    match answer["warnings"].as_array() {
        Some(warnings) if !warnings.is_empty() => Err(NoAnswer::Refused(format!("with warnings: {warnings:?}"))),
        _ => Ok(answer),
    }
}
