//! Log rows to store, and rows read back in a form that compares.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int32Array, Int64Array, ListArray, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use icegate_model::Table;
use icegate_schema::{arrow_schema, columns};

/// A log record, the columns that the tests ask for.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) micros: i64,
    pub(crate) service: &'static str,
    pub(crate) severity: i32,
    pub(crate) body: String,
}

/// `count` records, one a millisecond from `first_millis` on; every third from `api`, every tenth an error.
pub(crate) fn logs(first_millis: i64, count: i64) -> Vec<Log> {
    (0..count)
        .map(|index| Log {
            micros: (first_millis + index) * 1_000,
            service: if index % 3 == 0 { "api" } else { "worker" },
            severity: if index % 10 == 0 { 17 } else { 9 },
            body: if index % 10 == 0 { format!("request {index} failed: timeout") } else { format!("request {index} ok") },
        })
        .collect()
}

/// The rows as the write path stores them.
pub(crate) fn batch(tenant: &str, logs: &[Log]) -> RecordBatch {
    let schema = arrow_schema(Table::Logs);
    let arrays = schema.fields().iter().map(|field| column(field, tenant, logs)).collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

fn column(field: &Field, tenant: &str, logs: &[Log]) -> ArrayRef {
    let texts =
        |text: &dyn Fn(&Log) -> String| Arc::new(logs.iter().map(|log| Some(text(log))).collect::<StringArray>()) as ArrayRef;
    let numbers =
        |number: &dyn Fn(&Log) -> i32| Arc::new(logs.iter().map(|log| Some(number(log))).collect::<Int32Array>()) as ArrayRef;
    match field.name().as_str() {
        columns::TENANT_ID => texts(&|_| tenant.to_owned()),
        columns::SERVICE_NAME => texts(&|log| log.service.to_owned()),
        columns::BODY => texts(&|log| log.body.clone()),
        columns::SEVERITY_NUMBER => numbers(&|log| log.severity),
        columns::DROPPED_ATTRIBUTES_COUNT => numbers(&|_| 0),
        columns::ATTRIBUTES => attributes(logs),
        _ if matches!(field.data_type(), DataType::Timestamp(..)) && !field.is_nullable() => {
            Arc::new(logs.iter().map(|log| Some(log.micros)).collect::<TimestampMicrosecondArray>().with_timezone("+00:00"))
        }
        _ => new_null_array(field.data_type(), logs.len()),
    }
}

fn attributes(logs: &[Log]) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for log in logs {
        builder.keys().append_value("parity");
        builder.values().append_value(if log.micros / 1_000 % 2 == 0 { "even" } else { "odd" });
        builder.append(true).unwrap();
    }
    Arc::new(builder.finish())
}

/// One line a row, sorted.
pub(crate) fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
        lines.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|")),
        );
    }
    lines.sort();
    lines
}

/// Rows of any table: required columns have a value, lists have one element, the rest is NULL.
pub(crate) fn sparse_batch(table: Table, tenant: &str, count: usize) -> RecordBatch {
    let schema = arrow_schema(table);
    let arrays = schema.fields().iter().map(|field| sparse_column(field, tenant, count)).collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

fn sparse_column(field: &Field, tenant: &str, count: usize) -> ArrayRef {
    match field.data_type() {
        DataType::Utf8 if field.name() == columns::TENANT_ID => Arc::new(StringArray::from(vec![tenant; count])),
        DataType::List(element) => {
            let values: ArrayRef = match element.data_type() {
                DataType::Struct(fields) => {
                    let parts = fields.iter().map(|part| sparse_column(part, tenant, count)).collect();
                    Arc::new(StructArray::new(fields.clone(), parts, None))
                }
                other => new_null_array(other, count),
            };
            Arc::new(ListArray::new(Arc::clone(element), OffsetBuffer::from_lengths(vec![1; count]), values, None))
        }
        DataType::Map(..) => attributes(&logs(0, count as i64)),
        other if field.is_nullable() => new_null_array(other, count),
        DataType::Utf8 => Arc::new(StringArray::from(vec!["text"; count])),
        DataType::Binary => Arc::new(BinaryArray::from(vec![b"bytes".as_slice(); count])),
        DataType::Int32 => Arc::new(Int32Array::from(vec![1; count])),
        DataType::Int64 => Arc::new(Int64Array::from(vec![1; count])),
        other => cast(&Int64Array::from_iter_values((0..count as i64).map(|row| row * 1_000)), other).unwrap(),
    }
}
