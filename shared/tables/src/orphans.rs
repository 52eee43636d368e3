//! Objects that no metadata refers to: what a crash, a lost attempt or an expiry left behind.
//!
//! An object is removed only if it is older than the grace and if metadata that was loaded after it was listed doesn't refer to
//! it. That alone would leave one hole: a commit that is under way refers to files that no metadata names yet. Three things close it:
//!
//! - The grace is at least [`MIN_ORPHAN_GRACE`], more than [`LONGEST_COMMIT`]: a commit refuses files that are older than that. Both
//!   ages are by the store's clock, whatever time the two processes believe it is (`time`).
//! - A process may be frozen between that check and its swap, for days. So before anything is removed the newest snapshot is
//!   replaced ([`Tables::fence`]): whatever was checked before is now refused by its swap, checks again, and finds its files too old.
//! - What is reachable is computed anew from the metadata that the replacement made; all that landed before is in it.
//!
//! What an expiry made unreachable was out of use for the whole retention before (see [`expire`](crate::expire)), so it needs no
//! grace of its own. If anything that the metadata refers to can't be read, nothing is removed.

use std::collections::HashMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use icegate_model::{Table, Timestamp};
use icegate_storage::is_not_found;
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::Tables;
use crate::catalog::Loaded;
use crate::checkpoint::InWal;
use crate::commit::LONGEST_COMMIT;
use crate::error::TablesError;
use crate::expire::Retention;
use crate::reachable::Reachable;
use crate::tables::CLOCK_SKEW;

/// Younger objects are never removed, whatever grace is asked for: twice the longest commit.
pub const MIN_ORPHAN_GRACE: Duration = LONGEST_COMMIT.saturating_mul(2);
/// Most objects that one sweep removes; the next one finds the rest.
const MAX_ORPHANS: usize = 100_000;

/// What a sweep found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects that nothing refers to and that are older than the grace, with their bytes.
    pub orphans: Vec<(Path, u64)>,
    /// Objects that are gone now.
    pub removed: usize,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Objects that could not be removed; the next sweep tries again.
    pub failed: usize,
}

impl Tables {
    /// Removes the objects in the table's place that nothing refers to and that are older than the grace, all that it can, also after a
    /// failure. What was in use within the retention stays. With `dry_run` only says which. The caller lists the WAL before it calls.
    ///
    /// # Errors
    /// [`TablesError`] where it can't be told what is reachable; nothing was removed.
    pub async fn sweep(
        &self,
        table: Table,
        retention: Retention,
        grace: Duration,
        in_wal: &InWal,
        dry_run: bool,
    ) -> Result<Swept, TablesError> {
        let now = in_wal.at;
        let (old, in_use_since) = (now - grace.max(MIN_ORPHAN_GRACE), now - retention.time - CLOCK_SKEW);
        let mut reachable = Reachable::default();
        let loaded = self.newest(table).await?;
        self.reach(table, &loaded, in_use_since, &mut reachable).await?;
        let mut orphans = unreachable(&loaded, old, &reachable).await?;
        if orphans.is_empty() {
            return Ok(Swept::default());
        }
        let loaded = if dry_run { self.newest(table).await? } else { self.fence(table, in_wal).await? };
        self.reach(table, &loaded, in_use_since, &mut reachable).await?;
        orphans.retain(|(path, _)| !reachable.holds(path));
        if dry_run {
            return Ok(Swept { orphans, ..Swept::default() });
        }
        Ok(remove(table, &loaded, orphans).await)
    }
}

async fn unreachable(loaded: &Loaded, before: Timestamp, reachable: &Reachable) -> Result<Vec<(Path, u64)>, TablesError> {
    let root = &loaded.layout.root;
    let is_orphan = |object: &ObjectMeta| {
        Timestamp::from_millis(object.last_modified.timestamp_millis()) <= before && !reachable.holds(&object.location)
    };
    let listed = root.store.list(Some(&root.prefix));
    let orphans = listed.try_filter(|object| std::future::ready(is_orphan(object))).take(MAX_ORPHANS);
    let orphans: Result<Vec<_>, _> = orphans.map_ok(|object| (object.location, object.size)).try_collect().await;
    orphans.map_err(|source| TablesError::Store { doing: "list", object: root.prefix.to_string(), source })
}

async fn remove(table: Table, loaded: &Loaded, orphans: Vec<(Path, u64)>) -> Swept {
    let mut left: HashMap<&Path, u64> = orphans.iter().map(|(path, size)| (path, *size)).collect();
    let paths: Vec<_> = orphans.iter().map(|(path, _)| Ok(path.clone())).collect();
    let mut swept = Swept::default();
    let mut deleted = loaded.layout.root.store.delete_stream(futures::stream::iter(paths).boxed());
    while let Some(result) = deleted.next().await {
        match result {
            Ok(path) => {
                let bytes = left.remove(&path).unwrap_or_default();
                tracing::info!(%table, object = %path, bytes, "orphan removed");
                swept.removed += 1;
                swept.removed_bytes += bytes;
            }
            // Somebody else swept at the same time.
            Err(error) if is_not_found(&error) => swept.removed += 1,
            Err(error) => {
                tracing::warn!(%table, %error, "orphan not removed");
                swept.failed += 1;
            }
        }
    }
    drop(left);
    Swept { orphans, ..swept }
}
