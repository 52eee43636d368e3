//! A store behind a network of a test's choice, segments in it, and those who work on them.

use std::sync::Arc;

use icegate_model::{Clock, RequestId, SystemClock, Table, TenantId};
use icegate_shift::{Metrics, ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{FaultyStore, Network, SeededIds};
use icegate_wal::{Request, Wal, Writer, WriterConfig};

pub(crate) struct Bench {
    /// Without a network before it.
    pub(crate) root: Root,
    /// The judge's.
    pub(crate) tables: Arc<Tables>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let root = Root::memory();
        let tables = Arc::new(tables(&root, 1));
        tables.migrate_create(false).await.unwrap();
        Self { root, tables }
    }

    pub(crate) fn behind(&self, network: Arc<dyn Network>) -> Root {
        self.root.with_store(Arc::new(FaultyStore::new(Arc::clone(&self.root.store), network)))
    }

    pub(crate) fn wal(&self) -> Arc<Wal> {
        wal(&self.root)
    }

    /// Segments of one row of logs each; the row's time is its request's number.
    pub(crate) async fn write(&self, numbers: impl IntoIterator<Item = u64>) {
        let config = WriterConfig { flush_interval: std::time::Duration::ZERO, ..WriterConfig::default() };
        let ids = Arc::new(SeededIds::new(1_000));
        let (writer, task) = Writer::start(self.wal(), config, clock(), ids, icegate_wal::Metrics::default());
        for number in numbers {
            writer.append(request(number)).await.unwrap();
        }
        task.close().await;
    }

    pub(crate) async fn rows(&self) -> u64 {
        self.tables.snapshot(Table::Logs).await.unwrap().total_rows()
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::default_tenant()
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(crate) fn request(number: u64) -> Request {
    let rows = icegate_wal::conformance::rows(Table::Logs, &tenant(), None, &[i64::try_from(number).unwrap()]).unwrap();
    Request { id: RequestId(u128::from(number)), tenant: tenant(), account: None, batches: vec![(Table::Logs, rows)] }
}

pub(crate) fn wal(root: &Root) -> Arc<Wal> {
    Arc::new(Wal::new(root.child("queue")))
}

pub(crate) fn tables(root: &Root, seed: u64) -> Tables {
    Tables::object_store(root.child("warehouse"), clock(), Arc::new(SeededIds::new(seed)))
}

/// A process of its own.
pub(crate) fn shifter(root: &Root, seed: u64) -> Shifter {
    Shifter::new(Arc::new(tables(root, seed)), wal(root), ShiftConfig::default(), clock(), Metrics::default())
}
