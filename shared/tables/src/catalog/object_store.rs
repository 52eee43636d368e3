//! The catalog that needs no server: each version of the metadata is an object that can be created only once.
//!
//! The version after `v{N}` is `v{N+1}`, so of two committers on the same base one creates the object and the other is told
//! that it exists. The newest version is the highest number in a listing. Versions are never removed while they could be
//! anybody's base: a base older than [`TRUST`] is loaded again before it is used, an object is removed only after [`GRACE`].

use std::sync::Arc;
use std::time::Duration;

use ::object_store::path::Path;
use ::object_store::{Error as StoreError, ObjectStoreExt, PutMode, PutOptions};
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use iceberg::spec::{MetadataLog, TableMetadata};
use icegate_model::{Clock, Table};
use icegate_storage::{Root, is_not_found};

use super::{Catalog, Loaded, MetadataChange, Swap, apply};
use crate::definition::Definition;
use crate::error::{TablesError, corrupt};
use crate::layout::Layout;
use crate::time::Moment;

/// How long metadata counts as a base for probes and swaps without a new listing.
const TRUST: Duration = Duration::from_secs(30 * 60);
/// How long metadata stays after it was replaced; longer than [`TRUST`] by far more than clocks differ.
const GRACE: Duration = Duration::from_secs(2 * 60 * 60);
/// Versions that a refresh steps through before it lists instead.
const PROBES: u64 = 8;
/// Listings before a load gives up on metadata that keeps vanishing.
const LOADS: u32 = 3;
/// Writes of the hint while other commits keep passing by.
const HINTS: u32 = 3;

/// Pointers as create-only objects in the warehouse.
#[derive(Debug)]
pub(crate) struct ObjectStoreCatalog {
    warehouse: Root,
    clock: Arc<dyn Clock>,
}

impl ObjectStoreCatalog {
    pub(crate) fn new(warehouse: Root, clock: Arc<dyn Clock>) -> Self {
        Self { warehouse, clock }
    }

    fn versions(&self, table: Table) -> Versions<'_> {
        let layout = Arc::new(Layout::in_warehouse(&self.warehouse, table));
        Versions { table, layout, clock: self.clock.as_ref() }
    }
}

/// The metadata objects of one table.
struct Versions<'a> {
    table: Table,
    layout: Arc<Layout>,
    clock: &'a dyn Clock,
}

impl Versions<'_> {
    /// The highest version there is.
    async fn newest(&self) -> Result<Option<u64>, TablesError> {
        let directory = self.layout.metadata_directory();
        // Manifests and manifest lists sort before `v`, so the listing holds little but metadata.
        let offset = directory.clone().join("v");
        let listed = self.layout.root.store.list_with_offset(Some(&directory), &offset);
        let newest =
            listed.try_fold(None, |newest: Option<u64>, object| async move { Ok(newest.max(version_of(&object.location))) });
        newest.await.map_err(|source| TablesError::Store { doing: "list", object: directory.to_string(), source })
    }

    /// One version; `None` where it isn't there.
    async fn read(&self, version: u64, seen: Moment) -> Result<Option<Loaded>, TablesError> {
        let path = self.layout.metadata(version);
        let bytes = match self.layout.read(&path).await {
            Ok(bytes) => bytes,
            Err(TablesError::Store { source, .. }) if is_not_found(&source) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = serde_json::from_slice(&bytes).map_err(|error| corrupt(path.as_ref(), error))?;
        Ok(Some(self.loaded(&path, version, metadata, seen)))
    }

    fn loaded(&self, path: &Path, version: u64, metadata: TableMetadata, seen: Moment) -> Loaded {
        let (location, layout) = (self.layout.url(path), Arc::clone(&self.layout));
        Loaded { metadata: Arc::new(metadata), location, layout, token: version.to_string(), seen }
    }

    async fn load(&self) -> Result<Option<Loaded>, TablesError> {
        for _ in 0..LOADS {
            let seen = Moment::now(self.clock);
            let Some(version) = self.newest().await? else { return Ok(None) };
            if let Some(loaded) = self.read(version, seen).await? {
                return Ok(Some(loaded));
            }
        }
        Err(corrupt(self.layout.metadata_directory().as_ref(), "listed metadata can't be read"))
    }

    /// Steps from a version to the newest.
    async fn follow(&self, known: &Loaded) -> Result<Option<Loaded>, TablesError> {
        let now = Moment::now(self.clock);
        if known.seen.age(self.clock) > TRUST {
            return self.load().await;
        }
        let mut newest = Loaded { seen: now, ..known.clone() };
        for _ in 0..PROBES {
            match self.read(version(&newest)? + 1, now).await? {
                Some(next) => newest = next,
                None => return Ok(Some(newest)),
            }
        }
        self.load().await
    }

    async fn create(&self, version: u64, metadata: TableMetadata) -> Result<Swap, TablesError> {
        let json = |source| TablesError::Json { table: self.table, what: "table metadata", source };
        let bytes = Bytes::from(serde_json::to_vec(&metadata).map_err(json)?);
        let path = self.layout.metadata(version);
        let seen = Moment::now(self.clock);
        let options = PutOptions::from(PutMode::Create);
        match self.layout.root.store.put_opts(&path, bytes.into(), options).await {
            Ok(_) => {
                self.hint(version).await;
                Ok(Swap::Swapped(self.loaded(&path, version, metadata, seen)))
            }
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => Ok(Swap::Conflict),
            Err(error) => Ok(Swap::Unknown(error.into())),
        }
    }

    /// Tells readers that can't list which version is the newest. A failure costs them freshness, not us correctness.
    async fn hint(&self, mut version: u64) {
        let (table, path) = (self.table, self.layout.version_hint());
        for _ in 0..HINTS {
            if let Err(error) = self.layout.write(&path, Bytes::from(version.to_string())).await {
                tracing::warn!(%table, %error, "version hint not written");
                return;
            }
            // A later committer may have written its hint before this one.
            if self.layout.root.store.head(&self.layout.metadata(version + 1)).await.is_err() {
                return;
            }
            version += 1;
        }
    }

    /// Removes metadata that the new version no longer logs, once it can be nobody's base. What is too young here or fails
    /// is left for the removal of orphans.
    async fn forget(&self, new: u64, expired: Vec<MetadataLog>) {
        let table = self.table;
        for entry in expired {
            let Some(path) = self.layout.root.path_of_url(&entry.metadata_file) else { continue };
            match self.forget_old(&path, &self.layout.metadata(new)).await {
                Err(error) if !is_not_found(&error) => tracing::warn!(%table, %path, %error, "old metadata not removed"),
                _ => {}
            }
        }
    }

    /// Both ages are of the store's clock.
    async fn forget_old(&self, path: &Path, newest: &Path) -> Result<(), StoreError> {
        let store = &self.layout.root.store;
        let (old, new) = futures::try_join!(store.head(path), store.head(newest))?;
        let age = new.last_modified.signed_duration_since(old.last_modified).to_std().unwrap_or_default();
        if age > GRACE { store.delete(path).await } else { Ok(()) }
    }
}

/// `N` of `…/v{N}.metadata.json`.
fn version_of(path: &Path) -> Option<u64> {
    path.filename()?.strip_prefix('v')?.strip_suffix(".metadata.json")?.parse().ok()
}

fn version(loaded: &Loaded) -> Result<u64, TablesError> {
    loaded.token.parse().map_err(|_| corrupt(loaded.location.as_str(), format!("version {:?}", loaded.token)))
}

#[async_trait]
impl Catalog for ObjectStoreCatalog {
    async fn load(&self, table: Table, known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError> {
        let versions = self.versions(table);
        match known {
            Some(known) => versions.follow(known).await,
            None => versions.load().await,
        }
    }

    async fn create(&self, definition: Definition) -> Result<Swap, TablesError> {
        let versions = self.versions(definition.table);
        let metadata = definition.metadata_at(versions.layout.location())?;
        versions.create(1, metadata).await
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        // The object after an old base may have been created and removed since: creating it again would fork the table.
        if base.seen.age(self.clock.as_ref()) > TRUST {
            return Ok(Swap::Conflict);
        }
        let Some((metadata, expired)) = apply(table, base, change)? else {
            return Ok(Swap::Conflict);
        };
        let versions = self.versions(table);
        let swap = versions.create(version(base)? + 1, metadata).await?;
        if matches!(swap, Swap::Swapped(_)) {
            versions.forget(version(base)? + 1, expired).await;
        }
        Ok(swap)
    }

    fn location(&self, table: Table) -> Option<String> {
        Some(Layout::in_warehouse(&self.warehouse, table).location().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_metadata_objects_have_a_version() {
        assert_eq!(version_of(&Path::from("icegate/logs/metadata/v10.metadata.json")), Some(10));
        for other in ["version-hint.text", "v.metadata.json", "v1.json", "vx.metadata.json", "snap-1-0-a.avro"] {
            assert_eq!(version_of(&Path::from("icegate/logs/metadata").join(other)), None, "{other}");
        }
    }
}
