//! Segments become rows of a table once, whatever repeats, runs beside or fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{
    ArrayRef, Int32Array, MapArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Schema};
use icegate_model::{Clock, RequestId, Table, TenantId, Timestamp};
use icegate_schema::{arrow_schema, attribute_map_fields, attribute_map_type, columns};
use icegate_shift::{Metrics, ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{ManualClock, SeededIds};
use icegate_wal::{Request, Wal, Writer, WriterConfig};
use object_store::ObjectStoreExt;

const START: Timestamp = Timestamp::from_secs(1_704_067_200);
const GRACE: Duration = Duration::from_secs(600);

/// A store with a WAL and tables, and the clock that all of it goes by.
struct Lake {
    clock: Arc<ManualClock>,
    root: Root,
    wal: Arc<Wal>,
    tables: Arc<Tables>,
}

impl Lake {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let root = Root::memory();
        let tables =
            Tables::object_store(root.child("warehouse"), Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededIds::new(1)));
        tables.migrate_create(false).await.unwrap();
        Self { clock, wal: Arc::new(Wal::new(root.child("queue"))), root, tables: Arc::new(tables) }
    }

    /// A shifter with a view of the tables of its own, as another process would have.
    fn shifter(&self, seed: u64, max_row_groups: usize) -> Shifter {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let tables = Tables::object_store(self.root.child("warehouse"), Arc::clone(&clock), Arc::new(SeededIds::new(seed)));
        let config = ShiftConfig { grace: GRACE, max_row_groups, ..ShiftConfig::default() };
        Shifter::new(Arc::new(tables), Arc::clone(&self.wal), config, clock, Metrics::default())
    }

    /// One segment for each request.
    async fn write(&self, requests: &[(u128, usize)]) {
        let writer = Writer::start(
            Arc::clone(&self.wal),
            WriterConfig { flush_interval: Duration::from_millis(1), ..WriterConfig::default() },
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(icegate_model::RandomIds),
            icegate_wal::Metrics::default(),
        );
        let (writer, task) = writer;
        for (id, rows) in requests {
            let tenant: TenantId = "t".parse().unwrap();
            let request = Request { id: RequestId(*id), tenant, account: None, batches: vec![(Table::Logs, log_rows(*rows))] };
            writer.append(request).await.unwrap();
            self.clock.advance(Duration::from_millis(1));
        }
        task.close().await;
    }

    async fn rows(&self) -> u64 {
        self.tables.snapshot(Table::Logs).await.unwrap().total_rows()
    }

    async fn segments(&self) -> usize {
        self.wal.list(Table::Logs).await.unwrap().segments.len()
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

#[tokio::test]
async fn a_pass_commits_what_is_pending_and_the_next_finds_nothing() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 4)]).await;
    let shifter = lake.shifter(2, 1024);
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.segments, pass.left, pass.committed.unwrap().rows_added), (2, 0, 7));
    assert_eq!(lake.rows().await, 7);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed, None);
    assert_eq!(lake.rows().await, 7);
}

#[tokio::test]
async fn a_bound_splits_the_work_into_passes() {
    let lake = Lake::new().await;
    lake.write(&[(1, 1), (2, 1), (3, 1)]).await;
    let shifter = lake.shifter(2, 2);
    let first = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((first.segments, first.left), (2, 1));
    let second = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((second.segments, second.left), (1, 0));
    assert_eq!(lake.rows().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn shifters_side_by_side_add_each_segment_once() {
    const SHIFTERS: u64 = 6;
    let lake = Arc::new(Lake::new().await);
    lake.write(&(1..=20).map(|id| (id, 2)).collect::<Vec<_>>()).await;
    let work = (0..SHIFTERS).map(|number| {
        let lake = Arc::clone(&lake);
        tokio::spawn(async move {
            let shifter = lake.shifter(10 + number, 1 + number as usize);
            while shifter.pass(Table::Logs).await.unwrap().left > 0 {}
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    assert_eq!(lake.rows().await, 40);
}

#[tokio::test]
async fn a_request_that_was_stored_twice_enters_the_table_once() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (1, 3), (2, 1)]).await;
    let shifter = lake.shifter(2, 1024);
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().committed.unwrap().rows_added, 4);
    lake.write(&[(2, 1)]).await;
    let repeated = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((repeated.segments, repeated.committed.unwrap().rows_added), (1, 0));
    assert_eq!(lake.rows().await, 4);
}

#[tokio::test]
async fn a_segment_stays_for_its_grace_and_not_longer() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3)]).await;
    let shifter = lake.shifter(2, 1024);
    shifter.pass(Table::Logs).await.unwrap();
    lake.clock.advance(GRACE - Duration::from_secs(1));
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().deleted, 0);
    assert_eq!(lake.segments().await, 1);
    lake.clock.advance(Duration::from_secs(1));
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().deleted, 1);
    assert_eq!((lake.segments().await, lake.rows().await), (0, 3));
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_stays_and_the_others_go_on() {
    let lake = Lake::new().await;
    lake.write(&[(1, 3), (2, 4)]).await;
    let broken = lake.wal.list(Table::Logs).await.unwrap().segments[0].clone();
    let whole = lake.root.store.get(&broken.path).await.unwrap().bytes().await.unwrap();
    lake.root.store.put(&broken.path, whole.slice(..whole.len() / 2).into()).await.unwrap();
    let shifter = lake.shifter(2, 1024);
    let pass = shifter.pass(Table::Logs).await.unwrap();
    assert_eq!((pass.segments, pass.unreadable, lake.rows().await), (1, 1, 4));
    assert_eq!(shifter.pass(Table::Logs).await.unwrap().unreadable, 0);
    assert_eq!(lake.segments().await, 2);
}
