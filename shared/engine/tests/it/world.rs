//! Tables and a WAL in memory, filled and shifted the way the processes do it.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use icegate_engine::{Engine, EngineConfig, Opened};
use icegate_model::{IdGenerator, RandomIds, RequestId, SystemClock, Table, TenantId, TimeRange};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Ledger, Tables};
use icegate_wal::{Metrics, Request, Segment, Wal, Writer, WriterConfig};

use crate::rows::{Log, batch};

pub(crate) struct World {
    pub(crate) warehouse: Root,
    pub(crate) queue: Root,
    pub(crate) tables: Arc<Tables>,
    pub(crate) wal: Arc<Wal>,
}

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(crate) fn tables(warehouse: Root) -> Arc<Tables> {
    Arc::new(Tables::object_store(warehouse, Arc::new(SystemClock), Arc::new(RandomIds)))
}

impl World {
    pub(crate) async fn new() -> Self {
        let (warehouse, queue) = (Root::memory(), Root::memory());
        let (tables, wal) = (tables(warehouse.clone()), Arc::new(Wal::new(queue.clone())));
        tables.migrate_create(false).await.unwrap();
        Self { warehouse, queue, tables, wal }
    }

    pub(crate) fn engine(&self, config: EngineConfig) -> Engine {
        Engine::new(Arc::clone(&self.tables), Some(Arc::clone(&self.wal)), config).unwrap()
    }

    /// Stores one request a tenant, all in one segment.
    pub(crate) async fn ingest(&self, requests: &[(&str, &[Log])]) {
        let requests: Vec<_> = requests.iter().map(|(name, logs)| (RequestId(RandomIds.unique().0), *name, *logs)).collect();
        self.ingest_as(&requests).await;
    }

    /// As [`World::ingest`], under given request ids.
    pub(crate) async fn ingest_as(&self, requests: &[(RequestId, &str, &[Log])]) {
        let request = |(id, name, logs): &(RequestId, &str, &[Log])| {
            let batches = vec![(Table::Logs, batch(name, logs))];
            Request { id: *id, tenant: tenant(name), account: None, batches }
        };
        self.append(requests.iter().map(request).collect()).await;
    }

    /// Stores one batch of log records as it is.
    pub(crate) async fn ingest_batch(&self, name: &str, batch: RecordBatch) {
        self.ingest_tables(name, vec![(Table::Logs, batch)]).await;
    }

    /// Stores batches of any tables as they are.
    pub(crate) async fn ingest_tables(&self, name: &str, batches: Vec<(Table, RecordBatch)>) {
        let id = RequestId(RandomIds.unique().0);
        self.append(vec![Request { id, tenant: tenant(name), account: None, batches }]).await;
    }

    async fn append(&self, requests: Vec<Request>) {
        let config = WriterConfig { flush_interval: Duration::from_millis(20), ..WriterConfig::default() };
        let (writer, task) =
            Writer::start(Arc::clone(&self.wal), config, Arc::new(SystemClock), Arc::new(RandomIds), Metrics::default());
        let appends = requests.into_iter().map(|request| writer.append(request));
        for durable in futures::future::join_all(appends).await {
            durable.unwrap();
        }
        task.close().await;
    }

    pub(crate) async fn segments(&self) -> Vec<Segment> {
        self.wal.list(Table::Logs).await.unwrap().segments
    }

    /// Moves segments to their table; they stay in the WAL.
    pub(crate) async fn shift(&self, segments: &[Segment]) {
        let (mut batches, mut ledger) = (Vec::new(), Ledger::default());
        for segment in segments {
            batches.extend(self.wal.read(segment).await.unwrap());
            ledger.segments.push(segment.name.clone());
            let footer = self.wal.footer(segment).await.unwrap();
            ledger.requests.extend(footer.requests.iter().map(|run| run.id));
        }
        let table = segments[0].table;
        let files = self.tables.write_files(table, batches, FileOptions::default()).await.unwrap();
        self.tables.commit(table, Append { files, ledger }).await.unwrap();
    }

    pub(crate) async fn open(&self, name: &str) -> Opened {
        self.engine(EngineConfig::default()).open(Table::Logs, &tenant(name), TimeRange::ALL).await.unwrap()
    }

    pub(crate) async fn count(&self, name: &str) -> usize {
        let opened = self.open(name).await;
        opened.session.read_table(opened.provider).unwrap().count().await.unwrap()
    }
}
