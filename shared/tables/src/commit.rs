//! Makes files visible: one snapshot, one ledger, one swap.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::try_join;
use iceberg::TableUpdate;
use iceberg::spec::ManifestFile;
use icegate_model::{ErrorKind, RequestId, Table, Timestamp, UniqueId};

use crate::Tables;
use crate::catalog::{Loaded, Swap};
use crate::error::{BoxError, TablesError, corrupt};
use crate::ledger::{Entry, History, Ledger, encode, whole_since};
use crate::manifest::{check_partitions, encode_manifest, encode_manifest_list};
use crate::merge::{Merged, merge};
use crate::plan::{Counts, append, commit_millis, summary_of};
use crate::state::{NextState, STATE_KEY, state_of};
use crate::time::ALLOWANCE;
use crate::write::WrittenFile;

/// Longest time from a shift's plan, and from the first byte of a file, to the commit. What is older is refused: its ledger may
/// have been forgotten, its files removed as orphans.
pub const LONGEST_COMMIT: Duration = Duration::from_secs(60 * 60);
/// Attempts of one commit while others commit too.
const ATTEMPTS: u32 = 30;
/// Attempts of one commit that the catalog fails.
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
    /// When, by the committer's clock or, where that is far off, by the store's; never before the commit that it follows.
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
    /// - [`TablesError::Contended`], [`TablesError::Store`], [`TablesError::Catalog`]: nothing was added.
    /// - [`TablesError::TooLate`]: [`LONGEST_COMMIT`] is over; nothing was added. Plan again.
    /// - [`TablesError::Forgotten`]: what was committed since the plan is no longer all known; nothing was added. Plan again.
    /// - [`TablesError::OutcomeUnknown`]: it may have been added; repeating the same commit tells.
    /// - [`TablesError::RowCount`]: the table doesn't add up; nothing was added.
    pub async fn commit(&self, table: Table, append: Append) -> Result<Committed, TablesError> {
        Commit::new(self, table, append, None).run().await
    }

    /// The same, and leaves a state in place of the one that the commit rests on, all of it or nothing. The one that was replaced is
    /// deleted, where the catalog leaves the tables' files to us.
    ///
    /// # Errors
    /// As [`Tables::commit`]; [`TablesError::StateReplaced`] where another commit was first: nothing was added.
    pub async fn commit_with_state(&self, table: Table, append: Append, state: NextState) -> Result<Committed, TablesError> {
        let after = state.after.clone();
        let committed = Commit::new(self, table, append, Some(state)).run().await?;
        if let (Some(url), Some(layout)) = (after.filter(|_| !self.is_managed()), self.known_layout(table)) {
            self.delete_state(table, &layout, &url).await;
        }
        Ok(committed)
    }
}

struct Commit<'a> {
    tables: &'a Tables,
    table: Table,
    append: Append,
    /// What it leaves to the next of its kind, if it does.
    state: Option<NextState>,
    /// Where that was written; once, since it doesn't depend on the attempt.
    state_url: Option<String>,
    id: UniqueId,
    snapshot_id: i64,
    /// When the first of what this commit rests on came into being, by this process's clock.
    began: Timestamp,
    /// The same by the store's clock.
    stored: Option<Timestamp>,
    /// Written once: entries inherit the sequence number of the attempt that succeeds.
    manifest: Option<ManifestFile>,
    /// Kept over attempts as long as what it replaces is still listed.
    merged: Option<Merged>,
    /// Ledgers that were compared.
    compared: HashSet<String>,
}

enum Attempt {
    Done(Committed),
    Lost,
    Unknown(BoxError),
}

impl<'a> Commit<'a> {
    fn new(tables: &'a Tables, table: Table, append: Append, state: Option<NextState>) -> Self {
        let began = began(&append, tables.clock().now());
        let id = tables.ids().unique();
        let snapshot_id = snapshot_id(tables.ids().unique());
        Self {
            tables,
            table,
            append,
            state,
            state_url: None,
            id,
            snapshot_id,
            began,
            stored: None,
            manifest: None,
            merged: None,
            compared: HashSet::new(),
        }
    }

    async fn run(mut self) -> Result<Committed, TablesError> {
        let (mut unknown, mut refused) = (None, None);
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
                Err(error @ TablesError::Catalog { kind: ErrorKind::Unavailable, .. }) => {
                    refused = Some(error);
                    failures += 1;
                }
                Err(error) => return Err(self.unsettled(unknown, error)),
            }
            self.tables.pause(attempt).await;
        }
        // A request whose reply was lost may have arrived, or may still arrive.
        if let Some(source) = unknown {
            let landed = self.look(attempt).await;
            let commit = self.id.to_string();
            return landed.ok().flatten().ok_or(TablesError::OutcomeUnknown { table: self.table, commit, source });
        }
        Err(refused.unwrap_or(TablesError::Contended { table: self.table, attempts: attempt }))
    }

    /// After an attempt of unknown outcome, a failure to look isn't a failure to commit.
    fn unsettled(&self, unknown: Option<BoxError>, error: TablesError) -> TablesError {
        match (unknown, error) {
            (
                Some(source),
                TablesError::Store { .. }
                | TablesError::Catalog { .. }
                | TablesError::TooLate { .. }
                | TablesError::Forgotten { .. },
            ) => TablesError::OutcomeUnknown { table: self.table, commit: self.id.to_string(), source },
            (_, error) => error,
        }
    }

    /// What this commit did, if it landed.
    async fn look(&mut self, attempt: u32) -> Result<Option<Committed>, TablesError> {
        let newest = self.tables.newest(self.table).await?;
        Ok(self.landed(&self.history(&newest).await?, attempt))
    }

    async fn attempt(&mut self, attempt: u32) -> Result<Attempt, TablesError> {
        let base = self.tables.newest(self.table).await?;
        let history = self.history(&base).await?;
        if let Some(committed) = self.landed(&history, attempt) {
            return Ok(Attempt::Done(committed));
        }
        // After the base was loaded: what was removed before that is too old here.
        self.check_age()?;
        self.compare(&history)?;
        self.compare_state(&base)?;
        let stored = self.stored(&base).await?;
        let manifests = self.tables.manifests(self.table, &base).await?;
        let before = Counts::before(self.table, &base.metadata, &manifests)?;
        let added = Counts::of_files(&self.append.files);
        let manifests = self.shortened(&base, manifests, attempt).await?;
        let manifests: Vec<_> = self.new_manifest(&base).await?.into_iter().chain(manifests).collect();
        before.check_after(self.table, &added, &manifests)?;

        let entry = Entry {
            commit: self.id.to_string(),
            snapshot_id: self.snapshot_id,
            committed_millis: commit_millis(&base.metadata, believable(self.tables.clock().now(), stored)),
            rows_before: before.rows,
            rows_added: added.rows,
        };
        let state = self.write_state(&base).await?;
        let (ledger, list) = try_join!(
            self.write_ledger(&base, attempt, entry.clone(), &history),
            self.write_manifest_list(&base, attempt, manifests),
        )?;
        // Again by the store's clock, which nothing sets back.
        self.check_stored_age(&base, attempt, stored).await?;
        let summary = summary_of(&before, &added, &entry.commit, &ledger);
        let mut change = append(&base.metadata, &entry, list, &ledger, summary);
        if let Some(url) = state {
            let updates = HashMap::from([(STATE_KEY.to_owned(), url)]);
            change.updates.push(TableUpdate::SetProperties { updates });
        }
        match self.tables.catalog().swap(self.table, &base, change).await? {
            Swap::Swapped(loaded) => {
                self.tables.remember(self.table, loaded.clone());
                if loaded.metadata.snapshot_by_id(self.snapshot_id).is_none() {
                    return Err(corrupt(loaded.location, "it lacks the snapshot that it was made for"));
                }
                Ok(Attempt::Done(committed(&entry, attempt)))
            }
            Swap::Conflict => Ok(Attempt::Lost),
            Swap::Unknown(source) => Ok(Attempt::Unknown(source)),
        }
    }

    fn check_age(&self) -> Result<(), TablesError> {
        check_age(self.table, self.tables.clock().now().since(self.began))
    }

    /// When the oldest of the files was received by the store; without files a time before the commit.
    async fn stored(&mut self, base: &Loaded) -> Result<Timestamp, TablesError> {
        if let Some(stored) = self.stored {
            return Ok(stored);
        }
        let oldest = self.append.files.iter().min_by_key(|file| file.written).filter(|_| self.tables.asks_the_store());
        let stored = match oldest {
            None => self.tables.time(self.table).await?,
            Some(oldest) => {
                let received = self.tables.received(&base.layout, &base.layout.path_of(oldest.url())?).await?;
                // One that is gone was an orphan for so long that a sweep took it.
                let gone = || TablesError::TooLate { table: self.table, age: Duration::MAX, limit: LONGEST_COMMIT };
                received.ok_or_else(gone)?
            }
        };
        self.stored = Some(stored);
        Ok(stored)
    }

    /// What this attempt wrote tells what time it is at the store.
    async fn check_stored_age(&self, base: &Loaded, attempt: u32, stored: Timestamp) -> Result<(), TablesError> {
        if !self.tables.asks_the_store() {
            return Ok(());
        }
        let written = self.tables.received(&base.layout, &base.layout.ledger(self.id, attempt)).await?;
        let age = written.map_or(Duration::MAX, |written| written.since(stored));
        check_age(self.table, age)
    }

    /// The ledgers that may hold something of this commit's.
    async fn history(&self, base: &Loaded) -> Result<Vec<History>, TablesError> {
        let since = self.tables.ledgers_since(self.append.ledger.oldest.unwrap_or(Timestamp::MAX));
        self.tables.ledgers(self.table, base, since).await
    }

    /// What this commit did, if one of its attempts is part of the history.
    fn landed(&self, history: &[History], attempts: u32) -> Option<Committed> {
        let id = self.id.to_string();
        history.iter().find(|(_, ledger)| ledger.entry.commit == id).map(|(_, ledger)| committed(&ledger.entry, attempts))
    }

    /// SHIFT-1: nothing of this ledger is in a ledger of the history that the swap will extend.
    fn compare(&mut self, history: &[History]) -> Result<(), TablesError> {
        if let (Some(planned), Some(whole_since)) = (self.append.ledger.after, whole_since(history))
            && planned < whole_since
        {
            let (planned, whole_since) = (planned.millis(), whole_since.millis());
            return Err(TablesError::Forgotten { table: self.table, planned, whole_since });
        }
        let mut segments = HashSet::new();
        let mut requests = HashSet::new();
        for (_, ledger) in history.iter().filter(|(url, _)| !self.compared.contains(url)) {
            segments.extend(self.append.ledger.segments.iter().filter(|name| ledger.segments.contains(name.as_str())).cloned());
            requests.extend(self.append.ledger.requests.iter().filter(|id| ledger.requests.contains(id)).copied());
        }
        self.compared.extend(history.iter().map(|(url, _)| url.clone()));
        if segments.is_empty() && requests.is_empty() {
            return Ok(());
        }
        Err(TablesError::AlreadyShifted { table: self.table, segments: sorted(segments), requests: sorted_ids(requests) })
    }

    /// The state that this commit rests on is the newest one. Every commit that leaves a state makes a snapshot, so the swap asserts it.
    fn compare_state(&self, base: &Loaded) -> Result<(), TablesError> {
        match &self.state {
            Some(state) if state.after.as_deref() != state_of(&base.metadata) => {
                Err(TablesError::StateReplaced { table: self.table })
            }
            _ => Ok(()),
        }
    }

    async fn write_state(&mut self, base: &Loaded) -> Result<Option<String>, TablesError> {
        if let (Some(state), None) = (&self.state, &self.state_url) {
            let path = base.layout.state(self.id);
            base.layout.write(&path, state.bytes.clone()).await?;
            self.state_url = Some(base.layout.url(&path));
        }
        Ok(self.state_url.clone())
    }

    async fn write_ledger(&self, base: &Loaded, attempt: u32, entry: Entry, history: &[History]) -> Result<String, TablesError> {
        let path = base.layout.ledger(self.id, attempt);
        base.layout.write(&path, encode(self.table, &self.append.ledger, entry, history)?).await?;
        Ok(base.layout.url(&path))
    }

    async fn write_manifest_list(
        &self,
        base: &Loaded,
        attempt: u32,
        manifests: Vec<ManifestFile>,
    ) -> Result<String, TablesError> {
        let path = base.layout.manifest_list(self.snapshot_id, attempt, self.id);
        let parent = base.metadata.current_snapshot_id();
        let sequence_number = base.metadata.next_sequence_number();
        let bytes = encode_manifest_list(self.table, self.snapshot_id, parent, sequence_number, manifests).await?;
        base.layout.write(&path, bytes).await?;
        Ok(base.layout.url(&path))
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
        self.merged = merge(self.table, base, &manifests, self.snapshot_id, names).await?;
        Ok(replaced(&self.merged).unwrap_or(manifests))
    }

    async fn new_manifest(&mut self, base: &Loaded) -> Result<Option<ManifestFile>, TablesError> {
        if self.append.files.is_empty() || self.manifest.is_some() {
            return Ok(self.manifest.clone());
        }
        let (layout, metadata) = (&base.layout, &base.metadata);
        check_partitions(self.table, metadata, metadata.default_partition_spec_id())?;
        let path = layout.manifest(self.id, 0);
        let files = self.append.files.iter().map(|file| file.file.clone());
        let (manifest, bytes) = encode_manifest(self.table, metadata, self.snapshot_id, layout.url(&path), |writer| {
            files.into_iter().try_for_each(|file| writer.add_file(file, INHERITED))
        })
        .await?;
        layout.write(&path, bytes).await?;
        self.manifest = Some(manifest.clone());
        Ok(Some(manifest))
    }
}

fn check_age(table: Table, age: Duration) -> Result<(), TablesError> {
    if age <= LONGEST_COMMIT { Ok(()) } else { Err(TablesError::TooLate { table, age, limit: LONGEST_COMMIT }) }
}

/// The process's time, unless it can't be right where the store showed another within the longest commit.
fn believable(own: Timestamp, stored: Timestamp) -> Timestamp {
    let is_right = stored - ALLOWANCE <= own && own <= stored + LONGEST_COMMIT + ALLOWANCE;
    if is_right { own.max(stored) } else { stored }
}

fn committed(entry: &Entry, attempts: u32) -> Committed {
    Committed {
        snapshot_id: entry.snapshot_id,
        at: Timestamp::from_millis(entry.committed_millis),
        rows_before: entry.rows_before,
        rows_added: entry.rows_added,
        attempts,
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
