//! A table's columns in Hive's types, which is how Glue describes them to Athena and others.

use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types::Column;
use iceberg::spec::{PrimitiveType, Schema, Type};

/// The columns of a schema, each with its Iceberg id.
pub(super) fn columns(schema: &Schema) -> Result<Vec<Column>, BuildError> {
    let fields = schema.as_struct().fields().iter();
    let column = |field: &iceberg::spec::NestedFieldRef| {
        Column::builder()
            .name(&field.name)
            .r#type(hive_type(&field.field_type))
            .parameters("iceberg.field.id", field.id.to_string())
            .parameters("iceberg.field.optional", (!field.required).to_string())
            .parameters("iceberg.field.current", "true")
            .build()
    };
    fields.map(column).collect()
}

fn hive_type(data_type: &Type) -> String {
    match data_type {
        Type::Primitive(primitive) => primitive_type(primitive),
        Type::List(list) => format!("array<{}>", hive_type(&list.element_field.field_type)),
        Type::Map(map) => format!("map<{},{}>", hive_type(&map.key_field.field_type), hive_type(&map.value_field.field_type)),
        Type::Struct(of) => {
            let fields: Vec<_> =
                of.fields().iter().map(|field| format!("{}:{}", field.name, hive_type(&field.field_type))).collect();
            format!("struct<{}>", fields.join(","))
        }
    }
}

fn primitive_type(primitive: &PrimitiveType) -> String {
    match primitive {
        PrimitiveType::Boolean => "boolean",
        PrimitiveType::Int => "int",
        PrimitiveType::Long => "bigint",
        PrimitiveType::Float => "float",
        PrimitiveType::Double => "double",
        PrimitiveType::Date => "date",
        PrimitiveType::Timestamp | PrimitiveType::Timestamptz | PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs => {
            "timestamp"
        }
        PrimitiveType::Binary | PrimitiveType::Fixed(_) => "binary",
        PrimitiveType::Decimal { precision, scale } => return format!("decimal({precision},{scale})"),
        PrimitiveType::Time | PrimitiveType::String | PrimitiveType::Uuid => "string",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use icegate_model::Table;

    use super::*;
    use crate::definition::wanted_schema;

    #[test]
    fn columns_have_types_that_athena_knows() {
        let columns = columns(&wanted_schema(Table::Logs).unwrap()).unwrap();
        let type_of = |name: &str| columns.iter().find(|column| column.name() == name).unwrap().r#type().unwrap();
        assert_eq!(type_of("tenant_id"), "string");
        assert_eq!(type_of("timestamp"), "timestamp");
        assert_eq!(type_of("attributes"), "map<string,string>");
        assert_eq!(type_of("trace_id"), "binary");
        assert_eq!(columns[0].parameters().unwrap()["iceberg.field.id"], "1");
    }

    #[test]
    fn nested_types_are_spelled_out() {
        let spans = columns(&wanted_schema(Table::Spans).unwrap()).unwrap();
        let events = spans.iter().find(|column| column.name() == "events").unwrap().r#type().unwrap();
        assert!(events.starts_with("array<struct<") && events.ends_with(">>"), "{events}");
    }
}
