//! The table's field ids on the columns of this release, matched by name.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema as ArrowSchema};
use iceberg::arrow::arrow_type_to_type;
use iceberg::spec::{NestedField, Schema, StructType, Type};
use icegate_model::Table;
use icegate_schema::file_schema;
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use crate::error::TablesError;

/// This release's columns of the table with the ids that the table gives them, ready to become a Parquet schema.
///
/// # Errors
/// [`TablesError::Behind`] where the table lacks a column, [`TablesError::SchemaChange`] where a type differs.
pub(crate) fn with_field_ids(table: Table, schema: &Schema) -> Result<ArrowSchema, TablesError> {
    let fields = struct_fields(table, "", file_schema(table).fields(), schema.as_struct())?;
    Ok(ArrowSchema::new(fields))
}

fn struct_fields(table: Table, parent: &str, fields: &Fields, of: &StructType) -> Result<Fields, TablesError> {
    fields
        .iter()
        .map(|field| {
            let name = below(parent, field.name());
            let known = of.field_by_name(field.name()).ok_or_else(|| TablesError::Behind { table, column: name.clone() })?;
            with_id(table, &name, field, known)
        })
        .collect()
}

fn with_id(table: Table, name: &str, field: &FieldRef, known: &NestedField) -> Result<FieldRef, TablesError> {
    let differs = || TablesError::SchemaChange {
        table,
        column: name.to_owned(),
        reason: format!("the table has {}, this release {}", known.field_type, field.data_type()),
    };
    let data_type = match (field.data_type(), known.field_type.as_ref()) {
        (DataType::Struct(fields), Type::Struct(of)) => DataType::Struct(struct_fields(table, name, fields, of)?),
        (DataType::List(element), Type::List(list)) => {
            DataType::List(with_id(table, &below(name, "element"), element, &list.element_field)?)
        }
        (DataType::Map(entries, sorted), Type::Map(map)) => {
            let DataType::Struct(pair) = entries.data_type() else { return Err(differs()) };
            let [key, value] = pair.as_ref() else { return Err(differs()) };
            let key = with_id(table, &below(name, "key"), key, &map.key_field)?;
            let value = with_id(table, &below(name, "value"), value, &map.value_field)?;
            let pair = DataType::Struct(Fields::from(vec![key, value]));
            DataType::Map(Arc::new(Field::new(entries.name(), pair, entries.is_nullable())), *sorted)
        }
        (primitive, of @ Type::Primitive(_)) if arrow_type_to_type(primitive).is_ok_and(|own| own == *of) => primitive.clone(),
        _ => return Err(differs()),
    };
    let metadata = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), known.id.to_string())]);
    Ok(Arc::new(Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata)))
}

/// A nested column's name.
pub(crate) fn below(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}
