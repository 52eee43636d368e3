//! The newest state of a table: its files and what has been shifted into it.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use arrow::datatypes::SchemaRef;
use icegate_model::{Table, Timestamp};
use icegate_storage::Root;

use crate::Tables;
use crate::catalog::Loaded;
use crate::data_file::DataFile;
use crate::error::TablesError;
use crate::ledger::Shifted;
use crate::state::state_of;

/// One version of a table. Files and ledgers are of the same commit, so a segment's rows are in the files exactly if
/// [`Shifted`] names it (within the ledgers' horizon).
#[derive(Debug)]
pub struct Snapshot {
    table: Table,
    id: Option<i64>,
    location: String,
    root: Root,
    committed: Option<Timestamp>,
    files: Vec<Arc<DataFile>>,
    shifted: Shifted,
    state: Option<String>,
    total_rows: u64,
}

impl Snapshot {
    /// Which table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// The Iceberg snapshot; `None` before the first commit.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        self.id
    }

    /// URL of the metadata, which another Iceberg reader can open.
    #[must_use]
    pub fn metadata_location(&self) -> &str {
        &self.location
    }

    /// Where the table's files are; [`DataFile::path`] is a path in its store.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// When it was committed; `None` before the first commit.
    #[must_use]
    pub fn committed(&self) -> Option<Timestamp> {
        self.committed
    }

    /// The live data files of all tenants, in no particular order.
    #[must_use]
    pub fn files(&self) -> &[Arc<DataFile>] {
        &self.files
    }

    /// The segments and requests whose rows are in the files.
    #[must_use]
    pub fn shifted(&self) -> &Shifted {
        &self.shifted
    }

    /// URL of what the newest commit that left a state has left ([`NextState`](crate::NextState)); `None` where none did.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Rows of all files.
    #[must_use]
    pub fn total_rows(&self) -> u64 {
        self.total_rows
    }

    /// The columns of this release's data files. A file written before an upgrade lacks the later ones; they are NULL.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        icegate_schema::file_schema(self.table)
    }
}

impl Tables {
    /// The newest snapshot, with ledgers as far back as the horizon. Where nothing was committed since the last call this costs
    /// one small request to the catalog.
    ///
    /// # Errors
    /// [`TablesError::NoTable`] before `migrate create`; [`TablesError::Store`], [`TablesError::Corrupt`] and
    /// [`TablesError::Unsupported`] for what can't be read.
    pub async fn snapshot(&self, table: Table) -> Result<Arc<Snapshot>, TablesError> {
        self.snapshot_since(table, Timestamp::MAX).await
    }

    /// The same with ledgers at least as far back as `since`, and a little more as clocks differ: for a reader or shifter that
    /// sees segments older than the horizon. A segment can only be in the ledger of a commit after it was made.
    ///
    /// # Errors
    /// As [`Tables::snapshot`].
    pub async fn snapshot_since(&self, table: Table, since: Timestamp) -> Result<Arc<Snapshot>, TablesError> {
        let since = self.ledgers_since(since);
        let loaded = self.newest(table).await?;
        if let Some(built) = self.built(table, &loaded, since) {
            return Ok(built);
        }
        let _building = self.state(table).building.lock().await;
        if let Some(built) = self.built(table, &loaded, since) {
            return Ok(built);
        }
        let snapshot = Arc::new(self.build(table, &loaded, since).await?);
        *self.state(table).built.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// The remembered snapshot, if it is of this metadata and its ledgers reach back far enough.
    fn built(&self, table: Table, loaded: &Loaded, since: Timestamp) -> Option<Arc<Snapshot>> {
        let built = self.state(table).built.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |built: &&Arc<Snapshot>| built.location == loaded.location && built.shifted.since <= since;
        built.as_ref().filter(fits).map(Arc::clone)
    }

    async fn build(&self, table: Table, loaded: &Loaded, since: Timestamp) -> Result<Snapshot, TablesError> {
        let files = self.live_files(table, loaded).await?;
        let current = loaded.metadata.current_snapshot();
        Ok(Snapshot {
            table,
            id: current.map(|snapshot| snapshot.snapshot_id()),
            location: loaded.location.clone(),
            root: loaded.layout.root.clone(),
            committed: current.map(|snapshot| Timestamp::from_millis(snapshot.timestamp_ms())),
            total_rows: files.iter().map(|file| file.rows).sum(),
            files,
            shifted: self.shifted(table, loaded, since).await?,
            state: state_of(&loaded.metadata).map(str::to_owned),
        })
    }

    async fn shifted(&self, table: Table, loaded: &Loaded, since: Timestamp) -> Result<Shifted, TablesError> {
        let history = self.ledgers(table, loaded, since).await?;
        // Whatever is committed later is dated no earlier.
        let made = || Timestamp::from_millis(loaded.metadata.last_updated_ms());
        let newest = history.first().map_or_else(made, |(_, ledger)| ledger.committed);
        let mut shifted = Shifted { newest, since, ..Shifted::default() };
        for (_, ledger) in &history {
            let at = ledger.committed;
            shifted.segments.extend(ledger.segments.iter().map(|name| (Arc::clone(name), at)));
            shifted.requests.extend(ledger.requests.iter().map(|id| (*id, at)));
        }
        let reachable: HashSet<_> = history.iter().map(|(url, _)| url.as_str()).collect();
        self.state(table).ledgers.retain(&reachable);
        Ok(shifted)
    }
}
