//! Where the objects of a table are.

use bytes::Bytes;
use icegate_model::{Table, UniqueId};
use icegate_storage::Root;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::catalog::NAMESPACE;
use crate::error::{TablesError, corrupt};
use crate::index::FileKey;

/// File name of the object that is written to read the store's time; nothing refers to it.
pub(crate) const TIME: &str = "time.json";

/// The place of one table, and the names of things in it.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: Root,
}

impl Layout {
    /// The place of a table whose catalog leaves the choice to us.
    pub(crate) fn in_warehouse(warehouse: &Root, table: Table) -> Self {
        Self { root: warehouse.child(NAMESPACE).child(&table.to_string()) }
    }

    /// The table's location as Iceberg metadata names it, without a slash at the end.
    pub(crate) fn location(&self) -> &str {
        self.root.url.trim_end_matches('/')
    }

    pub(crate) fn metadata_directory(&self) -> Path {
        self.root.path("metadata")
    }

    /// Metadata that only one committer can create.
    pub(crate) fn metadata(&self, version: u64) -> Path {
        self.root.path(&format!("metadata/v{version}.metadata.json"))
    }

    /// Metadata that a catalog points to; the version only tells people the order.
    pub(crate) fn staged_metadata(&self, version: u64, id: UniqueId) -> Path {
        let id = uuid::Uuid::from_u128(id.0);
        self.root.path(&format!("metadata/{version:05}-{id}.metadata.json"))
    }

    pub(crate) fn version_hint(&self) -> Path {
        self.root.path("metadata/version-hint.text")
    }

    pub(crate) fn manifest_list(&self, snapshot: i64, attempt: u32, commit: UniqueId) -> Path {
        self.root.path(&format!("metadata/snap-{snapshot}-{attempt}-{commit}.avro"))
    }

    pub(crate) fn manifest(&self, commit: UniqueId, number: usize) -> Path {
        self.root.path(&format!("metadata/{commit}-m{number}.avro"))
    }

    pub(crate) fn ledger(&self, commit: UniqueId, attempt: u32) -> Path {
        self.root.path(&format!("ledger/{commit}-{attempt}.json"))
    }

    pub(crate) fn state(&self, commit: UniqueId) -> Path {
        self.root.path(&format!("state/{commit}.json"))
    }

    /// Overwritten by whoever wants to know the store's time.
    pub(crate) fn time(&self) -> Path {
        self.root.path("ledger").join(TIME)
    }

    pub(crate) fn data_file(&self, partition: &str, key: FileKey) -> Path {
        self.root.path(&format!("data/{partition}/{key}.parquet"))
    }

    /// The URL of a path, as Iceberg metadata names it.
    pub(crate) fn url(&self, path: &Path) -> String {
        self.root.url_of(path)
    }

    /// The path of a URL in Iceberg metadata.
    pub(crate) fn path_of(&self, url: &str) -> Result<Path, TablesError> {
        self.root.path_of_url(url).ok_or_else(|| corrupt(url, format!("it is outside the table's location {}", self.root.url)))
    }

    /// All bytes of an object.
    pub(crate) async fn read(&self, path: &Path) -> Result<Bytes, TablesError> {
        let read = async { self.root.store.get(path).await?.bytes().await };
        read.await.map_err(|source| TablesError::Store { doing: "read", object: path.to_string(), source })
    }

    /// Writes a whole object whose name is unique, so that repeating the write changes nothing.
    pub(crate) async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), TablesError> {
        let written = self.root.store.put(path, bytes.into()).await;
        written.map(|_| ()).map_err(|source| TablesError::Store { doing: "write", object: path.to_string(), source })
    }
}
