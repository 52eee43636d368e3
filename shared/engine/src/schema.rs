use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use icegate_model::Table;

/// The schema that a provider has: [`icegate_schema::file_schema`], text and byte columns as views.
///
/// Views are what DataFusion compares and groups fastest. Text inside maps, lists and structs keeps its type.
#[must_use]
pub fn read_schema(table: Table) -> SchemaRef {
    let fields = icegate_schema::file_schema(table).fields().iter().map(|field| Arc::new(viewed(field))).collect::<Vec<_>>();
    Arc::new(Schema::new(fields))
}

fn viewed(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::Binary => DataType::BinaryView,
        other => other.clone(),
    };
    Field::new(field.name(), data_type, field.is_nullable())
}
