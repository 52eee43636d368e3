use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use icegate_model::Table;

use crate::columns::*;

/// The columns of a table, in their order. Files and batches of the table have exactly these.
#[must_use]
pub fn arrow_schema(table: Table) -> SchemaRef {
    static SCHEMAS: LazyLock<[SchemaRef; 4]> =
        LazyLock::new(|| [logs(), spans(), metrics(), events()].map(|fields| Arc::new(Schema::new(fields))));
    let index = match table {
        Table::Logs => 0,
        Table::Spans => 1,
        Table::Metrics => 2,
        Table::Events => 3,
    };
    Arc::clone(&SCHEMAS[index])
}

/// The type of every attribute and attribute type column: MAP(VARCHAR, VARCHAR).
#[must_use]
pub fn attribute_map_type() -> DataType {
    let entries = Field::new("key_value", DataType::Struct(attribute_map_fields()), false);
    DataType::Map(Arc::new(entries), false)
}

/// `key` and `value` of [`attribute_map_type`].
#[must_use]
pub fn attribute_map_fields() -> Fields {
    Fields::from(vec![required("key", DataType::Utf8), optional("value", DataType::Utf8)])
}

/// One span event.
#[must_use]
pub fn event_type() -> Fields {
    Fields::from(vec![
        optional(TIMESTAMP, timestamp()),
        optional(NAME, DataType::Utf8),
        optional(ATTRIBUTES, attribute_map_type()),
        optional(DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(ATTRIBUTE_TYPES, attribute_map_type()),
    ])
}

/// One span link.
#[must_use]
pub fn link_type() -> Fields {
    Fields::from(vec![
        optional(TRACE_ID, DataType::Binary),
        optional(SPAN_ID, DataType::Binary),
        optional(TRACE_STATE, DataType::Utf8),
        optional(ATTRIBUTES, attribute_map_type()),
        optional(DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(FLAGS, DataType::Int32),
        optional(ATTRIBUTE_TYPES, attribute_map_type()),
    ])
}

/// One exemplar.
#[must_use]
pub fn exemplar_type() -> Fields {
    Fields::from(vec![
        optional(TIMESTAMP, timestamp()),
        optional(VALUE_DOUBLE, DataType::Float64),
        optional(VALUE_INT, DataType::Int64),
        optional(SPAN_ID, DataType::Binary),
        optional(TRACE_ID, DataType::Binary),
        optional(ATTRIBUTES, attribute_map_type()),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(ATTRIBUTE_TYPES, attribute_map_type()),
    ])
}

/// One quantile of a summary.
#[must_use]
pub fn quantile_type() -> Fields {
    Fields::from(vec![optional(QUANTILE, DataType::Float64), optional(VALUE, DataType::Float64)])
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("element", item, true)))
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// What a row keeps of its resource and scope beyond the merged view, and its own attributes.
fn parts() -> Vec<Field> {
    vec![
        optional(RESOURCE_ATTRIBUTES, attribute_map_type()),
        optional(RESOURCE_ATTRIBUTE_TYPES, attribute_map_type()),
        optional(RESOURCE_DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(RESOURCE_SCHEMA_URL, DataType::Utf8),
        optional(RESOURCE_ENTITY_REFS, DataType::Utf8),
        optional(SCOPE_NAME, DataType::Utf8),
        optional(SCOPE_VERSION, DataType::Utf8),
        optional(SCOPE_ATTRIBUTES, attribute_map_type()),
        optional(SCOPE_ATTRIBUTE_TYPES, attribute_map_type()),
        optional(SCOPE_DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(SCOPE_SCHEMA_URL, DataType::Utf8),
        optional(RECORD_ATTRIBUTES, attribute_map_type()),
        optional(RECORD_ATTRIBUTE_TYPES, attribute_map_type()),
    ]
}

fn logs() -> Vec<Field> {
    let mut fields = vec![
        required(TENANT_ID, DataType::Utf8),
        optional(ACCOUNT_ID, DataType::Utf8),
        optional(SERVICE_NAME, DataType::Utf8),
        required(TIMESTAMP, timestamp()),
        required(OBSERVED_TIMESTAMP, timestamp()),
        required(INGESTED_TIMESTAMP, timestamp()),
        optional(TRACE_ID, DataType::Binary),
        optional(SPAN_ID, DataType::Binary),
        optional(SEVERITY_NUMBER, DataType::Int32),
        optional(SEVERITY_TEXT, DataType::Utf8),
        optional(BODY, DataType::Utf8),
        required(ATTRIBUTES, attribute_map_type()),
        optional(FLAGS, DataType::Int32),
        required(DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(OBSERVED_TIMESTAMP_NANOS, DataType::Int32),
        optional(ABSENT_TIMES, DataType::Int32),
        optional(BODY_TYPE, DataType::Utf8),
        optional(EVENT_NAME, DataType::Utf8),
        optional(STREAM_LABELS, DataType::Utf8),
        optional(DETECTED_LEVEL, DataType::Utf8),
    ];
    fields.extend(parts());
    fields
}

fn spans() -> Vec<Field> {
    let mut fields = vec![
        required(TENANT_ID, DataType::Utf8),
        optional(ACCOUNT_ID, DataType::Utf8),
        required(TRACE_ID, DataType::Binary),
        required(SPAN_ID, DataType::Binary),
        optional(PARENT_SPAN_ID, DataType::Binary),
        required(TIMESTAMP, timestamp()),
        required(END_TIMESTAMP, timestamp()),
        required(INGESTED_TIMESTAMP, timestamp()),
        required(DURATION_MICROS, DataType::Int64),
        optional(TRACE_STATE, DataType::Utf8),
        required(NAME, DataType::Utf8),
        optional(KIND, DataType::Int32),
        optional(STATUS_CODE, DataType::Int32),
        optional(STATUS_MESSAGE, DataType::Utf8),
        required(ATTRIBUTES, attribute_map_type()),
        optional(FLAGS, DataType::Int32),
        optional(DROPPED_ATTRIBUTES_COUNT, DataType::Int32),
        optional(DROPPED_EVENTS_COUNT, DataType::Int32),
        optional(DROPPED_LINKS_COUNT, DataType::Int32),
        optional(EVENTS, list(DataType::Struct(event_type()))),
        optional(LINKS, list(DataType::Struct(link_type()))),
        optional(SERVICE_NAME, DataType::Utf8),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(END_TIMESTAMP_NANOS, DataType::Int32),
        optional(DURATION_NANOS, DataType::Int32),
    ];
    fields.extend(parts());
    fields
}

fn metrics() -> Vec<Field> {
    let mut fields = vec![
        required(TENANT_ID, DataType::Utf8),
        optional(ACCOUNT_ID, DataType::Utf8),
        required(SERVICE_NAME, DataType::Utf8),
        required(TIMESTAMP, timestamp()),
        optional(START_TIMESTAMP, timestamp()),
        required(INGESTED_TIMESTAMP, timestamp()),
        required(METRIC_NAME, DataType::Utf8),
        required(METRIC_TYPE, DataType::Utf8),
        optional(DESCRIPTION, DataType::Utf8),
        optional(UNIT, DataType::Utf8),
        optional(AGGREGATION_TEMPORALITY, DataType::Utf8),
        optional(IS_MONOTONIC, DataType::Boolean),
        required(ATTRIBUTES, attribute_map_type()),
        optional(VALUE_DOUBLE, DataType::Float64),
        optional(VALUE_INT, DataType::Int64),
        optional(COUNT, DataType::Int64),
        optional(SUM, DataType::Float64),
        optional(MIN, DataType::Float64),
        optional(MAX, DataType::Float64),
        optional(BUCKET_COUNTS, list(DataType::Int64)),
        optional(EXPLICIT_BOUNDS, list(DataType::Float64)),
        optional(SCALE, DataType::Int32),
        optional(ZERO_COUNT, DataType::Int64),
        optional(ZERO_THRESHOLD, DataType::Float64),
        optional(POSITIVE_OFFSET, DataType::Int32),
        optional(POSITIVE_BUCKET_COUNTS, list(DataType::Int64)),
        optional(NEGATIVE_OFFSET, DataType::Int32),
        optional(NEGATIVE_BUCKET_COUNTS, list(DataType::Int64)),
        optional(QUANTILE_VALUES, list(DataType::Struct(quantile_type()))),
        optional(FLAGS, DataType::Int32),
        optional(EXEMPLARS, list(DataType::Struct(exemplar_type()))),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(START_TIMESTAMP_NANOS, DataType::Int32),
        optional(METADATA, attribute_map_type()),
        optional(METADATA_TYPES, attribute_map_type()),
    ];
    fields.extend(parts());
    fields.extend([
        optional(PROMETHEUS_TYPE, DataType::Utf8),
        optional(RESET_HINT, DataType::Int32),
        optional(COUNT_DOUBLE, DataType::Float64),
        optional(ZERO_COUNT_DOUBLE, DataType::Float64),
        optional(BUCKET_COUNTS_DOUBLE, list(DataType::Float64)),
        optional(POSITIVE_BUCKET_COUNTS_DOUBLE, list(DataType::Float64)),
        optional(NEGATIVE_BUCKET_COUNTS_DOUBLE, list(DataType::Float64)),
    ]);
    fields
}

fn events() -> Vec<Field> {
    vec![
        required(TENANT_ID, DataType::Utf8),
        optional(ACCOUNT_ID, DataType::Utf8),
        optional(SERVICE_NAME, DataType::Utf8),
        required(TIMESTAMP, timestamp()),
        required(OBSERVED_TIMESTAMP, timestamp()),
        required(INGESTED_TIMESTAMP, timestamp()),
        required(EVENT_DOMAIN, DataType::Utf8),
        required(EVENT_NAME, DataType::Utf8),
        optional(TRACE_ID, DataType::Binary),
        optional(SPAN_ID, DataType::Binary),
        required(ATTRIBUTES, attribute_map_type()),
        optional(TIMESTAMP_NANOS, DataType::Int32),
        optional(OBSERVED_TIMESTAMP_NANOS, DataType::Int32),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_the_partition_columns_and_names_no_column_twice() {
        for table in Table::ALL {
            let schema = arrow_schema(table);
            for column in [TENANT_ID, ACCOUNT_ID, TIMESTAMP] {
                assert!(schema.field_with_name(column).is_ok(), "{table} {column}");
            }
            let mut names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{table}");
        }
    }
}
