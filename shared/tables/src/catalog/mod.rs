//! Which metadata of a table is the newest, and how to replace it by compare-and-set.

mod aws;
mod glue;
mod memory;
mod object_store;
mod places;
mod rest;
mod s3_tables;
mod staged;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use iceberg::spec::{MetadataLog, TableMetadata};
use iceberg::{TableRequirement, TableUpdate};
use icegate_model::Table;

use crate::definition::Definition;
use crate::error::{BoxError, IcebergContext, TablesError};
use crate::layout::Layout;
use crate::time::Moment;

pub(crate) use self::glue::GlueCatalog;
pub use self::glue::GlueOptions;
pub(crate) use self::memory::MemoryCatalog;
pub(crate) use self::object_store::ObjectStoreCatalog;
pub(crate) use self::rest::RestCatalog;
pub use self::rest::{RestAuthentication, RestOptions};
pub(crate) use self::s3_tables::S3TablesCatalog;

/// The namespace, schema or database that the tables are in.
pub(crate) const NAMESPACE: &str = "icegate";

/// A table's metadata as the catalog had it.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) metadata: Arc<TableMetadata>,
    /// Names this version of the metadata and no other.
    pub(crate) location: String,
    /// Where the table's files are.
    pub(crate) layout: Arc<Layout>,
    /// What the backend compares at a swap, in its own terms.
    pub(crate) token: String,
    /// When the catalog said that it is the newest.
    pub(crate) seen: Moment,
}

impl Loaded {
    /// Whether `other` can't be the metadata after this one. Of another table of the same name nothing can be said.
    pub(crate) fn is_after(&self, other: &Self) -> bool {
        let age = |metadata: &TableMetadata| (metadata.last_sequence_number(), metadata.last_updated_ms());
        self.metadata.uuid() == other.metadata.uuid() && age(&self.metadata) > age(&other.metadata)
    }
}

/// A change of a table's metadata, in the terms of Iceberg's REST protocol.
#[derive(Clone, Debug)]
pub(crate) struct MetadataChange {
    pub(crate) requirements: Vec<TableRequirement>,
    pub(crate) updates: Vec<TableUpdate>,
}

/// What came of a swap. A failure that certainly changed nothing is an error instead.
#[derive(Debug)]
pub(crate) enum Swap {
    /// The new metadata is the table's.
    Swapped(Loaded),
    /// Somebody else was first; nothing changed.
    Conflict,
    /// The backend failed in a way that leaves open whether the new metadata is the table's.
    Unknown(BoxError),
}

/// Holds one pointer per table.
///
/// Metadata that was written for a swap which failed or conflicted stays where it is, since a lost request may still arrive:
/// it is an orphan and left to their removal.
#[async_trait]
pub(crate) trait Catalog: Debug + Send + Sync {
    /// The newest metadata, asked of the backend now; `None` where the table doesn't exist. For a caller that has `known`
    /// metadata it is as cheap as the backend can tell that it is still the newest.
    async fn load(&self, table: Table, known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError>;

    /// Makes a table. [`Swap::Conflict`] where it exists.
    async fn create(&self, definition: Definition) -> Result<Swap, TablesError>;

    /// Applies the change if `base` is still the newest metadata and meets the requirements.
    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError>;

    /// Where a table will be created; `None` where the backend chooses.
    fn location(&self, table: Table) -> Option<String>;

    /// Whether only the backend knows what is needed no more, so that nobody else may remove it.
    fn is_managed(&self) -> bool {
        false
    }
}

/// New metadata and the log entries that it no longer holds; `None` where `base` doesn't meet the requirements.
pub(super) fn apply(
    table: Table,
    base: &Loaded,
    change: MetadataChange,
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
    // A snapshot brings its own time. The library stamps everything else with this machine's clock, which may be wrong: there the
    // table's time goes on by as little as it can.
    let metadata = if adds_snapshot {
        built.metadata
    } else {
        stamped(table, &built.metadata, base.metadata.last_updated_ms().saturating_add(1))?
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
