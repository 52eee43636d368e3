//! Which metadata of a table is the newest, and how to replace it by compare-and-set.

mod memory;
mod object_store;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use iceberg::spec::{MetadataLog, TableMetadata};
use iceberg::{TableRequirement, TableUpdate};
use icegate_model::{Table, Timestamp};

use crate::error::{IcebergContext, TablesError};

pub(crate) use self::memory::MemoryCatalog;
pub(crate) use self::object_store::ObjectStoreCatalog;

/// A table's metadata as the catalog had it.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) metadata: Arc<TableMetadata>,
    /// Names this version of the metadata and no other.
    pub(crate) location: String,
    /// What the backend compares at a swap.
    pub(crate) token: u64,
    /// When the catalog said that it is the newest.
    pub(crate) seen: Timestamp,
}

/// A change of a table's metadata, in the terms of Iceberg's REST protocol.
#[derive(Clone, Debug)]
pub(crate) struct MetadataChange {
    pub(crate) requirements: Vec<TableRequirement>,
    pub(crate) updates: Vec<TableUpdate>,
}

/// What came of a swap.
#[derive(Debug)]
pub(crate) enum Swap {
    /// The new metadata is the table's.
    Swapped(Loaded),
    /// Somebody else was first; nothing changed.
    Conflict,
    /// The backend failed in a way that leaves open whether the new metadata is the table's.
    Unknown(::object_store::Error),
}

/// Holds one pointer per table.
#[async_trait]
pub(crate) trait Catalog: Debug + Send + Sync {
    /// The newest metadata; `None` where the table doesn't exist.
    async fn load(&self, table: Table) -> Result<Option<Loaded>, TablesError>;

    /// The newest metadata for a caller that has some: as cheap as the backend can tell that it is still the newest.
    async fn refresh(&self, table: Table, known: &Loaded) -> Result<Option<Loaded>, TablesError>;

    /// Makes a table whose first metadata this is. [`Swap::Conflict`] where it exists.
    async fn create(&self, table: Table, metadata: TableMetadata) -> Result<Swap, TablesError>;

    /// Applies the change if `base` is still the newest metadata and meets the requirements.
    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError>;

    /// Whether the backend expires snapshots and removes files by itself and forbids others to.
    fn manages_files(&self) -> bool {
        false
    }
}

/// New metadata and the log entries that it no longer holds; `None` where `base` doesn't meet the requirements.
pub(super) fn apply(
    table: Table,
    base: &Loaded,
    change: MetadataChange,
    now: Timestamp,
) -> Result<Option<(TableMetadata, Vec<MetadataLog>)>, TablesError> {
    if change.requirements.iter().any(|requirement| requirement.check(Some(&base.metadata)).is_err()) {
        return Ok(None);
    }
    let adds_snapshot = change.updates.iter().any(|update| matches!(update, TableUpdate::AddSnapshot { .. }));
    let mut builder = TableMetadata::clone(&base.metadata).into_builder(Some(base.location.clone()));
    for update in change.updates {
        builder = update.apply(builder).iceberg(table, "apply a change")?;
    }
    let built = builder.build().iceberg(table, "build metadata")?;
    // A snapshot brings its own time; the library stamps everything else with a clock that isn't ours.
    let metadata = if adds_snapshot {
        built.metadata
    } else {
        stamped(table, &built.metadata, now.millis().max(base.metadata.last_updated_ms()))?
    };
    Ok(Some((metadata, built.expired_metadata_logs)))
}

/// The same metadata, last updated at this time.
pub(crate) fn stamped(table: Table, metadata: &TableMetadata, millis: i64) -> Result<TableMetadata, TablesError> {
    let json = |source| TablesError::Json { table, what: "table metadata", source };
    let mut value = serde_json::to_value(metadata).map_err(json)?;
    value["last-updated-ms"] = millis.into();
    serde_json::from_value(value).map_err(json)
}
