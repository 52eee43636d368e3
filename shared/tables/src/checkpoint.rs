//! What a checkpoint keeps of the ledgers before it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use icegate_model::Timestamp;

use crate::ledger::{History, RecordedLedger};
use crate::tables::CLOCK_SKEW;

/// Requests are remembered for a segment that waits to be shifted, but not longer than this: a segment that can't be read waits
/// forever.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a listing of a table's WAL found, which decides what has to be remembered of old commits.
#[derive(Clone, Debug, Default)]
pub struct InWal {
    /// The time before the listing began, by the store's clock ([`Tables::ask_time`](crate::Tables::ask_time)).
    pub at: Timestamp,
    /// When each segment that was listed was made, by its name.
    pub segments: HashMap<String, Timestamp>,
}

impl InWal {
    /// When the oldest of the segments was made; the time of the listing where there are none.
    pub(crate) fn oldest(&self) -> Timestamp {
        self.segments.values().copied().min().unwrap_or(self.at).min(self.at)
    }

    /// From which commit time on everything is remembered, in whole milliseconds as commit times are.
    pub(crate) fn whole_since(&self, horizon: Duration) -> Timestamp {
        Timestamp::from_millis((self.at - horizon - CLOCK_SKEW).millis())
    }

    /// What of these ledgers is still to be remembered. Within the horizon that is everything. Beyond it: the segments that are
    /// still in the WAL, and the requests that a segment in the WAL may repeat.
    pub(crate) fn needed(&self, history: &[History], horizon: Duration) -> Vec<History> {
        let whole_since = self.whole_since(horizon);
        let requests_since = self.oldest().max(self.at - LONGEST_WAIT) - horizon - CLOCK_SKEW;
        let needed = history.iter().filter_map(|(url, ledger)| {
            if ledger.committed >= whole_since {
                return Some((url.clone(), Arc::clone(ledger)));
            }
            let listed = ledger.segments.iter().filter(|name| self.segments.contains_key(name.as_ref()));
            let segments: HashSet<_> = listed.map(Arc::clone).collect();
            let requests = if ledger.committed >= requests_since { ledger.requests.clone() } else { HashSet::new() };
            if segments.is_empty() && requests.is_empty() {
                return None;
            }
            let (entry, committed) = (ledger.entry.clone(), ledger.committed);
            let (previous, checkpoint, whole_since) = (Vec::new(), None, None);
            let kept = RecordedLedger { entry, committed, segments, requests, previous, checkpoint, whole_since };
            Some((url.clone(), Arc::new(kept)))
        });
        needed.collect()
    }
}

#[cfg(test)]
mod tests {
    use icegate_model::RequestId;

    use super::*;
    use crate::ledger::Entry;

    const HORIZON: Duration = Duration::from_secs(24 * 3600);

    fn hours(hours: i64) -> Timestamp {
        Timestamp::from_secs(hours * 3600)
    }

    fn ledger(at_hours: i64, segments: &[&str], requests: &[u128]) -> History {
        let committed = hours(at_hours);
        let committed_millis = committed.millis();
        let entry = Entry { commit: String::new(), snapshot_id: 1, committed_millis, rows_before: 0, rows_added: 0 };
        let segments = segments.iter().map(|name| Arc::from(*name)).collect();
        let requests = requests.iter().copied().map(RequestId).collect();
        let (previous, checkpoint, whole_since) = (Vec::new(), None, None);
        let ledger = RecordedLedger { entry, committed, segments, requests, previous, checkpoint, whole_since };
        (format!("l{at_hours}"), Arc::new(ledger))
    }

    fn in_wal(at_hours: i64, segments: &[(&str, i64)]) -> InWal {
        let segments = segments.iter().map(|(name, made)| ((*name).to_owned(), hours(*made)));
        InWal { at: hours(at_hours), segments: segments.collect() }
    }

    /// URL, segments and requests of each ledger that is kept.
    fn needed(in_wal: &InWal, ledgers: &[History]) -> Vec<(String, Vec<String>, Vec<u128>)> {
        let kept = in_wal.needed(ledgers, HORIZON).into_iter().map(|(url, ledger)| {
            let mut segments: Vec<_> = ledger.segments.iter().map(ToString::to_string).collect();
            segments.sort();
            (url, segments, ledger.requests.iter().map(|request| request.0).collect())
        });
        kept.collect()
    }

    fn kept(url: &str, segments: &[&str], requests: &[u128]) -> (String, Vec<String>, Vec<u128>) {
        (url.to_owned(), segments.iter().map(|name| (*name).to_owned()).collect(), requests.to_vec())
    }

    #[test]
    fn within_the_horizon_everything_is_needed() {
        let ledgers = [ledger(99, &["a"], &[1]), ledger(80, &[], &[]), ledger(76, &["b"], &[2])];
        let all = [kept("l99", &["a"], &[1]), kept("l80", &[], &[]), kept("l76", &["b"], &[2])];
        assert_eq!(needed(&in_wal(100, &[]), &ledgers), all);
    }

    #[test]
    fn beyond_the_horizon_only_segments_that_are_in_the_wal_and_requests_that_they_may_repeat_are_needed() {
        let ledgers = [ledger(75, &["kept", "gone"], &[1]), ledger(60, &["gone too"], &[2]), ledger(40, &["x"], &[3])];
        assert_eq!(needed(&in_wal(100, &[]), &ledgers), []);
        // A segment that was made at hour 80 may repeat a request of hour 56 and later.
        let expected = [kept("l75", &["kept"], &[1]), kept("l60", &[], &[2])];
        assert_eq!(needed(&in_wal(100, &[("kept", 80)]), &ledgers), expected);
    }

    #[test]
    fn a_segment_that_waits_forever_does_not_keep_requests_forever() {
        let ledgers = [ledger(500, &["stuck"], &[1])];
        // Seven days and the horizon are 192 hours.
        assert_eq!(needed(&in_wal(690, &[("stuck", 500)]), &ledgers), [kept("l500", &["stuck"], &[1])]);
        assert_eq!(needed(&in_wal(700, &[("stuck", 500)]), &ledgers), [kept("l500", &["stuck"], &[])]);
    }
}
