//! Where the objects of a table are.

use bytes::Bytes;
use icegate_model::{Table, UniqueId};
use icegate_storage::Root;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::error::{TablesError, corrupt};

/// The warehouse, and the names of things in it.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: Root,
}

impl Layout {
    /// The table's location as Iceberg metadata names it, without a slash at the end.
    pub(crate) fn location(&self, table: Table) -> String {
        self.root.url_of(&self.root.path(&format!("icegate/{table}")))
    }

    pub(crate) fn metadata_directory(&self, table: Table) -> Path {
        self.root.path(&format!("icegate/{table}/metadata"))
    }

    pub(crate) fn metadata(&self, table: Table, version: u64) -> Path {
        self.root.path(&format!("icegate/{table}/metadata/v{version}.metadata.json"))
    }

    pub(crate) fn version_hint(&self, table: Table) -> Path {
        self.root.path(&format!("icegate/{table}/metadata/version-hint.text"))
    }

    pub(crate) fn manifest_list(&self, table: Table, snapshot: i64, attempt: u32, commit: UniqueId) -> Path {
        self.root.path(&format!("icegate/{table}/metadata/snap-{snapshot}-{attempt}-{commit}.avro"))
    }

    pub(crate) fn manifest(&self, table: Table, commit: UniqueId, number: usize) -> Path {
        self.root.path(&format!("icegate/{table}/metadata/{commit}-m{number}.avro"))
    }

    pub(crate) fn ledger(&self, table: Table, commit: UniqueId) -> Path {
        self.root.path(&format!("icegate/{table}/ledger/{commit}.json"))
    }

    /// The ledgers that one attempt of an expiry gathered.
    pub(crate) fn checkpoint(&self, table: Table, id: UniqueId, attempt: u32) -> Path {
        self.root.path(&format!("icegate/{table}/ledger/checkpoint-{id}-{attempt}.json"))
    }

    /// Everything of a table is below.
    pub(crate) fn table_directory(&self, table: Table) -> Path {
        self.root.path(&format!("icegate/{table}"))
    }

    pub(crate) fn data_file(&self, table: Table, partition: &str, id: UniqueId) -> Path {
        self.root.path(&format!("icegate/{table}/data/{partition}/{id}.parquet"))
    }

    /// The URL of a path, as Iceberg metadata names it.
    pub(crate) fn url(&self, path: &Path) -> String {
        self.root.url_of(path)
    }

    /// The path of a URL in Iceberg metadata.
    pub(crate) fn path_of(&self, url: &str) -> Result<Path, TablesError> {
        self.root.path_of_url(url).ok_or_else(|| corrupt(url, format!("it is outside the warehouse {}", self.root.url)))
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
