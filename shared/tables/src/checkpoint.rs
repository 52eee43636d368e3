//! The ledgers of many commits in one object, so that their snapshots can go.
//!
//! ```json
//! {"format-version": 1, "commits": [{"at-millis": 1767225600000, "segments": ["…"], "requests": ["32 hexadecimal digits"]}]}
//! ```
//!
//! A snapshot that changes no row names the object in its summary as `icegate.ledger-checkpoint`. It stands for all ledgers before
//! it in the history, and for no other history: who goes back to an older snapshot sees that one's ledgers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use iceberg::spec::SnapshotRef;
use icegate_model::{Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Tables;
use crate::error::{TablesError, corrupt};
use crate::ledger::{FORMAT_VERSION, RecordedLedger, check_format, recorded};
use crate::tables::CLOCK_SKEW;

/// Key of a snapshot's summary: the URL of its checkpoint.
pub(crate) const CHECKPOINT_KEY: &str = "icegate.ledger-checkpoint";
/// Requests are remembered for a segment that waits to be shifted, but not longer than this: a segment that can't be read waits
/// forever.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Ledgers, each with its commit's time, newest first.
pub(crate) type Checkpoint = Vec<(Timestamp, Arc<RecordedLedger>)>;

/// What a listing of a table's WAL found, which decides what has to be remembered of old commits.
#[derive(Clone, Debug, Default)]
pub struct InWal {
    /// The time before the listing began.
    pub at: Timestamp,
    /// When each segment that was listed was made, by its name.
    pub segments: HashMap<String, Timestamp>,
}

impl InWal {
    /// When the oldest of the segments was made; the time of the listing where there are none.
    pub(crate) fn oldest(&self) -> Timestamp {
        self.segments.values().copied().min().unwrap_or(self.at).min(self.at)
    }

    /// What of these ledgers is still to be remembered. Within the horizon that is everything. Beyond it: the segments that are
    /// still in the WAL, and the requests that a segment in the WAL may repeat.
    pub(crate) fn needed(&self, ledgers: Checkpoint, horizon: Duration) -> Checkpoint {
        let whole_since = self.at - horizon - CLOCK_SKEW;
        let requests_since = self.oldest().max(self.at - LONGEST_WAIT) - horizon - CLOCK_SKEW;
        let needed = ledgers.into_iter().filter_map(|(at, ledger)| {
            if at >= whole_since {
                return Some((at, ledger));
            }
            let segments = ledger.segments.iter().filter(|name| self.segments.contains_key(name.as_ref())).map(Arc::clone);
            let requests = if at >= requests_since { ledger.requests.clone() } else { HashSet::new() };
            let ledger = RecordedLedger { segments: segments.collect(), requests };
            (ledger != RecordedLedger::default()).then(|| (at, Arc::new(ledger)))
        });
        needed.collect()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CheckpointObject {
    format_version: u32,
    commits: Vec<CommitObject>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct CommitObject {
    /// Of the snapshot, which is what Iceberg keeps of a commit's time.
    at_millis: i64,
    segments: Vec<String>,
    requests: Vec<String>,
}

/// URL of a snapshot's checkpoint.
pub(crate) fn checkpoint_of(snapshot: &SnapshotRef) -> Option<&str> {
    snapshot.summary().additional_properties.get(CHECKPOINT_KEY).map(String::as_str)
}

/// The object's bytes: the same for the same ledgers.
pub(crate) fn encode(table: Table, checkpoint: &Checkpoint) -> Result<Bytes, TablesError> {
    let commits = checkpoint.iter().map(|(at, ledger)| {
        let mut segments: Vec<String> = ledger.segments.iter().map(ToString::to_string).collect();
        let mut requests: Vec<String> = ledger.requests.iter().map(ToString::to_string).collect();
        segments.sort_unstable();
        requests.sort_unstable();
        CommitObject { at_millis: at.millis(), segments, requests }
    });
    let object = CheckpointObject { format_version: FORMAT_VERSION, commits: commits.collect() };
    let bytes = serde_json::to_vec(&object).map_err(|source| TablesError::Json { table, what: "a checkpoint", source })?;
    Ok(Bytes::from(bytes))
}

fn decode(url: &str, bytes: &[u8]) -> Result<Checkpoint, TablesError> {
    let object: CheckpointObject = serde_json::from_slice(bytes).map_err(|error| corrupt(url, error))?;
    check_format(url, object.format_version)?;
    let commits = object.commits.into_iter().map(|commit| {
        let ledger = recorded(url, commit.segments, &commit.requests)?;
        Ok((Timestamp::from_millis(commit.at_millis), Arc::new(ledger)))
    });
    commits.collect()
}

impl Tables {
    /// A checkpoint, read once and then kept.
    pub(crate) async fn checkpoint(&self, table: Table, url: &str) -> Result<Arc<Checkpoint>, TablesError> {
        let known = &self.state(table).checkpoints;
        if let Some(checkpoint) = known.get(url) {
            return Ok(checkpoint);
        }
        let bytes = self.layout().read(&self.layout().path_of(url)?).await?;
        Ok(known.insert(url, decode(url, &bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use icegate_model::RequestId;

    use super::*;

    const HORIZON: Duration = Duration::from_secs(24 * 3600);

    fn ledger(at_hours: i64, segments: &[&str], requests: &[u128]) -> (Timestamp, Arc<RecordedLedger>) {
        let segments = segments.iter().map(|name| Arc::from(*name)).collect();
        let requests = requests.iter().copied().map(RequestId).collect();
        (Timestamp::from_secs(at_hours * 3600), Arc::new(RecordedLedger { segments, requests }))
    }

    fn in_wal(at_hours: i64, segments: &[(&str, i64)]) -> InWal {
        let segments = segments.iter().map(|(name, hours)| ((*name).to_owned(), Timestamp::from_secs(hours * 3600)));
        InWal { at: Timestamp::from_secs(at_hours * 3600), segments: segments.collect() }
    }

    #[test]
    fn a_checkpoint_reads_back_as_it_was_written() {
        let checkpoint = vec![ledger(2, &["b", "a"], &[1]), ledger(1, &[], &[31])];
        let bytes = encode(Table::Logs, &checkpoint).unwrap();
        let text = concat!(
            r#"{"format-version":1,"commits":["#,
            r#"{"at-millis":7200000,"segments":["a","b"],"requests":["00000000000000000000000000000001"]},"#,
            r#"{"at-millis":3600000,"segments":[],"requests":["0000000000000000000000000000001f"]}]}"#,
        );
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(decode("u", &bytes).unwrap(), checkpoint);
    }

    #[test]
    fn a_checkpoint_of_a_later_format_or_with_a_wrong_request_is_refused() {
        let error = decode("u", br#"{"format-version":2,"commits":[]}"#).unwrap_err();
        assert_eq!(error.to_string(), "u is corrupt: ledger format version 2, known is 1");
        let wrong = br#"{"format-version":1,"commits":[{"at-millis":1,"segments":[],"requests":["x"]}]}"#;
        assert_eq!(decode("u", wrong).unwrap_err().to_string(), r#"u is corrupt: request id "x""#);
    }

    #[test]
    fn within_the_horizon_everything_is_needed() {
        let ledgers = vec![ledger(99, &["a"], &[1]), ledger(76, &["b"], &[2])];
        assert_eq!(in_wal(100, &[]).needed(ledgers.clone(), HORIZON), ledgers);
    }

    #[test]
    fn beyond_the_horizon_only_segments_that_are_in_the_wal_and_requests_that_they_may_repeat_are_needed() {
        let ledgers = vec![ledger(75, &["kept", "gone"], &[1]), ledger(60, &["gone too"], &[2]), ledger(40, &["x"], &[3])];
        assert_eq!(in_wal(100, &[]).needed(ledgers.clone(), HORIZON), []);
        // A segment that was made at hour 80 may repeat a request of hour 56 and later.
        let needed = in_wal(100, &[("kept", 80)]).needed(ledgers, HORIZON);
        assert_eq!(needed, [ledger(75, &["kept"], &[1]), ledger(60, &[], &[2])]);
    }

    #[test]
    fn a_segment_that_waits_forever_does_not_keep_requests_forever() {
        let ledgers = vec![ledger(500, &["stuck"], &[1])];
        // Seven days and the horizon are 192 hours.
        assert_eq!(in_wal(690, &[("stuck", 500)]).needed(ledgers.clone(), HORIZON), ledgers);
        assert_eq!(in_wal(700, &[("stuck", 500)]).needed(ledgers, HORIZON), [ledger(500, &["stuck"], &[])]);
    }
}
