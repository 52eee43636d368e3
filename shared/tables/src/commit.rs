//! Makes files visible: one snapshot, one ledger, one swap.

use std::collections::HashSet;
use std::time::Duration;

use iceberg::spec::{ManifestFile, SnapshotRef, TableMetadata};
use icegate_model::{RequestId, Table, Timestamp, UniqueId};

use crate::Tables;
use crate::catalog::{Loaded, Swap};
use crate::error::{TablesError, corrupt};
use crate::ledger::{COMMIT_KEY, Ledger, encode, history};
use crate::manifest::{check_partitions, encode_manifest, encode_manifest_list};
use crate::merge::Merged;
use crate::plan::{Counts, append, summary_of};
use crate::write::WrittenFile;

/// Longest time from a shift's plan, and from the first byte of a file, to the commit. What is older is refused: its ledger may
/// have been forgotten, its files removed as orphans ([`expire`](crate::expire), [`orphans`](crate::orphans)).
pub const LONGEST_COMMIT: Duration = Duration::from_secs(60 * 60);
/// Attempts of one commit while others commit too.
const ATTEMPTS: u32 = 30;
/// Attempts of one commit that the store fails.
const FAILURES: u32 = 5;
/// The sequence number that makes an entry inherit its snapshot's.
const INHERITED: i64 = -1;

/// What a commit adds: files that were written, and where their rows came from.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// Files of [`Tables::write_files`]; none where all rows were duplicates.
    pub files: Vec<WrittenFile>,
    /// The segments and requests that they stand for.
    pub ledger: Ledger,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The Iceberg snapshot.
    pub snapshot_id: i64,
    /// When, by the committer's clock, never before the commit that it follows.
    pub at: Timestamp,
    /// Rows of the table before.
    pub rows_before: u64,
    /// Rows added.
    pub rows_added: u64,
    /// Swaps that were tried; more than one means that others committed at the same time.
    pub attempts: u32,
}

impl Tables {
    /// Adds the files and the ledger to the table, both or neither (SHIFT-1), and checks the row counts (SHIFT-2). When this
    /// returns, the rows are visible to every reader. A crash before that leaves objects that nothing refers to.
    ///
    /// # Errors
    /// - [`TablesError::AlreadyShifted`]: a ledger names one of the segments or requests; nothing was added.
    /// - [`TablesError::Contended`], [`TablesError::Store`]: nothing was added.
    /// - [`TablesError::TooLate`]: [`LONGEST_COMMIT`] is over; nothing was added by this attempt. Plan again.
    /// - [`TablesError::OutcomeUnknown`]: it may have been added; repeating the same commit tells.
    /// - [`TablesError::RowCount`]: the table doesn't add up; nothing was added.
    pub async fn commit(&self, table: Table, append: Append) -> Result<Committed, TablesError> {
        let commit = Commit::prepare(self, table, append).await?;
        commit.run().await
    }
}

struct Commit<'a> {
    tables: &'a Tables,
    table: Table,
    append: Append,
    id: UniqueId,
    snapshot_id: i64,
    ledger_url: String,
    /// When the first of what this commit rests on came into being.
    began: Timestamp,
    /// Written once: entries inherit the sequence number of the attempt that succeeds.
    manifest: Option<ManifestFile>,
    /// Kept over attempts as long as what it replaces is still listed.
    merged: Option<Merged>,
    /// Snapshots whose ledger was compared.
    compared: HashSet<i64>,
}

enum Attempt {
    Done(Committed),
    Lost,
    Unknown(object_store::Error),
}

impl<'a> Commit<'a> {
    async fn prepare(tables: &'a Tables, table: Table, append: Append) -> Result<Self, TablesError> {
        let began = began(&append, tables.clock().now());
        let id = tables.ids().unique();
        let path = tables.layout().ledger(table, id);
        tables.layout().write(&path, encode(table, &append.ledger)?).await?;
        let ledger_url = tables.layout().url(&path);
        let snapshot_id = snapshot_id(tables.ids().unique());
        let (manifest, merged, compared) = (None, None, HashSet::new());
        Ok(Self { tables, table, append, id, snapshot_id, ledger_url, began, manifest, merged, compared })
    }

    async fn run(mut self) -> Result<Committed, TablesError> {
        let mut unknown = None;
        let mut failures = 0;
        let mut attempt = 0;
        while attempt < ATTEMPTS && failures < FAILURES {
            attempt += 1;
            match self.attempt(attempt).await {
                Ok(Attempt::Done(committed)) => return Ok(committed),
                Ok(Attempt::Lost) => {}
                Ok(Attempt::Unknown(source)) => {
                    unknown = Some(source);
                    failures += 1;
                }
                Err(error) => return Err(self.unsettled(unknown, error)),
            }
            self.tables.pause(attempt).await;
        }
        let Some(source) = unknown else {
            return Err(TablesError::Contended { table: self.table, attempts: attempt });
        };
        // A request whose reply was lost may have arrived, or may still arrive.
        match self.tables.newest(self.table).await.ok().and_then(|loaded| self.landed(&loaded, attempt)) {
            Some(committed) => Ok(committed),
            None => Err(TablesError::OutcomeUnknown { table: self.table, commit: self.id.to_string(), source }),
        }
    }

    /// After an attempt of unknown outcome, a failure to look isn't a failure to commit.
    fn unsettled(&self, unknown: Option<object_store::Error>, error: TablesError) -> TablesError {
        match (unknown, error) {
            (Some(source), TablesError::Store { .. }) => {
                TablesError::OutcomeUnknown { table: self.table, commit: self.id.to_string(), source }
            }
            (_, error) => error,
        }
    }

    async fn attempt(&mut self, attempt: u32) -> Result<Attempt, TablesError> {
        let base = self.tables.newest(self.table).await?;
        if let Some(committed) = self.landed(&base, attempt) {
            return Ok(Attempt::Done(committed));
        }
        // After the base was loaded: what was removed before that is too old here.
        self.check_age()?;
        self.compare_ledgers(&base).await?;
        let manifests = self.manifests(&base).await?;
        let before = Counts::before(self.table, &base.metadata, &manifests)?;
        let added = Counts::of_files(&self.append.files);
        let manifests = self.shortened(&base, manifests, attempt).await?;
        let manifests: Vec<_> = self.new_manifest(&base.metadata).await?.into_iter().chain(manifests).collect();
        before.check_after(self.table, &added, &manifests)?;

        let list = self.tables.layout().manifest_list(self.table, self.snapshot_id, attempt, self.id);
        let parent = base.metadata.current_snapshot_id();
        let sequence_number = base.metadata.next_sequence_number();
        let bytes = encode_manifest_list(self.table, self.snapshot_id, parent, sequence_number, manifests).await?;
        self.tables.layout().write(&list, bytes).await?;

        let summary = summary_of(&before, &added, self.id, &self.ledger_url);
        let now = self.tables.clock().now();
        let change = append(&base.metadata, self.snapshot_id, self.tables.layout().url(&list), summary, now);
        match self.tables.catalog().swap(self.table, &base, change).await? {
            Swap::Swapped(loaded) => {
                self.tables.remember(self.table, loaded.clone());
                self.landed(&loaded, attempt)
                    .map(Attempt::Done)
                    .ok_or_else(|| corrupt(loaded.location, "it lacks its own snapshot"))
            }
            Swap::Conflict => Ok(Attempt::Lost),
            Swap::Unknown(source) => Ok(Attempt::Unknown(source)),
        }
    }

    fn check_age(&self) -> Result<(), TablesError> {
        let age = self.tables.clock().now().since(self.began);
        if age <= LONGEST_COMMIT { Ok(()) } else { Err(TablesError::TooLate { table: self.table, age, limit: LONGEST_COMMIT }) }
    }

    /// What this commit did, if the metadata holds it.
    fn landed(&self, loaded: &Loaded, attempts: u32) -> Option<Committed> {
        let snapshot = loaded.metadata.snapshot_by_id(self.snapshot_id)?;
        let properties = &snapshot.summary().additional_properties;
        if properties.get(COMMIT_KEY) != Some(&self.id.to_string()) {
            return None;
        }
        let rows_added = Counts::of_files(&self.append.files).rows;
        let total = Counts::of_summary(snapshot).rows;
        Some(Committed {
            snapshot_id: self.snapshot_id,
            at: Timestamp::from_millis(snapshot.timestamp_ms()),
            rows_before: total.saturating_sub(rows_added),
            rows_added,
            attempts,
        })
    }

    /// SHIFT-1: nothing of this ledger is in a ledger of the history that the swap will extend.
    async fn compare_ledgers(&mut self, base: &Loaded) -> Result<(), TablesError> {
        let since = self.tables.ledgers_since(self.append.ledger.oldest.unwrap_or(Timestamp::MAX));
        let history = history(&base.metadata, since);
        let newer: Vec<&SnapshotRef> =
            history.into_iter().filter(|snapshot| !self.compared.contains(&snapshot.snapshot_id())).collect();
        let mut segments = HashSet::new();
        let mut requests = HashSet::new();
        for (_, ledger) in self.tables.ledgers(self.table, &newer).await? {
            segments.extend(self.append.ledger.segments.iter().filter(|name| ledger.segments.contains(name.as_str())).cloned());
            requests.extend(self.append.ledger.requests.iter().filter(|id| ledger.requests.contains(id)).copied());
        }
        self.compared.extend(newer.iter().map(|snapshot| snapshot.snapshot_id()));
        if segments.is_empty() && requests.is_empty() {
            return Ok(());
        }
        Err(TablesError::AlreadyShifted { table: self.table, segments: sorted(segments), requests: sorted_ids(requests) })
    }

    async fn manifests(&self, base: &Loaded) -> Result<Vec<ManifestFile>, TablesError> {
        match base.metadata.current_snapshot() {
            Some(snapshot) => self.tables.manifests(self.table, snapshot).await,
            None => Ok(Vec::new()),
        }
    }

    /// The manifests, many small ones merged.
    async fn shortened(
        &mut self,
        base: &Loaded,
        manifests: Vec<ManifestFile>,
        attempt: u32,
    ) -> Result<Vec<ManifestFile>, TablesError> {
        let replaced = |merged: &Option<Merged>| merged.as_ref().and_then(|merged| merged.replace(&manifests));
        if let Some(shortened) = replaced(&self.merged) {
            return Ok(shortened);
        }
        let names = (self.id, attempt as usize);
        self.merged = self.tables.merge(self.table, &base.metadata, &manifests, self.snapshot_id, names).await?;
        Ok(replaced(&self.merged).unwrap_or(manifests))
    }

    async fn new_manifest(&mut self, metadata: &TableMetadata) -> Result<Option<ManifestFile>, TablesError> {
        if self.append.files.is_empty() || self.manifest.is_some() {
            return Ok(self.manifest.clone());
        }
        check_partitions(self.table, metadata, metadata.default_partition_spec_id())?;
        let path = self.tables.layout().manifest(self.table, self.id, 0);
        let files = self.append.files.iter().map(|file| file.file.clone());
        let (manifest, bytes) =
            encode_manifest(self.table, metadata, self.snapshot_id, self.tables.layout().url(&path), |writer| {
                files.into_iter().try_for_each(|file| writer.add_file(file, INHERITED))
            })
            .await?;
        self.tables.layout().write(&path, bytes).await?;
        self.manifest = Some(manifest.clone());
        Ok(Some(manifest))
    }
}

fn began(append: &Append, now: Timestamp) -> Timestamp {
    let planned = Some(append.ledger.at).filter(|at| *at != Timestamp::default());
    let written = append.files.iter().map(|file| file.written);
    written.chain(planned).min().unwrap_or(now).min(now)
}

fn sorted(names: HashSet<String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}

fn sorted_ids(ids: HashSet<RequestId>) -> Vec<RequestId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}

/// A positive id, as Iceberg wants it.
pub(crate) fn snapshot_id(id: UniqueId) -> i64 {
    i64::try_from(id.0 >> 65).unwrap_or(i64::MAX).max(1)
}
