//! Rows for tests, and reading them back from data files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapBuilder, StringArray, StringBuilder, new_null_array};
use arrow::array::{BinaryArray, Int32Array, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use icegate_model::Table;
use icegate_schema::{arrow_schema, columns};
use icegate_storage::Root;
use icegate_tables::{Snapshot, WrittenFile};
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// 2026-01-01T00:00:00Z in microseconds: 20,454 days.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600_000_000;
pub(crate) const DAY: i64 = 86_400_000_000;

/// A log row's columns that tests care about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Log {
    pub(crate) tenant: &'static str,
    pub(crate) account: Option<&'static str>,
    pub(crate) service: Option<&'static str>,
    pub(crate) timestamp: i64,
    pub(crate) body: String,
}

pub(crate) fn log(tenant: &'static str, service: &'static str, timestamp: i64, body: &str) -> Log {
    Log { tenant, account: None, service: Some(service), timestamp, body: body.to_owned() }
}

/// A batch of the table `logs`; columns that [`Log`] lacks are NULL, or the least thing that isn't.
pub(crate) fn logs(rows: &[Log]) -> RecordBatch {
    let schema = arrow_schema(Table::Logs);
    let columns = schema.fields().iter().map(|field| column(field, rows)).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn column(field: &Field, rows: &[Log]) -> ArrayRef {
    let times = || rows.iter().map(|row| row.timestamp);
    match field.name().as_str() {
        columns::TENANT_ID => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.tenant))),
        columns::ACCOUNT_ID => Arc::new(rows.iter().map(|row| row.account).collect::<StringArray>()),
        columns::SERVICE_NAME => Arc::new(rows.iter().map(|row| row.service).collect::<StringArray>()),
        columns::BODY => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.body))),
        columns::TRACE_ID => {
            let ids = times().map(|time| [time.to_be_bytes(), time.to_be_bytes()].concat());
            Arc::new(BinaryArray::from_iter_values(ids))
        }
        columns::ATTRIBUTES => attributes(field, rows),
        _ if field.is_nullable() => new_null_array(field.data_type(), rows.len()),
        _ => match field.data_type() {
            DataType::Int32 => Arc::new(Int32Array::from(vec![0; rows.len()])),
            _ => Arc::new(TimestampMicrosecondArray::from_iter_values(times()).with_timezone("+00:00")),
        },
    }
}

fn attributes(field: &Field, rows: &[Log]) -> ArrayRef {
    let names = arrow::array::MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        builder.keys().append_value("k");
        builder.values().append_value(&row.body);
        builder.append(true).unwrap();
    }
    let map = builder.finish();
    assert_eq!(map.data_type(), field.data_type());
    Arc::new(map)
}

/// Tenant, service, time and body of each row of a file, in the file's order.
pub(crate) type Read = (String, Option<String>, i64, String);

pub(crate) async fn read(root: &Root, path: &object_store::path::Path) -> Vec<Read> {
    let bytes = root.store.get(path).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<Read> {
    assert_eq!(batch.schema().fields().len(), arrow_schema(Table::Logs).fields().len());
    let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
    let times = batch.column_by_name(columns::TIMESTAMP).unwrap();
    let times = times.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    let (tenants, services, bodies) = (text(columns::TENANT_ID), text(columns::SERVICE_NAME), text(columns::BODY));
    let service = |row: usize| services.is_valid(row).then(|| services.value(row).to_owned());
    let row = |row| (tenants.value(row).to_owned(), service(row), times.value(row), bodies.value(row).to_owned());
    (0..batch.num_rows()).map(row).collect()
}

/// All rows of a snapshot's files.
pub(crate) async fn read_all(snapshot: &Snapshot) -> Vec<Read> {
    let mut rows = Vec::new();
    for file in snapshot.files() {
        let read = read(snapshot.root(), &file.path).await;
        assert_eq!(read.len() as u64, file.rows);
        rows.extend(read);
    }
    rows.sort();
    rows
}

pub(crate) fn total(files: &[WrittenFile]) -> u64 {
    files.iter().map(WrittenFile::rows).sum()
}
