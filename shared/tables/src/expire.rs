//! Old snapshots go, what was shifted stays known.
//!
//! # What is removed
//!
//! Two steps, which one swap may do together:
//!
//! 1. **Checkpoint.** A snapshot that changes no row is added; its summary names a [checkpoint](crate::checkpoint) of all
//!    ledgers of the history before it that are still needed. From then on nobody who loads the table reads further back.
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
//!   removed snapshot, and the walk over its ledger, was the newest or part of the history's end only before K1, longer ago than that.
//! - *A committer with an older base* loses: both steps assert that the newest snapshot is the one that they were planned on, and
//!   step 1 replaces it. On its next attempt it meets a checkpoint that it hasn't compared and compares it, which covers all that it
//!   knew and all that it missed. A removal alone changes no history that a committer compares.
//! - *An expiry that races a commit or an expiry* asserts the newest snapshot too, so one of them lands and the other plans again. Since
//!   the checkpoint is named by a snapshot and not by a property of the table, this holds on catalogs that compare nothing but
//!   snapshots.
//! - *A ledger entry is forgotten* (`InWal::needed`) only if its segment wasn't in the WAL when it was listed, before the base was
//!   loaded, and its commit is older than the horizon. Whoever commits that segment again has listed it before it was deleted, and has
//!   at most [`LONGEST_COMMIT`](crate::LONGEST_COMMIT) for its commit, which is far less than the horizon: so it listed after the first
//!   commit, found it in the history, and left the segment out. A segment that is written later was not committed before.
//! - *Clocks*: commit times never decrease along the history. Differences between machines of up to [`CLOCK_SKEW`] are added to the
//!   retention and the horizon; both are compared with times that are hours apart.
//!
//! Snapshots of other writers carry no ledger and pass through; they are removed by the same rule.

use std::collections::HashSet;
use std::time::Duration;

use iceberg::TableUpdate;
use iceberg::spec::{SnapshotRef, TableMetadata};
use icegate_model::{Table, Timestamp};

use crate::Tables;
use crate::catalog::{Loaded, MetadataChange, Swap};
use crate::checkpoint::{self, InWal, checkpoint_of};
use crate::commit::snapshot_id;
use crate::error::TablesError;
use crate::ledger::{ancestors, committed_at, history};
use crate::manifest::encode_manifest_list;
use crate::plan::{Counts, append, checkpoint_summary, unchanged};
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
        if dry_run {
            let loaded = self.newest(table).await?;
            return Ok(planned(table, &loaded.metadata, retention, self.clock().now())?.expired(&loaded.metadata));
        }
        let plan = |metadata: &TableMetadata| planned(table, metadata, retention, self.clock().now());
        Ok(self.apply_plan(table, in_wal, plan).await?.0)
    }

    /// Replaces the newest snapshot by one with the same rows, so that every commit that is under way has to look again. The metadata
    /// that this makes.
    pub(crate) async fn fence(&self, table: Table, in_wal: &InWal) -> Result<Loaded, TablesError> {
        let plan = |_: &TableMetadata| Ok(Plan { checkpoint: true, removed: Vec::new() });
        Ok(self.apply_plan(table, in_wal, plan).await?.1)
    }

    async fn apply_plan(
        &self,
        table: Table,
        in_wal: &InWal,
        plan: impl Fn(&TableMetadata) -> Result<Plan, TablesError>,
    ) -> Result<(Expired, Loaded), TablesError> {
        let mut tried: Option<Tried> = None;
        for attempt in 1..=ATTEMPTS {
            let base = self.newest(table).await?;
            if let Some(tried) = tried.take_if(|tried| tried.landed(&base.metadata)) {
                return Ok((tried.expired, base));
            }
            let plan = plan(&base.metadata)?;
            let expired = plan.expired(&base.metadata);
            if plan.is_nothing() {
                return Ok((expired, base));
            }
            let snapshot_id = snapshot_id(self.ids().unique());
            let change = self.change(table, &base, &plan, snapshot_id, in_wal, attempt).await?;
            match self.catalog().swap(table, &base, change).await? {
                Swap::Swapped(loaded) => {
                    self.remember(table, loaded.clone());
                    return Ok((expired, loaded));
                }
                Swap::Conflict => {}
                Swap::Unknown(error) => {
                    tracing::warn!(%table, %error, "unknown whether an expiry landed");
                    tried = Some(Tried { expired, snapshot_id, removed: plan.removed });
                }
            }
            self.pause(attempt).await;
        }
        Err(TablesError::Contended { table, attempts: ATTEMPTS })
    }

    async fn change(
        &self,
        table: Table,
        base: &Loaded,
        plan: &Plan,
        snapshot_id: i64,
        in_wal: &InWal,
        attempt: u32,
    ) -> Result<MetadataChange, TablesError> {
        let mut change = unchanged(&base.metadata);
        if plan.checkpoint {
            change = self.add_checkpoint(table, base, snapshot_id, in_wal, attempt).await?;
        }
        if !plan.removed.is_empty() {
            change.updates.push(TableUpdate::RemoveSnapshots { snapshot_ids: plan.removed.clone() });
        }
        Ok(change)
    }

    async fn add_checkpoint(
        &self,
        table: Table,
        base: &Loaded,
        snapshot_id: i64,
        in_wal: &InWal,
        attempt: u32,
    ) -> Result<MetadataChange, TablesError> {
        let id = self.ids().unique();
        let ledgers = self.ledgers(table, &history(&base.metadata, self.ledgers_since(in_wal.oldest()))).await?;
        let checkpoint = self.layout().checkpoint(table, id, attempt);
        let bytes = checkpoint::encode(table, &in_wal.needed(ledgers, self.horizon()))?;
        self.layout().write(&checkpoint, bytes).await?;

        let manifests = match base.metadata.current_snapshot() {
            Some(snapshot) => self.manifests(table, snapshot).await?,
            None => Vec::new(),
        };
        let before = Counts::before(table, &base.metadata, &manifests)?;
        let (parent, number) = (base.metadata.current_snapshot_id(), base.metadata.next_sequence_number());
        // A list of its own: other writers that expire snapshots delete the list of each.
        let list = self.layout().manifest_list(table, snapshot_id, attempt, id);
        self.layout().write(&list, encode_manifest_list(table, snapshot_id, parent, number, manifests).await?).await?;

        let summary = checkpoint_summary(&before, id, &self.layout().url(&checkpoint));
        Ok(append(&base.metadata, snapshot_id, self.layout().url(&list), summary, self.clock().now()))
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

fn planned(table: Table, metadata: &TableMetadata, retention: Retention, now: Timestamp) -> Result<Plan, TablesError> {
    let history: Vec<_> = ancestors(metadata).collect();
    let newest_checkpoint = history.iter().position(|snapshot| checkpoint_of(snapshot).is_some());
    // One more snapshot is worth it only where it lets others go.
    let checkpoint = newest_checkpoint != Some(0) && history.len() > retention.snapshots;
    let before = now - retention.time - CLOCK_SKEW;
    let fits = |(index, snapshot): &(usize, &&_)| {
        checkpoint_of(snapshot).is_some() && committed_at(snapshot) <= before && *index + 1 >= retention.snapshots
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
