//! A store with a WAL and tables, and shifters as other processes would have them.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Int32Array, MapArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Schema};
use icegate_generator::Options;
use icegate_model::{Clock, RequestId, Table, TenantId, Timestamp};
use icegate_schema::{arrow_schema, attribute_map_fields, attribute_map_type, columns};
use icegate_shift::{Jobs, JobsConfig, Metrics, ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{ClockedStore, ManualClock, SeededIds};
use icegate_wal::{Request, Wal, Writer, WriterConfig};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

pub(crate) const START: Timestamp = Timestamp::from_secs(1_704_067_200);
pub(crate) const GRACE: Duration = Duration::from_secs(600);

/// A store with a WAL and tables, and the clock that all of it goes by.
pub(crate) struct Lake {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) root: Root,
    pub(crate) wal: Arc<Wal>,
    pub(crate) tables: Arc<Tables>,
}

impl Lake {
    pub(crate) async fn new() -> Self {
        Self::on(Root::memory()).await
    }

    pub(crate) async fn on(root: Root) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let dated = ClockedStore::new(Arc::clone(&root.store), Arc::clone(&clock) as Arc<dyn Clock>);
        let root = root.with_store(Arc::new(dated));
        let tables =
            Tables::object_store(root.child("warehouse"), Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededIds::new(1)));
        tables.migrate_create(false).await.unwrap();
        Self { clock, wal: Arc::new(Wal::new(root.child("queue"))), root, tables: Arc::new(tables) }
    }

    /// A shifter that takes turns with the others of this place.
    pub(crate) fn sharing(&self, seed: u64, max_row_groups: usize) -> Shifter {
        self.shifter(seed, max_row_groups).with_jobs(self.jobs(seed))
    }

    pub(crate) fn jobs(&self, seed: u64) -> Jobs {
        Jobs::new(self.root.child("queue").child("jobs"), JobsConfig::named(format!("shifter-{seed}")))
    }

    /// The first segment of the WAL.
    pub(crate) async fn first(&self) -> icegate_wal::Segment {
        self.wal.list(Table::Logs).await.unwrap().segments.remove(0)
    }

    /// Cuts a segment's object in half.
    pub(crate) async fn cut(&self, segment: &icegate_wal::Segment) -> bytes::Bytes {
        let whole = self.root.store.get(&segment.path).await.unwrap().bytes().await.unwrap();
        self.root.store.put(&segment.path, whole.slice(..whole.len() / 2).into()).await.unwrap();
        whole
    }

    /// A shifter with a view of the tables of its own, as another process would have.
    pub(crate) fn shifter(&self, seed: u64, max_row_groups: usize) -> Shifter {
        self.shifter_over(Arc::clone(&self.wal), seed, max_row_groups)
    }

    pub(crate) fn shifter_over(&self, wal: Arc<Wal>, seed: u64, max_row_groups: usize) -> Shifter {
        let config = ShiftConfig { grace: GRACE, max_row_groups, ..ShiftConfig::default() };
        Shifter::new(self.other_tables(seed), wal, config, Arc::clone(&self.clock) as Arc<dyn Clock>, Metrics::default())
    }

    pub(crate) fn shifter_with(&self, metrics: Metrics, seed: u64) -> Shifter {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Shifter::new(self.other_tables(seed), Arc::clone(&self.wal), ShiftConfig::default(), clock, metrics)
    }

    /// A shifter whose own clock shows another time.
    pub(crate) fn shifter_by(&self, clock: Arc<ManualClock>, seed: u64) -> Shifter {
        let config = ShiftConfig { grace: GRACE, ..ShiftConfig::default() };
        let warehouse = self.root.child("warehouse");
        let tables = Tables::object_store(warehouse, Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededIds::new(seed)));
        Shifter::new(Arc::new(tables), Arc::clone(&self.wal), config, clock, Metrics::default())
    }

    fn other_tables(&self, seed: u64) -> Arc<Tables> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Arc::new(Tables::object_store(self.root.child("warehouse"), clock, Arc::new(SeededIds::new(seed))))
    }

    /// A shifter that makes metrics, with the view of a process of its own, over a store as it sees it.
    pub(crate) fn generating(&self, root: &Root, seed: u64, max_row_groups: usize, options: Options) -> Shifter {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let tables = Tables::object_store(root.child("warehouse"), Arc::clone(&clock), Arc::new(SeededIds::new(seed)));
        let config = ShiftConfig { grace: GRACE, max_row_groups, ..ShiftConfig::default() };
        let wal = Arc::new(Wal::new(root.child("queue")));
        Shifter::new(Arc::new(tables), wal, config, clock, Metrics::default()).with_generator(options)
    }

    /// One segment of spans for each request.
    pub(crate) async fn write_spans(&self, requests: impl IntoIterator<Item = (u128, &str, RecordBatch)>) {
        let requests = requests.into_iter().map(|(id, tenant, rows)| {
            let tenant: TenantId = tenant.parse().unwrap();
            Request { id: RequestId(id), tenant, account: None, batches: vec![(Table::Spans, rows)] }
        });
        self.append(requests).await;
    }

    /// All rows of metrics.
    pub(crate) async fn metrics(&self) -> Vec<RecordBatch> {
        let snapshot = self.tables.snapshot(Table::Metrics).await.unwrap();
        let mut rows = Vec::new();
        for file in snapshot.files() {
            let bytes = snapshot.root().store.get(&file.path).await.unwrap().bytes().await.unwrap();
            let read = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
            rows.extend(read.map(Result::unwrap));
        }
        rows
    }

    /// One segment for each request.
    pub(crate) async fn write(&self, requests: &[(u128, usize)]) {
        let requests = requests.iter().map(|(id, rows)| {
            let tenant: TenantId = "t".parse().unwrap();
            Request { id: RequestId(*id), tenant, account: None, batches: vec![(Table::Logs, log_rows(*rows))] }
        });
        self.append(requests).await;
    }

    async fn append(&self, requests: impl Iterator<Item = Request>) {
        let writer = Writer::start(
            Arc::clone(&self.wal),
            WriterConfig { flush_interval: Duration::from_millis(1), ..WriterConfig::default() },
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(icegate_model::RandomIds),
            icegate_wal::Metrics::default(),
        );
        let (writer, task) = writer;
        for request in requests {
            writer.append(request).await.unwrap();
            self.clock.advance(Duration::from_millis(1));
        }
        task.close().await;
    }

    pub(crate) async fn rows(&self) -> u64 {
        self.tables.snapshot(Table::Logs).await.unwrap().total_rows()
    }

    pub(crate) async fn segments(&self) -> usize {
        self.segments_of(Table::Logs).await
    }

    pub(crate) async fn segments_of(&self, table: Table) -> usize {
        self.wal.list(table).await.unwrap().segments.len()
    }
}

fn log_rows(rows: usize) -> RecordBatch {
    let schema = arrow_schema(Table::Logs);
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from_value(START.micros(), rows).with_timezone("+00:00"));
    let arrays = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            columns::TENANT_ID => Arc::new(StringArray::from_iter_values((0..rows).map(|_| "t"))),
            columns::TIMESTAMP | columns::OBSERVED_TIMESTAMP | columns::INGESTED_TIMESTAMP => Arc::clone(&time),
            columns::DROPPED_ATTRIBUTES_COUNT => Arc::new(Int32Array::from_value(0, rows)),
            columns::ATTRIBUTES => empty_maps(rows),
            _ => new_null_array(field.data_type(), rows),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), arrays.collect()).unwrap()
}

fn empty_maps(rows: usize) -> ArrayRef {
    let DataType::Map(entries, sorted) = attribute_map_type() else { panic!("attributes are a map") };
    let none = StructArray::from(RecordBatch::new_empty(Arc::new(Schema::new(attribute_map_fields()))));
    Arc::new(MapArray::new(entries, OffsetBuffer::from_lengths(vec![0; rows]), none, None, sorted))
}
