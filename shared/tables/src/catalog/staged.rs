//! Metadata that a catalog only points to: written by the committer before the swap, read by whoever loads the table.

use std::sync::Arc;

use bytes::Bytes;
use iceberg::spec::TableMetadata;
use icegate_model::{Clock, IdGenerator, Table};
use icegate_storage::Stores;

use super::places::Places;
use super::{Loaded, MetadataChange, apply};
use crate::error::{TablesError, corrupt};
use crate::layout::Layout;
use crate::time::Moment;

/// Reads and writes metadata files for catalogs that hold their URL.
#[derive(Debug)]
pub(super) struct StagedMetadata {
    places: Places,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// Metadata that is written and not yet the table's.
pub(super) struct Staged {
    pub(super) metadata: TableMetadata,
    layout: Arc<Layout>,
    /// Its URL.
    pub(super) location: String,
}

impl StagedMetadata {
    pub(super) fn new(stores: Stores, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { places: Places::new(stores), clock, ids }
    }

    /// The metadata at `location`. Reads nothing where that is what is known.
    pub(super) async fn read(
        &self,
        table: Table,
        location: String,
        token: String,
        known: Option<&Loaded>,
    ) -> Result<Loaded, TablesError> {
        let seen = Moment::now(self.clock.as_ref());
        if let Some(known) = known.filter(|known| known.location == location) {
            return Ok(Loaded { token, seen, ..known.clone() });
        }
        let Some((place, _)) = location.rsplit_once("/metadata/") else {
            return Err(TablesError::Unsupported { table, what: format!("metadata outside of a folder metadata: {location}") });
        };
        let layout = self.places.open(table, place)?;
        let bytes = layout.read(&layout.path_of(&location)?).await?;
        let metadata: TableMetadata = serde_json::from_slice(&bytes).map_err(|error| corrupt(location.as_str(), error))?;
        if metadata.location().trim_end_matches('/') != layout.location() {
            let what = format!("metadata at {location} and its files at {}", metadata.location());
            return Err(TablesError::Unsupported { table, what });
        }
        Ok(Loaded { metadata: Arc::new(metadata), location, layout, token, seen })
    }

    /// Writes a table's first metadata.
    pub(super) async fn create(&self, table: Table, location: &str, metadata: TableMetadata) -> Result<Staged, TablesError> {
        self.write(table, self.places.open(table, location)?, 0, metadata).await
    }

    /// Writes the metadata that a change makes of `base`; `None` where `base` doesn't meet its requirements.
    pub(super) async fn change(
        &self,
        table: Table,
        base: &Loaded,
        change: MetadataChange,
    ) -> Result<Option<Staged>, TablesError> {
        let Some((metadata, _)) = apply(table, base, change)? else { return Ok(None) };
        let version = version_of(&base.location).unwrap_or(0) + 1;
        self.write(table, Arc::clone(&base.layout), version, metadata).await.map(Some)
    }

    async fn write(
        &self,
        table: Table,
        layout: Arc<Layout>,
        version: u64,
        metadata: TableMetadata,
    ) -> Result<Staged, TablesError> {
        let json = |source| TablesError::Json { table, what: "table metadata", source };
        let bytes = Bytes::from(serde_json::to_vec(&metadata).map_err(json)?);
        let path = layout.staged_metadata(version, self.ids.unique());
        layout.write(&path, bytes).await?;
        Ok(Staged { metadata, location: layout.url(&path), layout })
    }

    /// The metadata that became the table's.
    pub(super) fn swapped(&self, staged: Staged, token: String) -> Loaded {
        let Staged { metadata, layout, location } = staged;
        Loaded { metadata: Arc::new(metadata), location, layout, token, seen: Moment::now(self.clock.as_ref()) }
    }
}

/// `N` of `…/{N}-{uuid}.metadata.json`.
fn version_of(location: &str) -> Option<u64> {
    location.rsplit('/').next()?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_metadata_is_the_number_that_its_name_begins_with() {
        assert_eq!(version_of("s3://b/t/metadata/00012-0d1f.metadata.json"), Some(12));
        assert_eq!(version_of("s3://b/t/metadata/v3.metadata.json"), None);
    }
}
