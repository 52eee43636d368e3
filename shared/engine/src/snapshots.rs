use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use icegate_model::Table;
use icegate_tables::{Snapshot, Tables, TablesError};
use tokio::time::Instant;

/// Snapshots that scans without the WAL may use again until they are too old.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    kept: Mutex<HashMap<Table, (Instant, Arc<Snapshot>)>>,
}

impl Snapshots {
    /// A snapshot that was the newest at some moment of the last `max_age`.
    pub(crate) async fn within(&self, max_age: Duration, tables: &Tables, table: Table) -> Result<Arc<Snapshot>, TablesError> {
        let now = Instant::now();
        if let Some(snapshot) = self.kept(table, now, max_age) {
            return Ok(snapshot);
        }
        let snapshot = tables.snapshot(table).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(table, (now, Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// Forgets a table's snapshot, since an object of it has vanished.
    pub(crate) fn forget(&self, table: Table) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&table);
    }

    fn kept(&self, table: Table, now: Instant, max_age: Duration) -> Option<Arc<Snapshot>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (loaded, snapshot) = kept.get(&table)?;
        (now.duration_since(*loaded) < max_age).then(|| Arc::clone(snapshot))
    }
}
