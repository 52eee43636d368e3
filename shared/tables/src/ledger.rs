//! Which segments and requests each commit put into a table.
//!
//! A ledger object is JSON, written before the swap that names it:
//!
//! ```json
//! {"format-version": 1, "at-micros": 1767225600000000, "segments": ["…"], "requests": ["32 hexadecimal digits"]}
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{SnapshotRef, TableMetadata};
use icegate_model::{RequestId, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Tables;
use crate::error::{TablesError, corrupt};

/// Key of a snapshot's summary: the URL of its ledger.
pub(crate) const LEDGER_KEY: &str = "icegate.ledger";
/// Key of a snapshot's summary: the commit's id.
pub(crate) const COMMIT_KEY: &str = "icegate.commit";

const FORMAT_VERSION: u32 = 1;
/// Ledgers and manifests fetched at once.
pub(crate) const CONCURRENT_READS: usize = 16;

/// What a commit takes out of the WAL's future.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Names of the segments that need no further shifting of this table, whether they gave rows or only duplicates.
    pub segments: Vec<String>,
    /// Requests whose rows are in this commit's files. A request that was dropped as a duplicate is not listed.
    pub requests: Vec<RequestId>,
    /// When the shift planned.
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
#[derive(Debug, Default)]
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
    if object.format_version != FORMAT_VERSION {
        return Err(corrupt(url, format!("ledger format version {}, known is {FORMAT_VERSION}", object.format_version)));
    }
    let requests = object.requests.iter().map(|text| text.parse().map_err(|_| corrupt(url, format!("request id {text:?}"))));
    Ok(RecordedLedger {
        requests: requests.collect::<Result<_, _>>()?,
        segments: object.segments.into_iter().map(Arc::from).collect(),
    })
}

/// The snapshots that led to the newest one, newest first, that were committed at or after `since`.
pub(crate) fn history(metadata: &TableMetadata, since: Timestamp) -> Vec<&SnapshotRef> {
    let mut ancestors = Vec::new();
    let mut next = metadata.current_snapshot();
    // Commit times never decrease along the history, so the first older one ends it.
    while let Some(snapshot) = next.filter(|snapshot| committed_at(snapshot) >= since) {
        ancestors.push(snapshot);
        next = snapshot.parent_snapshot_id().and_then(|parent| metadata.snapshot_by_id(parent));
    }
    ancestors
}

pub(crate) fn committed_at(snapshot: &SnapshotRef) -> Timestamp {
    Timestamp::from_millis(snapshot.timestamp_ms())
}

/// URL of a snapshot's ledger; a snapshot of another writer has none.
pub(crate) fn ledger_of(snapshot: &SnapshotRef) -> Option<&str> {
    snapshot.summary().additional_properties.get(LEDGER_KEY).map(String::as_str)
}

impl Tables {
    /// The ledgers of these snapshots, each with its snapshot, in their order; read once and then kept.
    pub(crate) async fn ledgers<'a>(
        &self,
        table: Table,
        snapshots: &[&'a SnapshotRef],
    ) -> Result<Vec<(&'a SnapshotRef, Arc<RecordedLedger>)>, TablesError> {
        let with_ledger = snapshots.iter().filter_map(|snapshot| Some((*snapshot, ledger_of(snapshot)?)));
        let reads: Vec<_> =
            with_ledger.map(|(snapshot, url)| async move { Ok((snapshot, self.recorded_ledger(table, url).await?)) }).collect();
        stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await
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
