use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::latency::Latencies;
use super::reply::Accepted;
use super::summary::{Acks, Summary};

/// Most texts of one kind that a summary shows.
const MAX_TEXTS: usize = 5;
/// Most characters of each.
const MAX_LENGTH: usize = 300;

/// Adds up what came of the requests of all workers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sums: Summary,
    latencies: Latencies,
}

impl Tally {
    /// A request was acknowledged, `latency` after its last attempt began.
    pub(crate) fn acked(&self, rows: u64, bytes: u64, accepted: &Accepted, latency: Duration) {
        let mut counts = self.lock();
        counts.latencies.record(latency);
        let sums = &mut counts.sums;
        let refused = accepted.refused.min(rows);
        sums.requests_ok += 1;
        sums.rows_accepted += rows - refused;
        sums.rows_refused += refused;
        sums.raw_bytes += bytes;
        note(&mut sums.refusals, &accepted.message);
    }

    /// A request goes again.
    pub(crate) fn retried(&self) {
        self.lock().sums.retries += 1;
    }

    /// A request was given up.
    pub(crate) fn failed(&self, rows: u64, reason: &str) {
        let sums = &mut self.lock().sums;
        sums.requests_failed += 1;
        sums.rows_failed += rows;
        note(&mut sums.failures, reason);
    }

    /// The sums of a run that took so long.
    pub(crate) fn summary(&self, elapsed: Duration) -> Summary {
        let counts = self.lock();
        let percentile = |percent| counts.latencies.percentile(percent);
        let acks = Acks { p50: percentile(50), p90: percentile(90), p99: percentile(99), max: counts.latencies.max() };
        Summary { elapsed, acks, ..counts.sums.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(texts: &mut Vec<String>, text: &str) {
    let text: String = text.chars().take(MAX_LENGTH).collect();
    if !text.is_empty() && texts.len() < MAX_TEXTS && !texts.contains(&text) {
        texts.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_accepted_refused_or_failed_and_texts_are_kept_once() {
        let tally = Tally::default();
        let partly = Accepted { refused: 2, message: "bad id".to_owned() };
        tally.acked(10, 1_000, &partly, Duration::from_millis(3));
        tally.acked(10, 1_000, &partly, Duration::from_millis(5));
        tally.acked(5, 500, &Accepted::default(), Duration::from_millis(7));
        tally.retried();
        (0..10).for_each(|number| tally.failed(1, &format!("reason {}", number / 2)));
        let summary = tally.summary(Duration::from_secs(2));
        assert_eq!((summary.requests_ok, summary.requests_failed, summary.retries), (3, 10, 1));
        assert_eq!((summary.rows_accepted, summary.rows_refused, summary.rows_failed), (21, 4, 10));
        assert_eq!(summary.raw_bytes, 2_500);
        assert_eq!(summary.refusals, ["bad id"]);
        assert_eq!(summary.failures.len(), 5);
        assert_eq!(summary.acks.max, Duration::from_millis(7));
    }
}
