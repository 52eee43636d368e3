//! What a new table is: schema, partitions, sort order, properties.

use std::collections::HashMap;

use iceberg::arrow::arrow_schema_to_schema_auto_assign_ids;
use iceberg::spec::{
    FormatVersion, NullOrder, Schema, SortDirection, SortField, SortOrder, TableMetadata, TableMetadataBuilder, Transform,
    UnboundPartitionSpec,
};
use icegate_model::{IdGenerator, Table, Timestamp};
use icegate_schema::columns::{ACCOUNT_ID, TENANT_ID, TIMESTAMP};
use icegate_schema::{file_schema, sort_order};

use crate::catalog::stamped;
use crate::error::{IcebergContext, TablesError};

/// Partition fields in their order: name, source column, transform.
pub(crate) const PARTITIONS: [(&str, &str, Transform); 3] = [
    (TENANT_ID, TENANT_ID, Transform::Identity),
    (ACCOUNT_ID, ACCOUNT_ID, Transform::Identity),
    ("timestamp_day", TIMESTAMP, Transform::Day),
];

const PROPERTIES: [(&str, &str); 5] = [
    ("write.format.default", "parquet"),
    ("write.parquet.compression-codec", "zstd"),
    ("write.metadata.previous-versions-max", "100"),
    ("write.metadata.delete-after-commit.enabled", "true"),
    ("commit.manifest.min-count-to-merge", "100"),
];

/// The schema that this release writes, with ids that mean something only inside it.
pub(crate) fn wanted_schema(table: Table) -> Result<Schema, TablesError> {
    arrow_schema_to_schema_auto_assign_ids(&file_schema(table)).iceberg(table, "derive the schema")
}

/// A table to be made.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) table: Table,
    pub(crate) schema: Schema,
    pub(crate) partitions: UnboundPartitionSpec,
    pub(crate) order: SortOrder,
    pub(crate) properties: HashMap<String, String>,
    uuid: uuid::Uuid,
    at: Timestamp,
}

impl Definition {
    /// What this release makes of a table.
    pub(crate) fn new(table: Table, ids: &dyn IdGenerator, at: Timestamp) -> Result<Self, TablesError> {
        let schema = wanted_schema(table)?;
        Ok(Self {
            table,
            partitions: partition_spec(table, &schema)?,
            order: sort_order_of(table, &schema)?,
            schema,
            properties: HashMap::from(PROPERTIES.map(|(key, value)| (key.to_owned(), value.to_owned()))),
            uuid: uuid::Uuid::from_u128(ids.unique().0),
            at,
        })
    }

    /// The first metadata of the table, at a location without a slash at the end.
    pub(crate) fn metadata_at(self, location: &str) -> Result<TableMetadata, TablesError> {
        let (table, uuid, at) = (self.table, self.uuid, self.at);
        let built = self.builder_at(location).and_then(|builder| builder.assign_uuid(uuid).build());
        stamped(table, &built.iceberg(table, "build metadata")?.metadata, at.millis())
    }

    /// The table without an id.
    pub(crate) fn builder_at(self, location: &str) -> iceberg::Result<TableMetadataBuilder> {
        let Self { schema, partitions, order, properties, .. } = self;
        TableMetadataBuilder::new(schema, partitions, order, location.to_owned(), FormatVersion::V2, properties)
    }
}

fn partition_spec(table: Table, schema: &Schema) -> Result<UnboundPartitionSpec, TablesError> {
    let mut builder = UnboundPartitionSpec::builder();
    for (name, column, transform) in PARTITIONS {
        let source = field_id(table, schema, column)?;
        builder = builder.add_partition_field(source, name, transform).iceberg(table, "build the partition spec")?;
    }
    Ok(builder.build())
}

fn sort_order_of(table: Table, schema: &Schema) -> Result<SortOrder, TablesError> {
    let mut builder = SortOrder::builder();
    for sort in sort_order(table) {
        builder.with_sort_field(SortField {
            source_id: field_id(table, schema, sort.column)?,
            transform: Transform::Identity,
            direction: if sort.descending { SortDirection::Descending } else { SortDirection::Ascending },
            null_order: NullOrder::Last,
        });
    }
    builder.build(schema).iceberg(table, "build the sort order")
}

pub(crate) fn field_id(table: Table, schema: &Schema, column: &str) -> Result<i32, TablesError> {
    schema.field_id_by_name(column).ok_or_else(|| TablesError::Behind { table, column: column.to_owned() })
}
