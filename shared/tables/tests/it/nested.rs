//! Lists of structs with maps inside, through sorting and gathering.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::json::ReaderBuilder;
use icegate_model::{RandomIds, SystemClock, Table};
use icegate_schema::{arrow_schema, file_schema};
use icegate_storage::Root;
use icegate_tables::{Append, FileOptions, Tables};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

fn batch(table: Table, rows: &[serde_json::Value]) -> RecordBatch {
    let mut decoder = ReaderBuilder::new(arrow_schema(table)).build_decoder().unwrap();
    decoder.serialize(rows).unwrap();
    decoder.flush().unwrap().unwrap()
}

/// A span whose only event and link carry its name.
fn span(trace: &str, name: &str) -> serde_json::Value {
    let attributes = json!({ "name": name });
    json!({
        "tenant_id": "a", "trace_id": trace, "span_id": "0102030405060708", "timestamp": 5, "end_timestamp": 6,
        "ingested_timestamp": 7, "duration_micros": 1, "name": name, "attributes": attributes,
        "events": [{ "timestamp": 5, "name": name, "attributes": attributes, "dropped_attributes_count": 0 }],
        "links": [{ "trace_id": trace, "span_id": "0102030405060708", "attributes": attributes }],
    })
}

async fn write(table: Table, batches: Vec<RecordBatch>) -> RecordBatch {
    let root = Root::memory();
    let tables = Tables::object_store(root.clone(), Arc::new(SystemClock), Arc::new(RandomIds));
    tables.migrate_create(false).await.unwrap();
    let files = tables.write_files(table, batches, FileOptions::default()).await.unwrap();
    tables.commit(table, Append { files, ..Append::default() }).await.unwrap();
    let snapshot = tables.snapshot(table).await.unwrap();
    let [file] = snapshot.files() else { panic!("{} files", snapshot.files().len()) };
    let bytes = root.store.get(&file.path).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    assert_eq!(reader.schema().fields().len(), file_schema(table).fields().len());
    reader.build().unwrap().next().unwrap().unwrap()
}

#[tokio::test]
async fn events_and_links_stay_with_their_span_when_spans_are_sorted() {
    let second = "0000000000000000000000000000000b";
    let first = "0000000000000000000000000000000a";
    let mut without = span(first, "none");
    without["timestamp"] = 4.into();
    without["events"] = serde_json::Value::Null;
    let batches = vec![batch(Table::Spans, &[span(second, "b")]), batch(Table::Spans, &[span(first, "a"), without])];
    let read = write(Table::Spans, batches).await;
    let names = read.column_by_name("name").unwrap().as_string::<i32>();
    assert_eq!(names.iter().flatten().collect::<Vec<_>>(), ["none", "a", "b"]);
    for (list, expected) in [("events", [None, Some("a"), Some("b")]), ("links", [Some("none"), Some("a"), Some("b")])] {
        let list = read.column_by_name(list).unwrap().as_list::<i32>();
        let attribute = |row: usize| {
            let element = list.is_valid(row).then(|| list.value(row))?;
            let map = element.as_struct().column_by_name("attributes")?.as_map().value(0);
            Some(map.column(1).as_string::<i32>().value(0).to_owned())
        };
        let attributes: Vec<_> = (0..3).map(attribute).collect();
        assert_eq!(attributes, expected.map(|name| name.map(str::to_owned)));
    }
}

#[tokio::test]
async fn metric_points_with_buckets_and_exemplars_are_sorted_by_name() {
    let point = |name: &str, bucket: i64| {
        json!({
            "tenant_id": "a", "service_name": "s", "timestamp": 5, "ingested_timestamp": 7, "metric_name": name,
            "metric_type": "histogram", "attributes": {}, "bucket_counts": [bucket, 0], "explicit_bounds": [0.5],
            "exemplars": [{ "timestamp": 5, "value_double": 0.25, "attributes": { "name": name } }],
        })
    };
    let read = write(Table::Metrics, vec![batch(Table::Metrics, &[point("b", 2), point("a", 1)])]).await;
    let buckets = read.column_by_name("bucket_counts").unwrap().as_list::<i32>();
    let first = |row: usize| buckets.value(row).as_primitive::<arrow::datatypes::Int64Type>().value(0);
    assert_eq!((first(0), first(1)), (1, 2));
}
