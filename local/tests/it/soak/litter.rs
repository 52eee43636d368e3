use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use icegate_model::{Clock, SystemClock, Timestamp};
use tokio::time::sleep;

use super::killer::Kills;
use super::replica::Replica;
use crate::backend::Backend;
use crate::process::PATIENCE;

/// Orphans that are days old, so that every sweep has something to remove: in a warehouse of plain files. A run is too short for its
/// own to grow old.
#[derive(Clone)]
pub(super) struct Litter {
    folder: Option<PathBuf>,
    dropped: Arc<AtomicU64>,
}

impl Litter {
    pub(super) fn new(backend: &Backend) -> Self {
        let folder = backend.folder().join("warehouse/icegate/logs/data/litter");
        let warehouse = backend.folder().join("warehouse").is_dir();
        Self { folder: warehouse.then_some(folder), dropped: Arc::default() }
    }

    /// Drops one now and then until the kills are done.
    pub(super) async fn drop_on(self, kills: Arc<Kills>) {
        let Some(folder) = &self.folder else { return };
        let four_days_ago = UNIX_EPOCH + SystemClock.now().since(Timestamp::from_secs(4 * 86_400));
        while kills.left() > 0 {
            let path = folder.join(format!("{}.parquet", self.dropped.fetch_add(1, Ordering::SeqCst)));
            std::fs::create_dir_all(folder).unwrap();
            // Never seen young; a sweep may be faster than the renaming.
            let young = path.with_extension("tmp");
            std::fs::write(&young, "litter").unwrap();
            std::fs::File::options().write(true).open(&young).unwrap().set_modified(four_days_ago).unwrap();
            let renamed = std::fs::rename(&young, &path);
            assert!(renamed.is_ok() || renamed.is_err_and(|error| error.kind() == ErrorKind::NotFound));
            sleep(Duration::from_millis(700)).await;
        }
    }

    /// Waits until all of it is swept away.
    pub(super) async fn is_gone(&self, maintain: &Replica) {
        let Some(folder) = &self.folder else { return };
        let started = Instant::now();
        let left = || std::fs::read_dir(folder).map_or(0, Iterator::count);
        while left() > 0 {
            assert!(started.elapsed() < PATIENCE, "{} orphans are left: {}", left(), maintain.log());
            sleep(Duration::from_millis(200)).await;
        }
        let dropped = self.dropped.load(Ordering::SeqCst);
        assert!(dropped > 0);
        eprintln!("  {dropped} orphans of days ago were swept meanwhile");
    }
}
