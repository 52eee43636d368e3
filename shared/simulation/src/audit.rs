//! The judge's own look at the store, past network and engine.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use icegate_model::{RequestId, Table, TenantId, Timestamp};
use icegate_schema::{columns, indexed_id};
use icegate_storage::Root;
use icegate_tables::{DataFile, FileKey, IdHash, IndexObject, Snapshot, Tables};
use icegate_testkit::SeededIds;
use icegate_wal::{Segment, Wal};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::time::Instant;

use crate::ledger_of_truth::Row;
use crate::virtual_clock::VirtualClock;
use crate::world::World;

/// Rows of a data file, each with the tenant that is written beside it.
type FileRows = Arc<Vec<(TenantId, Row)>>;

pub(crate) struct Auditor {
    root: Root,
    wal: Wal,
    tables: Tables,
    files: Mutex<HashMap<Path, FileRows>>,
    /// Metadata whose summary was checked.
    summaries: Mutex<HashSet<String>>,
    segments: Mutex<BTreeMap<String, Arc<Vec<RequestId>>>>,
}

/// A table at one moment.
pub(crate) struct Audited {
    /// Rows of the table's files.
    pub(crate) stored: Vec<Row>,
    /// Segments that no ledger names and that can be read.
    pub(crate) pending: usize,
    /// Segments that a ledger names.
    pub(crate) shifted: usize,
}

impl Auditor {
    pub(crate) fn new(root: &Root, began: Instant) -> Self {
        let clock = Arc::new(VirtualClock::new(began));
        let tables = Tables::object_store(root.child("warehouse"), clock, Arc::new(SeededIds::new(u64::MAX)));
        Self {
            root: root.clone(),
            wal: Wal::new(root.child("queue")),
            tables,
            files: Mutex::default(),
            summaries: Mutex::default(),
            segments: Mutex::default(),
        }
    }

    /// Makes the tables, before anything can go wrong.
    pub(crate) async fn create_tables(&self) {
        self.tables.migrate_create(false).await.unwrap();
    }

    /// Checks a table as it is now (I1, I2, I4, I7).
    pub(crate) async fn audit(&self, world: &World, table: Table) -> Result<Audited, String> {
        let listed = self.wal.list(table).await.unwrap().segments;
        let snapshot = self.tables.snapshot_since(table, Timestamp::MIN).await.map_err(|error| format!("UNREADABLE: {error}"))?;
        let stored = self.stored(world, &snapshot).await?;
        let mut visible = stored.clone();
        let mut met: HashSet<RequestId> = HashSet::new();
        let (mut pending, mut shifted) = (0, 0);
        for segment in &listed {
            if snapshot.shifted().contains(&segment.name) {
                shifted += 1;
                continue;
            }
            if world.is_spoilt(&segment.name) {
                continue;
            }
            let requests = self.requests(segment).await;
            pending += 1;
            for id in requests.iter().filter(|id| snapshot.shifted().request(**id).is_none()) {
                if met.insert(*id) {
                    visible.extend(world.truth().rows(*id, table).unwrap_or_default());
                }
            }
        }
        let truth = world.truth();
        match truth.judge(table, None, &truth.acknowledged(table, None), &visible) {
            Some(wrong) => Err(wrong),
            None => Ok(Audited { stored, pending, shifted }),
        }
    }

    async fn stored(&self, world: &World, snapshot: &Snapshot) -> Result<Vec<Row>, String> {
        let mut stored = Vec::new();
        for file in snapshot.files() {
            let rows = self.rows(snapshot, file).await?;
            if rows.len() as u64 != file.rows {
                return Err(format!("MISCOUNTED: {} has {} rows, its manifest says {}", file.path, rows.len(), file.rows));
            }
            for (tenant, row) in rows.iter() {
                let owner = world.truth().tenant_of(snapshot.table(), *row).cloned();
                if *tenant != file.tenant || owner.is_some_and(|owner| owner != *tenant) {
                    return Err(format!("FOREIGN: {} holds row {row} of another tenant", file.path));
                }
                stored.push(*row);
            }
        }
        self.check_summary(snapshot, stored.len()).await?;
        Ok(stored)
    }

    /// I7: what the summary says is in the files.
    async fn check_summary(&self, snapshot: &Snapshot, rows: usize) -> Result<(), String> {
        let Some(id) = snapshot.id() else { return Ok(()) };
        // Metadata and files never change.
        if !self.summaries.lock().unwrap_or_else(PoisonError::into_inner).insert(snapshot.metadata_location().to_owned()) {
            return Ok(());
        }
        let path = self.root.path_of_url(snapshot.metadata_location()).unwrap();
        let bytes = self.root.store.get(&path).await.unwrap().bytes().await.unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let snapshots = metadata["snapshots"].as_array().unwrap();
        let summary = &snapshots.iter().find(|snapshot| snapshot["snapshot-id"] == id).unwrap()["summary"];
        if summary["total-records"].as_str() == Some(rows.to_string().as_str()) {
            Ok(())
        } else {
            Err(format!(
                "MISCOUNTED: {} has {rows} rows, its summary says {}",
                snapshot.metadata_location(),
                summary["total-records"]
            ))
        }
    }

    /// A file's rows, by nothing but a Parquet reader.
    async fn rows(&self, snapshot: &Snapshot, file: &DataFile) -> Result<FileRows, String> {
        if let Some(known) = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&file.path) {
            return Ok(Arc::clone(known));
        }
        let read = async { self.root.store.get(&file.path).await?.bytes().await };
        let bytes = read.await.map_err(|error| format!("UNREADABLE: {} of a snapshot: {error}", file.path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let id = indexed_id(snapshot.table());
        let columns = [columns::TENANT_ID, columns::TIMESTAMP].into_iter().chain(id);
        let columns = ProjectionMask::columns(builder.parquet_schema(), columns);
        let (mut rows, mut ids) = (Vec::new(), BTreeSet::new());
        for batch in builder.with_projection(columns).build().unwrap() {
            let batch = batch.unwrap();
            let tenants = batch.column_by_name(columns::TENANT_ID).unwrap().as_string::<i32>();
            let times = batch.column_by_name(columns::TIMESTAMP).unwrap().as_primitive::<TimestampMicrosecondType>();
            if let Some(id) = id {
                let column = batch.column_by_name(id).unwrap().as_binary::<i32>();
                ids.extend(column.iter().flatten().map(IdHash::of));
            }
            rows.extend((0..batch.num_rows()).map(|row| (tenants.value(row).parse().unwrap(), times.value(row))));
        }
        if id.is_some() {
            self.check_index(snapshot, file, &ids).await?;
        }
        let rows = Arc::new(rows);
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(file.path.clone(), Arc::clone(&rows));
        Ok(rows)
    }

    /// Beside every file that a commit names is the index of its ids.
    async fn check_index(&self, snapshot: &Snapshot, file: &DataFile, ids: &BTreeSet<IdHash>) -> Result<(), String> {
        let wrong = |what: &str| format!("UNINDEXED: {}: {what}", file.path);
        let key = FileKey::of(&file.path).ok_or_else(|| wrong("its name is of no write"))?;
        let read = async { self.root.store.get(&key.index_path(snapshot.root())).await?.bytes().await };
        let index = IndexObject::decode(read.await.map_err(|error| wrong(&error.to_string()))?).map_err(|error| wrong(&error))?;
        let covered = index.directory().files().any(|covered| covered == key);
        let holds_all = ids.iter().all(|id| index.may_hold(key, *id) == Some(true));
        if covered && holds_all { Ok(()) } else { Err(wrong("its index says that it lacks what it holds")) }
    }

    /// A segment's requests.
    async fn requests(&self, segment: &Segment) -> Arc<Vec<RequestId>> {
        if let Some(known) = self.segments.lock().unwrap_or_else(PoisonError::into_inner).get(&segment.name) {
            return Arc::clone(known);
        }
        let footer = self.wal.footer(segment).await.unwrap();
        let requests: Arc<Vec<_>> = Arc::new(footer.requests.iter().map(|run| run.id).collect());
        self.segments.lock().unwrap_or_else(PoisonError::into_inner).insert(segment.name.clone(), Arc::clone(&requests));
        requests
    }

    /// Rows that the table's files have to hold at the end.
    pub(crate) fn expected_at_the_end(world: &World, table: Table) -> BTreeSet<Row> {
        world.truth().acknowledged(table, None)
    }
}

impl std::fmt::Debug for Auditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auditor")
    }
}
