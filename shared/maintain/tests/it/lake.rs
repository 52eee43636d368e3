//! Tables and a WAL on a store whose objects are as old as the test's clock says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int32Array, StringArray, TimestampMicrosecondArray, new_empty_array, new_null_array};
use arrow::array::{MapArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use icegate_maintain::{MaintainConfig, Maintainer, Metrics};
use icegate_model::{Clock, RequestId, Table, Timestamp};
use icegate_schema::{arrow_schema, columns};
use icegate_storage::{Root, Store};
use icegate_tables::{FileOptions, Ledger, Retention, Tables, WrittenFile};
use icegate_testkit::{ClockedStore, ManualClock, SeededIds};
use icegate_wal::Wal;

pub(crate) const START: Timestamp = Timestamp::from_secs(1_767_225_600);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const GRACE: Duration = Duration::from_secs(3 * 24 * 60 * 60);
pub(crate) const RETENTION: Duration = HOUR;

pub(crate) struct Lake {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<ClockedStore>,
    pub(crate) root: Root,
    pub(crate) wal: Arc<Wal>,
    pub(crate) tables: Arc<Tables>,
}

impl Lake {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let memory = Root::memory();
        let store = Arc::new(ClockedStore::new(Arc::clone(&memory.store), Arc::clone(&clock) as Arc<dyn Clock>));
        let root = memory.with_store(Arc::clone(&store) as Store);
        let wal = Arc::new(Wal::new(root.child("queue")));
        let tables = Arc::new(tables(&root, &clock, 1));
        tables.migrate_create(false).await.unwrap();
        Self { clock, store, root, wal, tables }
    }

    /// Another process's view.
    pub(crate) fn fresh(&self, seed: u64) -> Tables {
        tables(&self.root, &self.clock, seed)
    }

    pub(crate) fn maintainer(&self) -> Maintainer {
        let retention = Retention { time: RETENTION, snapshots: 2 };
        let config = MaintainConfig { retention, orphan_grace: GRACE, ..MaintainConfig::default() };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Maintainer::new(Arc::clone(&self.tables), Arc::clone(&self.wal), config, clock, Metrics::default())
    }

    /// A file of one row that no commit names yet.
    pub(crate) async fn write(&self) -> Vec<WrittenFile> {
        self.tables.write_files(Table::Logs, vec![log_row()], FileOptions::default()).await.unwrap()
    }

    pub(crate) async fn objects(&self) -> BTreeSet<String> {
        let listed = self.root.store.list(None).map_ok(|object| object.location.to_string());
        listed.try_collect().await.unwrap()
    }
}

fn tables(root: &Root, clock: &Arc<ManualClock>, seed: u64) -> Tables {
    Tables::object_store(root.child("warehouse"), Arc::clone(clock) as Arc<dyn Clock>, Arc::new(SeededIds::new(seed)))
}

/// What a segment of one request leaves in the ledger.
pub(crate) fn ledger(number: u64) -> Ledger {
    Ledger { segments: vec![format!("s{number}")], requests: vec![RequestId(u128::from(number))], ..Ledger::default() }
}

fn log_row() -> RecordBatch {
    let schema = arrow_schema(Table::Logs);
    let arrays = schema.fields().iter().map(|field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            (columns::TENANT_ID, _) => Arc::new(StringArray::from(vec!["t"])),
            (columns::ATTRIBUTES, DataType::Map(entries, _)) => {
                let DataType::Struct(fields) = entries.data_type() else { panic!("a map of structs") };
                let empty = fields.iter().map(|field| new_empty_array(field.data_type())).collect();
                let entry = arrow::array::StructArray::new(fields.clone(), empty, None);
                Arc::new(MapArray::new(Arc::clone(entries), OffsetBuffer::from_lengths([0]), entry, None, false))
            }
            _ if field.is_nullable() => new_null_array(field.data_type(), 1),
            (_, DataType::Int32) => Arc::new(Int32Array::from_value(0, 1)),
            _ => Arc::new(TimestampMicrosecondArray::from_value(START.micros(), 1).with_timezone("+00:00")),
        }
    });
    let arrays = arrays.collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}
