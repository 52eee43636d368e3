//! Rows of the table of logs from JSON lines.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int32Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use icegate_model::Table;
use icegate_schema::columns;
use serde_json::{Map, Value};

/// The rows as one batch, texts as views or not.
pub(crate) fn batch(rows: &[Map<String, Value>], views: bool) -> RecordBatch {
    let schema = icegate_schema::arrow_schema(Table::Logs);
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for field in schema.fields() {
        let array = column(field.name(), field.data_type(), rows);
        let array =
            if views && *array.data_type() == DataType::Utf8 { cast(&array, &DataType::Utf8View).unwrap() } else { array };
        fields.push(Field::new(field.name(), array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn text<'a>(row: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Value::as_str)
}

fn column(name: &str, data_type: &DataType, rows: &[Map<String, Value>]) -> ArrayRef {
    let texts = |key: &'static str, default: Option<&'static str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| text(row, key).or(default)).collect::<StringArray>())
    };
    let ids = |key: &'static str| -> ArrayRef {
        let ids: Vec<_> = rows.iter().map(|row| text(row, key).and_then(|id| hex::decode(id).ok())).collect();
        Arc::new(BinaryArray::from_iter(ids))
    };
    let ints = |key: &'static str, default: Option<i32>| -> ArrayRef {
        let int = |row: &Map<String, Value>| {
            row.get(key).and_then(Value::as_i64).map(|value| i32::try_from(value).unwrap()).or(default)
        };
        Arc::new(rows.iter().map(int).collect::<Int32Array>())
    };
    match name {
        columns::TENANT_ID => texts("tenant", Some("default")),
        columns::SERVICE_NAME => texts("service", Some("unknown_service")),
        columns::SEVERITY_TEXT => texts("severity", None),
        columns::DETECTED_LEVEL => texts("level", None),
        columns::BODY => texts("body", None),
        columns::SCOPE_NAME => texts("scope", None),
        columns::TRACE_ID => ids("trace"),
        columns::SPAN_ID => ids("span"),
        columns::SEVERITY_NUMBER => ints("number", None),
        columns::FLAGS => ints("flags", None),
        columns::DROPPED_ATTRIBUTES_COUNT => ints("dropped", Some(0)),
        columns::ABSENT_TIMES => ints("absent", Some(2)),
        columns::OBSERVED_TIMESTAMP | columns::INGESTED_TIMESTAMP => Arc::new(
            rows.iter().map(|row| Some(observed(row) / 1_000)).collect::<TimestampMicrosecondArray>().with_timezone("+00:00"),
        ),
        columns::TIMESTAMP => Arc::new(
            rows.iter().map(|row| Some(nanos(row) / 1_000)).collect::<TimestampMicrosecondArray>().with_timezone("+00:00"),
        ),
        columns::TIMESTAMP_NANOS => Arc::new(rows.iter().map(|row| Some((nanos(row) % 1_000) as i32)).collect::<Int32Array>()),
        columns::OBSERVED_TIMESTAMP_NANOS => {
            Arc::new(rows.iter().map(|row| Some((observed(row) % 1_000) as i32)).collect::<Int32Array>())
        }
        columns::STREAM_LABELS => Arc::new(rows.iter().map(|row| Some(stream_labels(row))).collect::<StringArray>()),
        columns::RECORD_ATTRIBUTES => maps(rows, "attributes"),
        columns::RECORD_ATTRIBUTE_TYPES => maps(rows, "types"),
        columns::RESOURCE_ATTRIBUTES => maps(rows, "resource"),
        columns::SCOPE_ATTRIBUTES => maps(rows, "scope_attributes"),
        columns::ATTRIBUTES => maps(rows, "merged"),
        _ => new_null_array(data_type, rows.len()),
    }
}

fn nanos(row: &Map<String, Value>) -> i64 {
    super::script::time(text(row, "t").unwrap())
}

/// When the row was observed: as its time, unless it says so.
fn observed(row: &Map<String, Value>) -> i64 {
    text(row, "seen").map_or_else(|| nanos(row), super::script::time)
}

fn stream_labels(row: &Map<String, Value>) -> String {
    if let Some(stream) = row.get("stream") {
        return stream.to_string();
    }
    let mut labels = Map::new();
    labels.insert("service_name".to_owned(), text(row, "service").unwrap_or("unknown_service").into());
    for (key, value) in row.get("resource").and_then(Value::as_object).into_iter().flatten() {
        if icegate_schema::STREAM_RESOURCE_ATTRIBUTES.contains(&key.as_str()) {
            labels.insert(icegate_schema::label_name(key).into_owned(), value.clone());
        }
    }
    Value::Object(labels).to_string()
}

fn maps(rows: &[Map<String, Value>], key: &str) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (name, value) in row.get(key).and_then(Value::as_object).into_iter().flatten() {
            builder.keys().append_value(name);
            builder.values().append_option(value.as_str());
        }
        builder.append(true).unwrap();
    }
    Arc::new(builder.finish())
}
