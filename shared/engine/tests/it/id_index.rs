//! Scans for trace ids open the files that hold them, and few others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::prelude::{Expr, col, lit};
use icegate_engine::{Engine, EngineConfig, Opened, ReadFigures};
use icegate_model::{Table, TimeRange};
use icegate_schema::{arrow_schema, columns};
use icegate_tables::{Append, FileKey, FileOptions, IndexGroups, Ledger, Snapshot};
use icegate_testkit::{Call, Fate, FaultyStore, Network};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::world::{World, tables, tenant};

/// Commits, and traces of each.
const COMMITS: u64 = 60;
const TRACES: u64 = 500;
/// Objects of the index that are read of so many commits, and the list of groups that isn't there.
const INDEX: usize = 61;

/// The id of a trace; the same in every run, like random ones.
fn id(number: u64) -> Vec<u8> {
    // SplitMix64, twice.
    let mixed = |seed: u64| {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    [mixed(2 * number + 1).to_be_bytes(), mixed(2 * number + 2).to_be_bytes()].concat()
}

/// One row a trace, of any table that has trace ids.
fn batch(table: Table, name: &str, traces: &[u64]) -> RecordBatch {
    let schema = arrow_schema(table);
    let arrays = schema.fields().iter().map(|field| column(field, name, traces)).collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

fn column(field: &Field, name: &str, traces: &[u64]) -> ArrayRef {
    let rows = traces.len();
    match (field.name().as_str(), field.data_type()) {
        (columns::TENANT_ID, _) => Arc::new(StringArray::from(vec![name; rows])),
        (columns::TRACE_ID, DataType::Binary) => Arc::new(BinaryArray::from_iter_values(traces.iter().map(|trace| id(*trace)))),
        (columns::SPAN_ID, DataType::Binary) => {
            Arc::new(BinaryArray::from_iter_values(traces.iter().map(|trace| trace.to_be_bytes())))
        }
        _ if field.is_nullable() => new_null_array(field.data_type(), rows),
        (_, DataType::Utf8) => Arc::new(StringArray::from(vec!["x"; rows])),
        (_, DataType::Int32) => Arc::new(Int32Array::from(vec![0; rows])),
        (_, DataType::Int64) => Arc::new(Int64Array::from(vec![0; rows])),
        (_, DataType::Timestamp(..)) => {
            let times = traces.iter().map(|trace| i64::try_from(*trace).unwrap());
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("+00:00"))
        }
        (_, DataType::Map(..)) => {
            let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
            let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
            (0..rows).for_each(|_| map.append(true).unwrap());
            Arc::new(map.finish())
        }
        (column, data_type) => panic!("{column} of {data_type}"),
    }
}

/// Which objects are read.
#[derive(Clone, Debug, Default)]
struct Watched(Arc<Mutex<BTreeSet<String>>>);

#[async_trait]
impl Network for Watched {
    async fn request(&self, call: &Call) -> Fate {
        if !call.operation.changes() {
            self.0.lock().unwrap().insert(call.path.to_string());
        }
        Fate::default()
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &object_store::Error>>) {}
}

impl Watched {
    /// Data files and index objects that were read since the last call.
    fn taken(&self) -> (usize, usize) {
        let taken = std::mem::take(&mut *self.0.lock().unwrap());
        let count = |part: &str| taken.iter().filter(|path| path.contains(part)).count();
        (count("/data/"), count("/index/"))
    }
}

struct Lake {
    world: World,
    watched: Watched,
    table: Table,
}

/// What a scan for ids found, what it read, and how many data files and index objects it opened.
struct Found {
    traces: Vec<Vec<u8>>,
    figures: ReadFigures,
    files: usize,
    index: usize,
}

impl Lake {
    /// A table with as many commits as that, each of one file.
    async fn new(table: Table, commits: u64) -> Self {
        let (world, watched) = (World::new().await, Watched::default());
        let lake = Self { world, watched, table };
        for commit in 0..commits {
            let traces: Vec<_> = (commit * TRACES..(commit + 1) * TRACES).collect();
            lake.commit(&traces).await;
        }
        lake
    }

    async fn commit(&self, traces: &[u64]) {
        let batches = vec![batch(self.table, "a", traces)];
        let files = self.world.tables.write_files(self.table, batches, FileOptions::default()).await.unwrap();
        self.world.tables.commit(self.table, Append { files, ledger: Ledger::default() }).await.unwrap();
    }

    /// An engine that knows nothing yet, whose reads of the table's place are watched.
    fn engine(&self) -> Engine {
        let store = Arc::new(FaultyStore::new(Arc::clone(&self.world.warehouse.store), Arc::new(self.watched.clone())));
        let tables = tables(self.world.warehouse.with_store(store));
        Engine::new(tables, Some(Arc::clone(&self.world.wal)), EngineConfig::default()).unwrap()
    }

    async fn open(&self, engine: &Engine) -> Opened {
        let opened = engine.open(self.table, &tenant("a"), TimeRange::ALL).await.unwrap();
        self.watched.taken();
        opened
    }

    async fn find(&self, engine: &Engine, filter: Expr) -> Found {
        let Opened { session, provider, reads, .. } = self.open(engine).await;
        let rows = session.read_table(provider).unwrap().filter(filter).unwrap();
        let batches = rows.select_columns(&[columns::TRACE_ID]).unwrap().collect().await.unwrap();
        let ids = batches.iter().flat_map(|batch| batch.column(0).as_binary_view().iter().flatten());
        let mut traces: Vec<_> = ids.map(<[u8]>::to_vec).collect();
        traces.sort();
        let (files, index) = self.watched.taken();
        Found { traces, figures: reads.figures(), files, index }
    }

    async fn snapshot(&self) -> Arc<Snapshot> {
        self.world.tables.snapshot(self.table).await.unwrap()
    }

    /// Where the index objects are, by the file that each covers.
    async fn index_paths(&self) -> Vec<Path> {
        let snapshot = self.snapshot().await;
        snapshot.files().iter().map(|file| FileKey::of(&file.path).unwrap().index_path(snapshot.root())).collect()
    }

    fn store(&self) -> &dyn ObjectStore {
        &self.world.warehouse.store
    }
}

fn is(trace: u64) -> Expr {
    col(columns::TRACE_ID).eq(lit(ScalarValue::BinaryView(Some(id(trace)))))
}

#[tokio::test]
async fn a_trace_without_a_time_range_is_found_in_at_most_two_of_sixty_files() {
    for table in [Table::Spans, Table::Logs] {
        let lake = Lake::new(table, COMMITS).await;
        let engine = lake.engine();
        let (mut opened, mut first) = (0, true);
        for trace in (0..COMMITS * TRACES).step_by(997) {
            let found = lake.find(&engine, is(trace)).await;
            assert_eq!(found.traces, [id(trace)], "{table} {trace}");
            assert!(found.files <= 2, "{table} {trace}: {} files", found.files);
            assert_eq!(found.figures.files_outside_index as usize, 60 - found.files, "{table} {trace}");
            // The index is fetched once and then kept.
            assert_eq!((found.index, found.figures.index_bytes > 0), if first { (INDEX, true) } else { (0, false) });
            opened += found.files;
            first = false;
        }
        // One of each of 31 traces, and at most one in a hundred of the 59 others.
        assert!(opened <= 31 + 18, "{table}: {opened} files for 31 traces");
    }
}

#[tokio::test]
async fn a_trace_that_is_not_there_opens_at_most_one_of_sixty_files() {
    let lake = Lake::new(Table::Spans, COMMITS).await;
    let engine = lake.engine();
    let (mut opened, mut bytes) = (0, 0);
    for trace in 1_000_000..1_000_050 {
        let found = lake.find(&engine, is(trace)).await;
        assert!(found.traces.is_empty());
        assert!(found.files <= 1, "{trace}: {} files", found.files);
        opened += found.files;
        bytes += found.figures.index_bytes;
    }
    assert!(opened <= 30, "{opened} of 3,000: one in a hundred at most");
    // 32 blocks of 36 bytes and a head of 48 for each of the files.
    assert_eq!(bytes, 60 * (32 * 36 + 48));
}

#[tokio::test]
async fn several_ids_open_the_files_of_each_and_filters_that_let_others_through_open_all() {
    let lake = Lake::new(Table::Spans, 12).await;
    let engine = lake.engine();
    let found = lake.find(&engine, is(3).or(is(2_750)).or(is(5_999))).await;
    let mut expected = vec![id(3), id(2_750), id(5_999)];
    expected.sort();
    assert_eq!(found.traces, expected);
    assert!((3..=4).contains(&found.files), "{}", found.files);
    let ids = [3, 4, 5, 2_750, 5_999].map(|trace| lit(ScalarValue::BinaryView(Some(id(trace)))));
    let found = lake.find(&engine, col(columns::TRACE_ID).in_list(ids.to_vec(), false)).await;
    assert_eq!(found.traces.len(), 5);
    assert!((3..=4).contains(&found.files), "{}", found.files);
    let found = lake.find(&engine, is(3).or(col(columns::TENANT_ID).eq(lit("a")))).await;
    assert_eq!((found.traces.len(), found.files, found.figures.files_outside_index), (6_000, 12, 0));
}

#[tokio::test]
async fn without_its_index_every_file_is_opened_and_the_answer_is_the_same() {
    let lake = Lake::new(Table::Spans, 12).await;
    for (index, path) in (0..).zip(lake.index_paths().await) {
        match index % 3 {
            0 => lake.store().delete(&path).await.unwrap(),
            1 => {
                let mut bytes = lake.store().get(&path).await.unwrap().bytes().await.unwrap().to_vec();
                let at = bytes.len() / 2;
                bytes[at] ^= 1;
                lake.store().put(&path, bytes.into()).await.unwrap();
            }
            _ => drop(lake.store().put(&path, "ICEBLOOM".into()).await.unwrap()),
        }
    }
    let engine = lake.engine();
    let mut registry = prometheus_client::registry::Registry::default();
    engine.metrics().register(&mut registry);
    for (asked, trace) in [4_321, 10].into_iter().enumerate() {
        let found = lake.find(&engine, is(trace)).await;
        assert_eq!((found.traces, found.figures.files_outside_index), (vec![id(trace)], 0));
        // All are opened: how many a scan reads of them is up to their bounds and pages.
        assert_eq!(found.files, if asked == 0 { 12 } else { found.files });
    }
    let found = lake.find(&engine, is(1_000_000)).await;
    assert_eq!((found.traces.len(), found.index), (0, 0), "what is damaged isn't fetched again");
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("engine_index_unreadable_total 12\n"), "{text}");
}

#[tokio::test]
async fn a_file_of_which_the_index_can_not_tell_is_opened_and_the_others_are_not() {
    let lake = Lake::new(Table::Spans, 12).await;
    lake.store().delete(&lake.index_paths().await[5]).await.unwrap();
    let found = lake.find(&lake.engine(), is(1_000_007)).await;
    assert_eq!((found.traces.len(), found.files, found.figures.files_outside_index), (0, 1, 11));
}

#[tokio::test]
async fn a_trace_that_lies_in_several_files_and_in_the_wal_is_found_whole() {
    for table in [Table::Spans, Table::Logs] {
        let lake = Lake::new(table, 8).await;
        for traces in [[7, 9_000], [9_001, 7], [9_002, 9_003]] {
            lake.commit(&traces).await;
        }
        lake.world.ingest_tables("a", vec![(table, batch(table, "a", &[9_004, 7]))]).await;
        lake.world.ingest_tables("b", vec![(table, batch(table, "b", &[7]))]).await;
        let found = lake.find(&lake.engine(), is(7)).await;
        assert_eq!(found.traces, vec![id(7); 4], "{table}: three files and a segment");
        assert_eq!((found.files, found.figures.files_outside_index), (3, 8), "{table}");
    }
}

#[tokio::test]
async fn after_maintenance_a_lookup_reads_a_row_of_a_group_instead_of_sixty_objects() {
    let lake = Lake::new(Table::Spans, COMMITS).await;
    let merged = lake.world.tables.merge_index(Table::Spans).await.unwrap();
    assert_eq!((merged.groups, merged.files), (1, 60));
    // What comes later has objects of its own.
    lake.commit(&[30_000, 30_001]).await;
    let engine = lake.engine();
    for (asked, trace) in [7, 29_999, 30_001].into_iter().enumerate() {
        let found = lake.find(&engine, is(trace)).await;
        assert_eq!(found.traces, [id(trace)]);
        assert!(found.files <= 2, "{trace}: {} files", found.files);
        // The list and a row, 60 blocks and a checksum; of the last commit's only where its bounds don't exclude the id.
        assert!(found.index <= 3 && found.figures.index_bytes <= if asked == 0 { 4_096 } else { 2_048 }, "{trace}");
    }
    let found = lake.find(&engine, is(30_002)).await;
    assert!(found.traces.is_empty() && found.files <= 1, "{}", found.files);
}

#[tokio::test]
async fn a_group_that_is_damaged_or_gone_is_passed_over_and_the_files_own_objects_are_asked() {
    let lake = Lake::new(Table::Spans, 20).await;
    lake.world.tables.merge_index(Table::Spans).await.unwrap();
    let snapshot = lake.snapshot().await;
    let list = IndexGroups::path(snapshot.root());
    let groups = IndexGroups::decode(&lake.store().get(&list).await.unwrap().bytes().await.unwrap()).unwrap();
    let group = groups.of(FileKey::of(&snapshot.files()[0].path).unwrap()).unwrap().path(snapshot.root());
    let whole = lake.store().get(&group).await.unwrap().bytes().await.unwrap();
    let damaged: Vec<u8> = whole.iter().map(|byte| byte ^ 1).collect();
    for (what, object, bytes) in [
        ("damaged group", &group, Some(damaged)),
        ("lost group", &group, None),
        ("damaged list", &list, Some(b"ICEGROUP".to_vec())),
        ("lost list", &list, None),
    ] {
        match bytes {
            Some(bytes) => drop(lake.store().put(object, bytes.into()).await.unwrap()),
            None => lake.store().delete(object).await.unwrap(),
        }
        let found = lake.find(&lake.engine(), is(4_321)).await;
        assert_eq!(found.traces, [id(4_321)], "{what}");
        assert!(found.files <= 2, "{what}: {} files", found.files);
    }
    // The next maintenance makes it good.
    assert_eq!(lake.world.tables.merge_index(Table::Spans).await.unwrap().files, 20);
    let found = lake.find(&lake.engine(), is(4_321)).await;
    assert_eq!((found.traces.len(), found.index), (1, 2));
}

#[tokio::test]
async fn files_of_other_tenants_are_not_asked_for() {
    let lake = Lake::new(Table::Spans, 3).await;
    let batches = vec![batch(Table::Spans, "b", &[1, 2, 3])];
    let files = lake.world.tables.write_files(Table::Spans, batches, FileOptions::default()).await.unwrap();
    lake.world.tables.commit(Table::Spans, Append { files, ledger: Ledger::default() }).await.unwrap();
    let found = lake.find(&lake.engine(), is(2)).await;
    assert_eq!((found.traces, found.files, found.index), (vec![id(2)], 1, 3));
}
