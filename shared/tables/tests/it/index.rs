//! The index of trace ids beside the data files.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use futures::TryStreamExt;
use icegate_model::{RandomIds, SystemClock, Table};
use icegate_schema::columns::TRACE_ID;
use icegate_storage::Root;
use icegate_tables::{Append, DataFile, FileKey, FileOptions, IdHash, IndexObject, Ledger, Snapshot, Tables};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::rows::{DAY, NEW_YEAR, log, logs};

async fn tables(root: &Root) -> Tables {
    let tables = Tables::object_store(root.clone(), Arc::new(SystemClock), Arc::new(RandomIds));
    tables.migrate_create(false).await.unwrap();
    tables
}

async fn commit(tables: &Tables, batch: RecordBatch, options: FileOptions) -> Arc<Snapshot> {
    let files = tables.write_files(Table::Logs, vec![batch], options).await.unwrap();
    tables.commit(Table::Logs, Append { files, ledger: Ledger::default() }).await.unwrap();
    tables.snapshot(Table::Logs).await.unwrap()
}

async fn names(snapshot: &Snapshot) -> BTreeSet<String> {
    let listed = snapshot.root().store.list(Some(&snapshot.root().path("index")));
    listed.map_ok(|object| object.location.to_string()).try_collect().await.unwrap()
}

/// What covers the file, and its key.
async fn index_of(snapshot: &Snapshot, file: &DataFile) -> (IndexObject, FileKey) {
    let key = FileKey::of(&file.path).unwrap();
    let bytes = snapshot.root().store.get(&key.index_path(snapshot.root())).await.unwrap().bytes().await.unwrap();
    (IndexObject::decode(bytes).unwrap(), key)
}

/// The trace ids that a file holds, by its rows.
async fn ids(snapshot: &Snapshot, file: &DataFile) -> BTreeSet<Vec<u8>> {
    use arrow::array::AsArray;
    let bytes = snapshot.root().store.get(&file.path).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    let mut ids = BTreeSet::new();
    for batch in reader {
        let column = batch.unwrap().column_by_name(TRACE_ID).unwrap().as_binary::<i32>().clone();
        ids.extend(column.iter().flatten().map(<[u8]>::to_vec));
    }
    ids
}

#[tokio::test]
async fn one_object_covers_all_files_of_a_write_and_tells_their_ids_apart() {
    let tables = tables(&Root::memory()).await;
    // Two tenants and two days, and files that are ended early.
    let rows: Vec<_> = (0..20_000)
        .map(|row| log(if row % 3 == 0 { "a" } else { "b" }, "s", NEW_YEAR + row % 2 * DAY + row, "a body that takes some space"))
        .collect();
    let options = FileOptions { max_file_bytes: 100_000, ..FileOptions::default() };
    let snapshot = commit(&tables, logs(&rows), options).await;
    assert!(snapshot.files().len() > 4, "{}", snapshot.files().len());
    assert_eq!(names(&snapshot).await.len(), 1);
    let (mut own, mut foreign, mut found) = (0, 0, 0);
    for file in snapshot.files() {
        let (index, key) = index_of(&snapshot, file).await;
        assert_eq!(index.directory().files().count(), snapshot.files().len());
        let mine = ids(&snapshot, file).await;
        own += mine.len();
        assert!(mine.iter().all(|id| index.may_hold(key, IdHash::of(id)) == Some(true)), "{}", file.path);
        for row in rows.iter().map(|row| [row.timestamp.to_be_bytes(), row.timestamp.to_be_bytes()].concat()) {
            if !mine.contains(&row) {
                foreign += 1;
                found += usize::from(index.may_hold(key, IdHash::of(&row)) == Some(true));
            }
        }
    }
    assert_eq!(own, 20_000);
    assert!(found * 100 <= foreign, "{found} of {foreign} ids of other files");
}

#[tokio::test]
async fn of_rows_without_ids_it_is_said_that_there_are_none() {
    let tables = tables(&Root::memory()).await;
    let batch = logs(&[log("a", "s", NEW_YEAR, "x")]);
    let column = batch.schema().index_of(TRACE_ID).unwrap();
    let mut arrays = batch.columns().to_vec();
    arrays[column] = new_null_array(arrays[column].data_type(), 1);
    let snapshot = commit(&tables, RecordBatch::try_new(batch.schema(), arrays).unwrap(), FileOptions::default()).await;
    let (index, key) = index_of(&snapshot, &snapshot.files()[0]).await;
    assert_eq!(index.may_hold(key, IdHash::of(&[7; 16])), Some(false));
}

#[tokio::test]
async fn each_write_has_an_index_of_its_own_and_one_without_rows_has_none() {
    let tables = tables(&Root::memory()).await;
    assert!(tables.write_files(Table::Logs, vec![logs(&[])], FileOptions::default()).await.unwrap().is_empty());
    for number in 0..3 {
        let snapshot = commit(&tables, logs(&[log("a", "s", NEW_YEAR + number, "x")]), FileOptions::default()).await;
        assert_eq!(names(&snapshot).await.len() as i64, number + 1);
    }
}
