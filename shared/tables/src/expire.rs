//! Old snapshots go, what was shifted stays known.
//!
//! # What is removed
//!
//! Two steps, which one swap may do together:
//!
//! 1. **Checkpoint.** A snapshot that changes no row is added, whose ledger is a checkpoint of all ledgers before it that are still
//!    needed. From then on nobody who loads the table reads further back.
//! 2. **Removal.** Every snapshot that is older than a checkpoint which itself is older than the retention is removed, unless a
//!    branch or tag names it.
//!
//! So a snapshot is removed only after its ledger has been behind a checkpoint for the whole retention, and that is what makes
//! the removal, and the deletion of what only removed snapshots reach, safe for everybody who holds older metadata:
//!
//! ```text
//!   s1 ◀─ s2 ◀─ s3 ◀─ K1 ◀─ s4 ◀─ s5 ◀─ K2          K1 is older than the retention: s1, s2, s3 go
//!   └──────────┘      └ stands for s1, s2, s3
//! ```
//!
//! - *A reader* plans on the newest snapshot and is done with it within the retention, which is longer than the longest query. A
//!   removed snapshot was the newest, and a ledger behind K1 was read, only by those who loaded the table before K1: longer ago than that.
//! - *A committer with an older base* loses: both steps assert that the newest snapshot is the one that they were planned on, and
//!   step 1 replaces it. On its next attempt it meets a checkpoint that it hasn't compared and compares it, which covers all that it
//!   knew and all that it missed. A removal alone changes no ledger.
//! - *An expiry that races a commit or an expiry* asserts the newest snapshot too, so one of them lands and the other plans again. Since
//!   the checkpoint is a snapshot's ledger and more than a property of the table, this holds on catalogs that compare nothing but
//!   snapshots.
//! - *A ledger entry is forgotten* (`InWal::needed`) only if its segment wasn't in the WAL when it was listed, before the base was
//!   loaded, and its commit is older than the horizon. Whoever commits that segment again has listed it before it was deleted, and has
//!   at most [`LONGEST_COMMIT`](crate::LONGEST_COMMIT) for its commit, which is far less than the horizon: so it listed after the first
//!   commit, found it in the history, and left the segment out. A segment that is written later was not committed before.
//!   A plan that took longer than it believes, because a clock was set back or a machine slept, is refused by what the checkpoint says of
//!   itself: since which commit it is whole. Commit times are only labels there, which never decrease along the history.
//! - *Clocks*: what is old is decided by the store's clock alone (`time`). Five minutes are added to the retention and the horizon.
//!
//! Snapshots of other writers carry no ledger and pass through; they are removed by the same rule. Catalogs that show only the newest
//! snapshot keep the others in their own way; there step 1 alone keeps the ledgers few.

use std::collections::HashSet;
use std::time::Duration;

use futures::try_join;
use iceberg::TableUpdate;
use iceberg::spec::{SnapshotRef, TableMetadata};
use icegate_model::{Table, Timestamp};

use crate::Tables;
use crate::catalog::{Loaded, MetadataChange, Swap};
use crate::checkpoint::InWal;
use crate::commit::snapshot_id;
use crate::error::TablesError;
use crate::ledger::{Entry, Previous, encode_checkpoint, whole_since};
use crate::manifest::encode_manifest_list;
use crate::plan::{Counts, append, checkpoint_summary, commit_millis, is_checkpoint, unchanged};
use crate::tables::CLOCK_SKEW;

/// Attempts of one expiry while others commit.
const ATTEMPTS: u32 = 30;

/// Which snapshots stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long a snapshot stays at least after it was replaced: longer than the longest query.
    pub time: Duration,
    /// How many of the newest ones stay at least.
    pub snapshots: usize,
}

/// What an expiry did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Snapshots removed.
    pub removed: usize,
    /// Snapshots that the table has afterwards.
    pub kept: usize,
    /// Whether a checkpoint was added.
    pub checkpoint: bool,
}

/// What one attempt does to a metadata.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    checkpoint: bool,
    removed: Vec<i64>,
}

/// An attempt whose outcome is to be found in the metadata.
struct Tried {
    expired: Expired,
    snapshot_id: i64,
    removed: Vec<i64>,
}

impl Tables {
    /// Removes old snapshots, and keeps their ledgers as far as they are needed (the module's documentation says why this is safe at
    /// any moment). The caller lists the WAL before it calls. With `dry_run` only says what it would do.
    ///
    /// # Errors
    /// [`TablesError::Contended`], [`TablesError::Store`]: repeating is safe.
    pub async fn expire(
        &self,
        table: Table,
        retention: Retention,
        in_wal: &InWal,
        dry_run: bool,
    ) -> Result<Expired, TablesError> {
        let task = Task { tables: self, table, in_wal };
        if dry_run {
            let loaded = self.newest(table).await?;
            return Ok(task.plan(&loaded, retention).await?.expired(&loaded.metadata));
        }
        Ok(task.run(Some(retention)).await?.0)
    }

    /// Replaces the newest snapshot by one with the same rows, so that every commit that is under way has to look again. The metadata
    /// that this makes.
    pub(crate) async fn fence(&self, table: Table, in_wal: &InWal) -> Result<Loaded, TablesError> {
        Ok(Task { tables: self, table, in_wal }.run(None).await?.1)
    }
}

struct Task<'a> {
    tables: &'a Tables,
    table: Table,
    in_wal: &'a InWal,
}

impl Task<'_> {
    /// Does what the retention asks for; without one only adds a checkpoint.
    async fn run(&self, retention: Option<Retention>) -> Result<(Expired, Loaded), TablesError> {
        let mut tried: Option<Tried> = None;
        for attempt in 1..=ATTEMPTS {
            let base = self.tables.newest(self.table).await?;
            if let Some(tried) = tried.take_if(|tried| tried.landed(&base.metadata)) {
                return Ok((tried.expired, base));
            }
            let plan = match retention {
                Some(retention) => self.plan(&base, retention).await?,
                None => Plan { checkpoint: true, removed: Vec::new() },
            };
            let expired = plan.expired(&base.metadata);
            if plan.is_nothing() {
                return Ok((expired, base));
            }
            let snapshot_id = snapshot_id(self.tables.ids().unique());
            let change = self.change(&base, &plan, snapshot_id, attempt).await?;
            match self.tables.catalog().swap(self.table, &base, change).await? {
                Swap::Swapped(loaded) => {
                    self.tables.remember(self.table, loaded.clone());
                    return Ok((expired, loaded));
                }
                Swap::Conflict => {}
                Swap::Unknown(error) => {
                    tracing::warn!(table = %self.table, %error, "unknown whether an expiry landed");
                    tried = Some(Tried { expired, snapshot_id, removed: plan.removed });
                }
            }
            self.tables.pause(attempt).await;
        }
        Err(TablesError::Contended { table: self.table, attempts: ATTEMPTS })
    }

    async fn plan(&self, base: &Loaded, retention: Retention) -> Result<Plan, TablesError> {
        let since = self.tables.ledgers_since(self.in_wal.oldest()).millis();
        let is_wanted = |previous: &Previous| previous.committed_millis >= since;
        let chain = self.tables.ledger_chain(self.table, base, is_wanted, |ledger| ledger.checkpoint.is_some()).await?;
        let ledgers = chain.iter().take_while(|(_, ledger)| ledger.checkpoint.is_none()).count();
        let covered = ledgers == 0 && !chain.is_empty();
        planned(self.table, &base.metadata, if covered { None } else { Some(ledgers) }, retention, self.in_wal.at)
    }

    async fn change(&self, base: &Loaded, plan: &Plan, snapshot_id: i64, attempt: u32) -> Result<MetadataChange, TablesError> {
        let mut change = unchanged(&base.metadata);
        if plan.checkpoint {
            change = self.add_checkpoint(base, snapshot_id, attempt).await?;
        }
        if !plan.removed.is_empty() {
            change.updates.push(TableUpdate::RemoveSnapshots { snapshot_ids: plan.removed.clone() });
        }
        Ok(change)
    }

    async fn add_checkpoint(&self, base: &Loaded, snapshot_id: i64, attempt: u32) -> Result<MetadataChange, TablesError> {
        let (table, metadata, layout) = (self.table, &base.metadata, &base.layout);
        let id = self.tables.ids().unique();
        let history = self.tables.ledgers(table, base, self.tables.ledgers_since(self.in_wal.oldest())).await?;
        let horizon = self.tables.horizon();
        let needed = self.in_wal.needed(&history, horizon);
        // What an earlier checkpoint forgot this one doesn't know either.
        let whole_since = whole_since(&history).max(Some(self.in_wal.whole_since(horizon))).unwrap_or_default();
        let manifests = self.tables.manifests(table, base).await?;
        let before = Counts::before(table, metadata, &manifests)?;
        let entry = Entry {
            commit: id.to_string(),
            snapshot_id,
            committed_millis: commit_millis(metadata, self.tables.ask_time(table).await?),
            rows_before: before.rows,
            rows_added: 0,
        };
        // A list of its own: other writers that expire snapshots delete the list of each.
        let (parent, number) = (metadata.current_snapshot_id(), metadata.next_sequence_number());
        let list = encode_manifest_list(table, snapshot_id, parent, number, manifests).await?;
        let (ledger_path, list_path) = (layout.ledger(id, attempt), layout.manifest_list(snapshot_id, attempt, id));
        let ledger = encode_checkpoint(table, entry.clone(), &history, &needed, whole_since)?;
        try_join!(layout.write(&ledger_path, ledger), layout.write(&list_path, list))?;

        let ledger_url = layout.url(&ledger_path);
        let summary = checkpoint_summary(&before, &entry.commit, &ledger_url);
        Ok(append(metadata, &entry, layout.url(&list_path), &ledger_url, summary))
    }
}

impl Tried {
    fn landed(&self, metadata: &TableMetadata) -> bool {
        if self.expired.checkpoint {
            return metadata.snapshot_by_id(self.snapshot_id).is_some();
        }
        self.removed.iter().all(|id| metadata.snapshot_by_id(*id).is_none())
    }
}

impl Plan {
    fn is_nothing(&self) -> bool {
        !self.checkpoint && self.removed.is_empty()
    }

    fn expired(&self, metadata: &TableMetadata) -> Expired {
        let kept = metadata.snapshots().len() + usize::from(self.checkpoint) - self.removed.len();
        Expired { removed: self.removed.len(), kept, checkpoint: self.checkpoint }
    }
}

/// What to do with metadata whose newest `ledgers` are behind no checkpoint; `None` where the newest is one itself.
fn planned(
    table: Table,
    metadata: &TableMetadata,
    ledgers: Option<usize>,
    retention: Retention,
    now: Timestamp,
) -> Result<Plan, TablesError> {
    let history: Vec<_> = ancestors(metadata).collect();
    // One more snapshot is worth it only where it lets others go.
    let checkpoint = ledgers.is_some_and(|ledgers| ledgers.max(history.len()) > retention.snapshots);
    let before = now - retention.time - CLOCK_SKEW;
    let fits = |(index, snapshot): &(usize, &&_)| {
        is_checkpoint(snapshot) && committed_at(snapshot) <= before && *index + 1 >= retention.snapshots
    };
    let Some((last, oldest)) = history.iter().enumerate().find(fits) else {
        return Ok(Plan { checkpoint, removed: Vec::new() });
    };
    let behind: HashSet<i64> = history[last + 1..].iter().map(|snapshot| snapshot.snapshot_id()).collect();
    let in_front: HashSet<i64> = history[..=last].iter().map(|snapshot| snapshot.snapshot_id()).collect();
    let named = named_snapshots(table, metadata)?;
    let is_over = |snapshot: &&SnapshotRef| {
        let id = snapshot.snapshot_id();
        let older = behind.contains(&id) || (!in_front.contains(&id) && committed_at(snapshot) < committed_at(oldest));
        older && !named.contains(&id)
    };
    let mut removed: Vec<_> = metadata.snapshots().filter(is_over).map(|snapshot| snapshot.snapshot_id()).collect();
    removed.sort_unstable();
    Ok(Plan { checkpoint, removed })
}

/// The snapshots that a branch or tag names. The library tells of a name, not which names there are.
fn named_snapshots(table: Table, metadata: &TableMetadata) -> Result<HashSet<i64>, TablesError> {
    let json = |source| TablesError::Json { table, what: "table metadata", source };
    let value = serde_json::to_value(metadata).map_err(json)?;
    let named = value["refs"].as_object().into_iter().flat_map(|refs| refs.values());
    Ok(named.filter_map(|reference| reference["snapshot-id"].as_i64()).collect())
}

/// The snapshots that led to the newest one, newest first, as far as the metadata still has them.
fn ancestors(metadata: &TableMetadata) -> impl Iterator<Item = &SnapshotRef> {
    let parent = |snapshot: &&SnapshotRef| snapshot.parent_snapshot_id().and_then(|parent| metadata.snapshot_by_id(parent));
    // Metadata of another writer may be circular.
    std::iter::successors(metadata.current_snapshot(), parent).take(metadata.snapshots().len())
}

fn committed_at(snapshot: &SnapshotRef) -> Timestamp {
    Timestamp::from_millis(snapshot.timestamp_ms())
}
