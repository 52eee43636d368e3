//! Which segments and requests each commit put into a table.
//!
//! A ledger object is JSON, written before the swap that names it:
//!
//! ```json
//! {"format-version": 1, "at-micros": 1767225600000000, "segments": ["…"], "requests": ["32 hexadecimal digits"]}
//! ```
//!
//! The ledgers of old snapshots are gathered in a [`checkpoint`](crate::checkpoint); the history of ledgers ends there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{SnapshotRef, TableMetadata};
use icegate_model::{RequestId, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Tables;
use crate::checkpoint::checkpoint_of;
use crate::error::{TablesError, corrupt};

/// Key of a snapshot's summary: the URL of its ledger.
pub(crate) const LEDGER_KEY: &str = "icegate.ledger";
/// Key of a snapshot's summary: the commit's id.
pub(crate) const COMMIT_KEY: &str = "icegate.commit";

pub(crate) const FORMAT_VERSION: u32 = 1;
/// Ledgers and manifests fetched at once.
pub(crate) const CONCURRENT_READS: usize = 16;

/// What a commit takes out of the WAL's future.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Names of the segments that need no further shifting of this table, whether they gave rows or only duplicates.
    pub segments: Vec<String>,
    /// Requests whose rows are in this commit's files. A request that was dropped as a duplicate is not listed.
    pub requests: Vec<RequestId>,
    /// When the shift planned, which a commit must follow within [`LONGEST_COMMIT`](crate::LONGEST_COMMIT). The default means that
    /// nothing was planned before the commit began.
    pub at: Timestamp,
    /// When the oldest of the segments was made; ledgers are compared at least that far back. `None` means the horizon.
    pub oldest: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct LedgerObject {
    format_version: u32,
    at_micros: i64,
    segments: Vec<String>,
    requests: Vec<String>,
}

/// A ledger that was read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordedLedger {
    pub(crate) segments: HashSet<Arc<str>>,
    pub(crate) requests: HashSet<RequestId>,
}

/// The segments and requests that commits since [`Shifted::since`] put into the table, each with its commit's time.
#[derive(Clone, Debug, Default)]
pub struct Shifted {
    pub(crate) segments: HashMap<Arc<str>, Timestamp>,
    pub(crate) requests: HashMap<RequestId, Timestamp>,
    pub(crate) since: Timestamp,
}

impl Shifted {
    /// Whether the table holds the segment's rows.
    #[must_use]
    pub fn contains(&self, segment: &str) -> bool {
        self.segments.contains_key(segment)
    }

    /// When the segment was committed; `None` where it wasn't.
    #[must_use]
    pub fn segment(&self, segment: &str) -> Option<Timestamp> {
        self.segments.get(segment).copied()
    }

    /// When the request's rows were committed; `None` where they weren't.
    #[must_use]
    pub fn request(&self, request: RequestId) -> Option<Timestamp> {
        self.requests.get(&request).copied()
    }

    /// All segments with their commit's time, in no order.
    pub fn segments(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.segments.iter().map(|(name, at)| (name.as_ref(), *at))
    }

    /// All requests with their commit's time, in no order.
    pub fn requests(&self) -> impl Iterator<Item = (RequestId, Timestamp)> {
        self.requests.iter().map(|(id, at)| (*id, *at))
    }

    /// Commits before this may be missing.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

/// The object's bytes.
pub(crate) fn encode(table: Table, ledger: &Ledger) -> Result<Bytes, TablesError> {
    let object = LedgerObject {
        format_version: FORMAT_VERSION,
        at_micros: ledger.at.micros(),
        segments: ledger.segments.clone(),
        requests: ledger.requests.iter().map(ToString::to_string).collect(),
    };
    let bytes = serde_json::to_vec(&object).map_err(|source| TablesError::Json { table, what: "a ledger", source })?;
    Ok(Bytes::from(bytes))
}

fn decode(url: &str, bytes: &[u8]) -> Result<RecordedLedger, TablesError> {
    let object: LedgerObject = serde_json::from_slice(bytes).map_err(|error| corrupt(url, error))?;
    check_format(url, object.format_version)?;
    recorded(url, object.segments, &object.requests)
}

pub(crate) fn check_format(url: &str, version: u32) -> Result<(), TablesError> {
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(corrupt(url, format!("ledger format version {version}, known is {FORMAT_VERSION}")))
}

pub(crate) fn recorded(url: &str, segments: Vec<String>, requests: &[String]) -> Result<RecordedLedger, TablesError> {
    let requests = requests.iter().map(|text| text.parse().map_err(|_| corrupt(url, format!("request id {text:?}"))));
    Ok(RecordedLedger { requests: requests.collect::<Result<_, _>>()?, segments: segments.into_iter().map(Arc::from).collect() })
}

/// The snapshots that led to the newest one, newest first, as far as the metadata still has them.
pub(crate) fn ancestors(metadata: &TableMetadata) -> impl Iterator<Item = &SnapshotRef> {
    let parent = |snapshot: &&SnapshotRef| snapshot.parent_snapshot_id().and_then(|parent| metadata.snapshot_by_id(parent));
    // Metadata of another writer may be circular.
    std::iter::successors(metadata.current_snapshot(), parent).take(metadata.snapshots().len())
}

/// The snapshots whose ledgers together tell what was committed at or after `since`, newest first: those that led to the newest
/// one, up to the first checkpoint, which stands for all before it.
pub(crate) fn history(metadata: &TableMetadata, since: Timestamp) -> Vec<&SnapshotRef> {
    let mut history = Vec::new();
    // Commit times never decrease along the history, so the first older one ends it.
    for snapshot in ancestors(metadata).take_while(|snapshot| committed_at(snapshot) >= since) {
        history.push(snapshot);
        if checkpoint_of(snapshot).is_some() {
            break;
        }
    }
    history
}

pub(crate) fn committed_at(snapshot: &SnapshotRef) -> Timestamp {
    Timestamp::from_millis(snapshot.timestamp_ms())
}

/// URL of a snapshot's ledger; a snapshot of another writer has none.
pub(crate) fn ledger_of(snapshot: &SnapshotRef) -> Option<&str> {
    snapshot.summary().additional_properties.get(LEDGER_KEY).map(String::as_str)
}

impl Tables {
    /// The ledgers of these snapshots and of the checkpoints among them, each with its commit's time; read once and then kept.
    pub(crate) async fn ledgers(
        &self,
        table: Table,
        snapshots: &[&SnapshotRef],
    ) -> Result<Vec<(Timestamp, Arc<RecordedLedger>)>, TablesError> {
        let reads: Vec<_> = snapshots.iter().map(|snapshot| self.ledgers_of(table, snapshot)).collect();
        stream::iter(reads).buffered(CONCURRENT_READS).try_concat().await
    }

    async fn ledgers_of(
        &self,
        table: Table,
        snapshot: &SnapshotRef,
    ) -> Result<Vec<(Timestamp, Arc<RecordedLedger>)>, TablesError> {
        let mut ledgers = Vec::new();
        if let Some(url) = ledger_of(snapshot) {
            ledgers.push((committed_at(snapshot), self.recorded_ledger(table, url).await?));
        }
        if let Some(url) = checkpoint_of(snapshot) {
            let checkpoint = self.checkpoint(table, url).await?;
            ledgers.extend(checkpoint.iter().map(|(at, ledger)| (*at, Arc::clone(ledger))));
        }
        Ok(ledgers)
    }

    async fn recorded_ledger(&self, table: Table, url: &str) -> Result<Arc<RecordedLedger>, TablesError> {
        let known = &self.state(table).ledgers;
        if let Some(ledger) = known.get(url) {
            return Ok(ledger);
        }
        let bytes = self.layout().read(&self.layout().path_of(url)?).await?;
        Ok(known.insert(url, decode(url, &bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_reads_back_as_it_was_written() {
        let ledger = Ledger {
            segments: vec!["a".to_owned(), "b".to_owned()],
            requests: vec![RequestId(31)],
            at: Timestamp::from_micros(5),
            oldest: None,
        };
        let bytes = encode(Table::Logs, &ledger).unwrap();
        let text = r#"{"format-version":1,"at-micros":5,"segments":["a","b"],"requests":["0000000000000000000000000000001f"]}"#;
        assert_eq!(bytes, text.as_bytes());
        let recorded = decode("ledger", &bytes).unwrap();
        assert!(recorded.segments.contains("a") && recorded.segments.contains("b"));
        assert!(recorded.requests.contains(&RequestId(31)));
    }

    #[test]
    fn a_ledger_of_a_later_format_is_refused() {
        let error = decode("u", br#"{"format-version":2,"at-micros":5,"segments":[],"requests":[]}"#).unwrap_err();
        assert_eq!(error.to_string(), "u is corrupt: ledger format version 2, known is 1");
    }
}
