//! Which segments and requests each commit put into a table.
//!
//! A ledger object is JSON, written before the swap that names it:
//!
//! ```json
//! {"format-version": 1, "commit": "…", "snapshot-id": 1, "committed-millis": 1767225600000, "rows-before": 0, "rows-added": 2,
//!  "at-micros": 1767225600000000, "segments": ["…"], "requests": ["32 hexadecimal digits"],
//!  "previous": [{"ledger": "s3://…/ledger/….json", "committed-millis": 1767225590000}, …]}
//! ```
//!
//! Ledgers are a chain of their own, newest first, and don't rest on old snapshots being listed: services compact and expire
//! snapshots beside us, and some REST catalogs only ever show the newest. Each ledger names several that came before it, so
//! that a reader fetches them at once.
//!
//! A **checkpoint** is a ledger that also holds what is still needed of all ledgers before it, so that a reader stops there:
//!
//! ```json
//! {"format-version": 1, "commit": "…", …, "whole-since-millis": 1767139200000, "checkpoint": [{"ledger": "s3://…/ledger/….json", "commit": "…", "snapshot-id": 1,
//!  "committed-millis": 1767225600000, "rows-before": 0, "rows-added": 2, "segments": ["…"], "requests": ["…"]}, …]}
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use iceberg::spec::{SnapshotRef, TableMetadata};
use icegate_model::{RequestId, Table, Timestamp};
use icegate_storage::is_not_found;
use serde::{Deserialize, Serialize};

use crate::Tables;
use crate::catalog::Loaded;
use crate::error::{TablesError, corrupt};
use crate::layout::Layout;

/// Key of a snapshot's summary and of the table's properties: the URL of the newest ledger.
pub(crate) const LEDGER_KEY: &str = "icegate.ledger";
/// Key of a snapshot's summary: the commit's id.
pub(crate) const COMMIT_KEY: &str = "icegate.commit";

const FORMAT_VERSION: u32 = 1;
/// Ledgers and manifests fetched at once.
pub(crate) const CONCURRENT_READS: usize = 16;
/// Ledgers that one names as those before it.
const PREVIOUS: usize = 32;

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
    /// When the newest commit happened that the plan knew ([`Shifted::newest`]). If what came after it was forgotten since, the commit is
    /// refused, however long the plan took by whatever clock.
    pub after: Option<Timestamp>,
    /// When the oldest of the segments was made; ledgers are compared at least that far back. `None` means the horizon.
    pub oldest: Option<Timestamp>,
}

/// The name under which a table's ledger names a segment of another table's WAL, from which this table has rows that are derived. No
/// segment of the table's own can have it.
#[must_use]
pub fn segment_of(other: Table, segment: &str) -> String {
    format!("{other}/{segment}")
}

/// A commit as its ledger records it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct LedgerObject {
    format_version: u32,
    #[serde(flatten)]
    entry: Entry,
    at_micros: i64,
    segments: Vec<String>,
    requests: Vec<String>,
    previous: Vec<Previous>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole_since_millis: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Vec<EarlierObject>>,
}

/// What a checkpoint keeps of a ledger before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EarlierObject {
    ledger: String,
    #[serde(flatten)]
    entry: Entry,
    segments: Vec<String>,
    requests: Vec<String>,
}

/// The commit that a ledger belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Entry {
    pub(crate) commit: String,
    pub(crate) snapshot_id: i64,
    pub(crate) committed_millis: i64,
    pub(crate) rows_before: u64,
    pub(crate) rows_added: u64,
}

/// A ledger before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Previous {
    pub(crate) ledger: String,
    pub(crate) committed_millis: i64,
}

/// A ledger that was read back.
#[derive(Debug)]
pub(crate) struct RecordedLedger {
    pub(crate) entry: Entry,
    pub(crate) committed: Timestamp,
    pub(crate) segments: HashSet<Arc<str>>,
    pub(crate) requests: HashSet<RequestId>,
    /// Newest first.
    pub(crate) previous: Vec<Previous>,
    /// What is still needed of all ledgers before this one, newest first, where it is a checkpoint.
    pub(crate) checkpoint: Option<Vec<History>>,
    /// From which commit time on a checkpoint keeps everything.
    pub(crate) whole_since: Option<Timestamp>,
}

/// The segments and requests that commits since [`Shifted::since`] put into the table, each with its commit's time.
#[derive(Clone, Debug, Default)]
pub struct Shifted {
    pub(crate) segments: HashMap<Arc<str>, Timestamp>,
    pub(crate) requests: HashMap<RequestId, Timestamp>,
    pub(crate) newest: Timestamp,
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

    /// When the newest commit happened; when the table was made, before the first.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Commits before this may be missing.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

/// The object's bytes, for a commit that follows those of `history`.
pub(crate) fn encode(table: Table, ledger: &Ledger, entry: Entry, history: &[History]) -> Result<Bytes, TablesError> {
    let object = LedgerObject {
        format_version: FORMAT_VERSION,
        entry,
        at_micros: ledger.at.micros(),
        segments: ledger.segments.clone(),
        requests: ledger.requests.iter().map(ToString::to_string).collect(),
        previous: history.first().map(|(url, newest)| before_next(url, newest)).unwrap_or_default(),
        whole_since_millis: None,
        checkpoint: None,
    };
    to_bytes(table, &object)
}

/// The bytes of a checkpoint that follows `history` and keeps `needed` of it, which is everything since `whole_since`.
pub(crate) fn encode_checkpoint(
    table: Table,
    entry: Entry,
    history: &[History],
    needed: &[History],
    whole_since: Timestamp,
) -> Result<Bytes, TablesError> {
    let earlier = needed.iter().map(|(url, ledger)| {
        let mut segments: Vec<String> = ledger.segments.iter().map(ToString::to_string).collect();
        let mut requests: Vec<String> = ledger.requests.iter().map(ToString::to_string).collect();
        segments.sort_unstable();
        requests.sort_unstable();
        EarlierObject { ledger: url.clone(), entry: ledger.entry.clone(), segments, requests }
    });
    let object = LedgerObject {
        format_version: FORMAT_VERSION,
        at_micros: Timestamp::from_millis(entry.committed_millis).micros(),
        entry,
        segments: Vec::new(),
        requests: Vec::new(),
        previous: history.first().map(|(url, newest)| before_next(url, newest)).unwrap_or_default(),
        whole_since_millis: Some(whole_since.millis()),
        checkpoint: Some(earlier.collect()),
    };
    to_bytes(table, &object)
}

fn to_bytes(table: Table, object: &LedgerObject) -> Result<Bytes, TablesError> {
    let bytes = serde_json::to_vec(object).map_err(|source| TablesError::Json { table, what: "a ledger", source })?;
    Ok(Bytes::from(bytes))
}

/// What the ledger after this one names as those before it. Nobody goes past a checkpoint but by the checkpoint itself.
fn before_next(url: &str, ledger: &RecordedLedger) -> Vec<Previous> {
    let newest = Previous { ledger: url.to_owned(), committed_millis: ledger.entry.committed_millis };
    let before: &[Previous] = if ledger.checkpoint.is_some() { &[] } else { &ledger.previous };
    std::iter::once(newest).chain(before.iter().cloned()).take(PREVIOUS).collect()
}

fn decode(url: &str, bytes: &[u8]) -> Result<RecordedLedger, TablesError> {
    let object: LedgerObject = serde_json::from_slice(bytes).map_err(|error| corrupt(url, error))?;
    if object.format_version != FORMAT_VERSION {
        return Err(corrupt(url, format!("ledger format version {}, known is {FORMAT_VERSION}", object.format_version)));
    }
    let earlier = |object: EarlierObject| -> Result<History, TablesError> {
        let ledger = recorded(url, object.entry, object.segments, &object.requests)?;
        Ok((object.ledger, Arc::new(ledger)))
    };
    let whole_since = object.whole_since_millis.map(Timestamp::from_millis);
    let checkpoint = object.checkpoint.map(|all| all.into_iter().map(earlier).collect::<Result<_, _>>()).transpose()?;
    let ledger = recorded(url, object.entry, object.segments, &object.requests)?;
    Ok(RecordedLedger { previous: object.previous, checkpoint, whole_since, ..ledger })
}

fn recorded(url: &str, entry: Entry, segments: Vec<String>, requests: &[String]) -> Result<RecordedLedger, TablesError> {
    let requests = requests.iter().map(|text| text.parse().map_err(|_| corrupt(url, format!("request id {text:?}"))));
    Ok(RecordedLedger {
        requests: requests.collect::<Result<_, _>>()?,
        segments: segments.into_iter().map(Arc::from).collect(),
        committed: Timestamp::from_millis(entry.committed_millis),
        entry,
        previous: Vec::new(),
        checkpoint: None,
        whole_since: None,
    })
}

/// URL of a snapshot's ledger; a snapshot of another writer has none.
pub(crate) fn ledger_of(snapshot: &SnapshotRef) -> Option<&str> {
    snapshot.summary().additional_properties.get(LEDGER_KEY).map(String::as_str)
}

/// URL of the newest ledger: that of the newest snapshot that has one. Where snapshots of other writers hide it, the table's
/// properties still name it.
pub(crate) fn newest_ledger(metadata: &TableMetadata) -> Option<&str> {
    let mut next = metadata.current_snapshot();
    while let Some(snapshot) = next {
        if let Some(url) = ledger_of(snapshot) {
            return Some(url);
        }
        next = snapshot.parent_snapshot_id().and_then(|parent| metadata.snapshot_by_id(parent));
    }
    metadata.properties().get(LEDGER_KEY).map(String::as_str)
}

/// A ledger and its URL.
pub(crate) type History = (String, Arc<RecordedLedger>);

/// Since when a history that ends with a checkpoint is whole; `None` where nothing was forgotten.
pub(crate) fn whole_since(history: &[History]) -> Option<Timestamp> {
    history.iter().find_map(|(_, ledger)| ledger.whole_since)
}

impl Tables {
    /// The newest ledger and those before it that were committed at or after `since`, newest first; each is read once and then
    /// kept. A checkpoint ends the history with what it keeps of those before it. A ledger that was removed ends it too: only what
    /// nobody needs any more is.
    pub(crate) async fn ledgers(&self, table: Table, loaded: &Loaded, since: Timestamp) -> Result<Vec<History>, TablesError> {
        let is_wanted = |previous: &Previous| previous.committed_millis >= since.millis();
        let mut history = self.ledger_chain(table, loaded, is_wanted, |ledger| ledger.checkpoint.is_some()).await?;
        if let Some((_, oldest)) = history.last().cloned() {
            history.extend(oldest.checkpoint.iter().flatten().cloned());
        }
        Ok(history)
    }

    /// The newest ledger and those before it, newest first, up to one that is the last or whose predecessor isn't wanted.
    pub(crate) async fn ledger_chain(
        &self,
        table: Table,
        loaded: &Loaded,
        is_wanted: impl Fn(&Previous) -> bool,
        is_last: impl Fn(&RecordedLedger) -> bool,
    ) -> Result<Vec<History>, TablesError> {
        let Some(newest) = newest_ledger(&loaded.metadata) else { return Ok(Vec::new()) };
        let layout = &loaded.layout;
        let mut chain = vec![(newest.to_owned(), self.recorded_ledger(table, layout, newest).await?)];
        while let Some((_, oldest)) = chain.last().filter(|(_, oldest)| !is_last(oldest)) {
            // Commit times never decrease along the chain, so the first older one ends it.
            let wanted: Vec<_> = oldest.previous.iter().take_while(|previous| is_wanted(previous)).cloned().collect();
            let reads: Vec<_> = wanted.iter().map(|previous| self.recorded_ledger(table, layout, &previous.ledger)).collect();
            let mut found = stream::iter(reads).buffered(CONCURRENT_READS).zip(stream::iter(&wanted));
            let known = chain.len();
            while let Some((ledger, previous)) = found.next().await {
                match ledger {
                    Ok(ledger) => chain.push((previous.ledger.clone(), ledger)),
                    Err(TablesError::Store { source, .. }) if is_not_found(&source) => return Ok(chain),
                    Err(error) => return Err(error),
                }
                if chain.last().is_some_and(|(_, ledger)| is_last(ledger)) {
                    return Ok(chain);
                }
            }
            if chain.len() == known {
                break;
            }
        }
        Ok(chain)
    }

    async fn recorded_ledger(&self, table: Table, layout: &Layout, url: &str) -> Result<Arc<RecordedLedger>, TablesError> {
        let known = &self.state(table).ledgers;
        if let Some(ledger) = known.get(url) {
            return Ok(ledger);
        }
        let bytes = layout.read(&layout.path_of(url)?).await?;
        Ok(known.insert(url, decode(url, &bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(millis: i64) -> Entry {
        Entry { commit: "c".to_owned(), snapshot_id: 4, committed_millis: millis, rows_before: 1, rows_added: 2 }
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_written() {
        let ledger = Ledger {
            segments: vec!["a".to_owned(), "b".to_owned()],
            requests: vec![RequestId(31)],
            at: Timestamp::from_micros(5),
            ..Ledger::default()
        };
        let bytes = encode(Table::Logs, &ledger, entry(9), &[]).unwrap();
        let text = concat!(
            r#"{"format-version":1,"commit":"c","snapshot-id":4,"committed-millis":9,"rows-before":1,"rows-added":2,"#,
            r#""at-micros":5,"segments":["a","b"],"requests":["0000000000000000000000000000001f"],"previous":[]}"#
        );
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), text);
        let recorded = decode("ledger", &bytes).unwrap();
        assert_eq!((&recorded.entry, recorded.committed), (&entry(9), Timestamp::from_millis(9)));
        assert!(recorded.segments.contains("a") && recorded.segments.contains("b"));
        assert!(recorded.requests.contains(&RequestId(31)));
    }

    #[test]
    fn a_ledger_names_the_newest_before_it_first_and_no_more_than_fit() {
        let mut history: Vec<History> = Vec::new();
        for number in 0..40 {
            let bytes = encode(Table::Logs, &Ledger::default(), entry(number), &history).unwrap();
            history.insert(0, (format!("l{number}"), Arc::new(decode("ledger", &bytes).unwrap())));
        }
        let previous = &history[0].1.previous;
        assert_eq!(previous.len(), 32);
        assert_eq!((&previous[0].ledger[..], previous[0].committed_millis), ("l38", 38));
        assert_eq!(previous[31].ledger, "l7");
    }

    #[test]
    fn a_checkpoint_reads_back_as_it_was_written_and_ledgers_after_it_do_not_look_past_it() {
        let first = encode(Table::Logs, &Ledger::default(), entry(1), &[]).unwrap();
        let first: History = ("l1".to_owned(), Arc::new(decode("l1", &first).unwrap()));
        let ledger =
            Ledger { segments: vec!["b".to_owned(), "a".to_owned()], requests: vec![RequestId(31)], ..Ledger::default() };
        let second = encode(Table::Logs, &ledger, entry(2), std::slice::from_ref(&first)).unwrap();
        let second: History = ("l2".to_owned(), Arc::new(decode("l2", &second).unwrap()));
        let history = [second.clone(), first];
        let bytes = encode_checkpoint(Table::Logs, entry(9), &history, &[second], Timestamp::from_millis(-3)).unwrap();
        let text = concat!(
            r#"{"format-version":1,"commit":"c","snapshot-id":4,"committed-millis":9,"rows-before":1,"rows-added":2,"#,
            r#""at-micros":9000,"segments":[],"requests":[],"#,
            r#""previous":[{"ledger":"l2","committed-millis":2},{"ledger":"l1","committed-millis":1}],"whole-since-millis":-3,"#,
            r#""checkpoint":[{"ledger":"l2","commit":"c","snapshot-id":4,"committed-millis":2,"rows-before":1,"rows-added":2,"#,
            r#""segments":["a","b"],"requests":["0000000000000000000000000000001f"]}]}"#,
        );
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), text);
        let checkpoint = Arc::new(decode("k", &bytes).unwrap());
        assert_eq!(checkpoint.whole_since, Some(Timestamp::from_millis(-3)));
        let kept = checkpoint.checkpoint.as_ref().unwrap();
        assert_eq!((&kept[0].0[..], kept[0].1.committed, kept.len()), ("l2", Timestamp::from_millis(2), 1));
        assert!(kept[0].1.segments.contains("a") && kept[0].1.requests.contains(&RequestId(31)));
        let next = encode(Table::Logs, &Ledger::default(), entry(10), &[("k".to_owned(), checkpoint)]).unwrap();
        let previous = decode("l3", &next).unwrap().previous;
        assert_eq!(previous, [Previous { ledger: "k".to_owned(), committed_millis: 9 }]);
    }

    #[test]
    fn a_ledger_of_a_later_format_is_refused() {
        let later = r#"{"format-version":2,"commit":"c","snapshot-id":4,"committed-millis":9,"rows-before":1,"rows-added":2,
            "at-micros":5,"segments":[],"requests":[],"previous":[]}"#;
        let error = decode("u", later.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "u is corrupt: ledger format version 2, known is 1");
    }
}
