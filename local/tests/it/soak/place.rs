use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use icegate_storage::Root;
use object_store::{Error, ObjectStoreExt};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Where everything of a run lies, and what its processes are told about it.
pub(super) struct Place {
    /// Configurations, logs and journals.
    pub(super) folder: PathBuf,
    pub(super) warehouse: Root,
    /// The part of the configuration that names the stores and the catalog.
    pub(super) stores: String,
    pub(super) variables: Vec<(String, String)>,
    /// What outside readers have to be told to reach the warehouse.
    pub(super) reader_options: Value,
    pub(super) name: &'static str,
}

/// A version of the `logs` table.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) location: String,
    pub(super) snapshot: Option<i64>,
    /// Rows by the snapshot's own summary.
    pub(super) rows: u64,
}

/// The first version of a table.
const FIRST: u64 = 1;

impl Place {
    /// Plain files below a folder.
    pub(super) fn files(folder: &Path) -> Self {
        let warehouse = Root::open(&format!("file://{}/warehouse/", folder.display())).unwrap();
        let stores = format!(
            "catalog: {{ backend: !object_store , warehouse: \"{}\" }}\n\
             storage: {{ backend: !filesystem {{ root_path: \"{folder}\" }} }}\n\
             queue: {{ common: {{ base_path: \"file://{folder}/queue/\" }} }}\n",
            warehouse.url,
            folder = folder.display()
        );
        Self {
            folder: folder.to_owned(),
            warehouse,
            stores,
            variables: Vec::new(),
            reader_options: json!({}),
            name: "files",
        }
    }

    fn metadata(&self, version: u64) -> String {
        format!("icegate/logs/metadata/v{version}.metadata.json")
    }

    async fn exists(&self, version: u64) -> bool {
        match self.warehouse.store.head(&self.warehouse.path(&self.metadata(version))).await {
            Ok(_) => true,
            Err(Error::NotFound { .. }) => false,
            Err(error) => panic!("version {version} of the table: {error}"),
        }
    }

    /// Counts the versions of the table from now on.
    pub(super) fn watch(self: &Arc<Self>, every: Duration) -> watch::Receiver<u64> {
        let (place, (count, watched)) = (Arc::clone(self), watch::channel(0));
        tokio::spawn(async move {
            while !count.is_closed() {
                let next = *count.borrow() + 1;
                if place.exists(next).await {
                    count.send_replace(next);
                } else {
                    tokio::time::sleep(every).await;
                }
            }
        });
        watched
    }

    pub(super) async fn version(&self, number: u64) -> Version {
        let path = self.warehouse.path(&self.metadata(number));
        let bytes = self.warehouse.store.get(&path).await.unwrap().bytes().await.unwrap();
        let metadata: Value = serde_json::from_slice(&bytes).unwrap();
        let snapshot = metadata["current-snapshot-id"].as_i64().filter(|id| *id != -1);
        let snapshots = metadata["snapshots"].as_array().into_iter().flatten();
        let current = snapshots.filter(|given| given["snapshot-id"].as_i64() == snapshot).last();
        let rows = current.map_or(0, |given| given["summary"]["total-records"].as_str().unwrap().parse().unwrap());
        Version { location: self.warehouse.url_of(&path), snapshot, rows }
    }

    /// The version that made this snapshot the current one, looked for from `newest` back.
    pub(super) async fn version_of(&self, snapshot: Option<i64>, newest: u64) -> Option<Version> {
        const LOOK_BACK: u64 = 200;
        for number in (newest.saturating_sub(LOOK_BACK).max(FIRST)..=newest).rev() {
            let version = self.version(number).await;
            if version.snapshot == snapshot {
                return Some(version);
            }
        }
        None
    }
}
