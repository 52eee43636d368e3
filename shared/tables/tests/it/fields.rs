//! What other readers rely on inside a data file.

use std::collections::HashMap;

use icegate_model::Table;
use object_store::ObjectStoreExt;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;

use crate::backends::{Bench, on_files};
use crate::conformance::{ledger, write_and_commit};
use crate::rows::{NEW_YEAR, log};

/// The field id of every named thing in a Parquet schema, by path; repeated groups have none.
fn ids(group: &Type, path: &str, found: &mut HashMap<String, i32>) {
    for field in group.get_fields() {
        let name = format!("{path}{}", field.name());
        if field.get_basic_info().has_id() {
            found.insert(name.clone(), field.get_basic_info().id());
        }
        if field.is_group() {
            ids(field, &format!("{name}."), found);
        }
    }
}

#[tokio::test]
async fn a_data_file_has_the_tables_field_ids_its_order_and_bloom_filters() {
    let bench = on_files().await;
    let Bench { root, tables, .. } = &bench;
    write_and_commit(tables, &[log("a", "s", NEW_YEAR, "x"), log("a", "s", NEW_YEAR + 1, "y")], ledger(&["s"], &[]))
        .await
        .unwrap();
    let snapshot = tables.snapshot(Table::Logs).await.unwrap();
    let bytes = root.store.get(&snapshot.files()[0].path).await.unwrap().bytes().await.unwrap();
    let reader = SerializedFileReader::new(bytes).unwrap();
    let metadata = reader.metadata();

    let mut found = HashMap::new();
    ids(metadata.file_metadata().schema(), "", &mut found);
    let columns = snapshot.arrow_schema().fields().len();
    // Top-level columns are numbered first, in their order.
    for (index, field) in snapshot.arrow_schema().fields().iter().enumerate() {
        assert_eq!(found.get(field.name()), Some(&i32::try_from(index + 1).unwrap()), "{}", field.name());
    }
    let nested = ["attributes.key_value.key", "attributes.key_value.value"].map(|name| found[name]);
    assert!(nested.iter().all(|id| usize::try_from(*id).unwrap() > columns), "{nested:?}");

    let group = metadata.row_group(0);
    let sorting: Vec<_> =
        group.sorting_columns().unwrap().iter().map(|sort| (sort.column_idx, sort.descending, sort.nulls_first)).collect();
    // service_name is the third column, timestamp the fourth.
    assert_eq!(sorting, [(2, false, false), (3, true, false)]);
    let trace = group.columns().iter().find(|column| column.column_path().string() == "trace_id").unwrap();
    assert!(trace.bloom_filter_offset().is_some());
    assert!(matches!(trace.compression(), Compression::ZSTD(_)));
    assert!(trace.offset_index_offset().is_some());
}
