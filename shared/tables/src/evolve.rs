//! From the schema that a table has to the one that this release wants, by adding columns only.

use std::sync::Arc;

use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, Schema, StructType, Type};
use icegate_model::Table;

use crate::definition::wanted_schema;
use crate::error::{IcebergContext, TablesError};
use crate::field_ids::below;

/// A column that the table lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addition {
    pub(crate) column: String,
    pub(crate) data_type: String,
}

/// The table's schema with every missing column added, nullable and last, and what was added. Nothing added means that the
/// table has them all.
///
/// # Errors
/// [`TablesError::SchemaChange`] for a column of another type and for one that this release doesn't have.
pub(crate) fn evolve(table: Table, current: &Schema, last_column_id: i32) -> Result<(Schema, Vec<Addition>), TablesError> {
    let wanted = wanted_schema(table)?;
    evolve_to(table, current, &wanted, last_column_id)
}

fn evolve_to(
    table: Table,
    current: &Schema,
    wanted: &Schema,
    last_column_id: i32,
) -> Result<(Schema, Vec<Addition>), TablesError> {
    let mut evolution = Evolution { table, next_id: last_column_id + 1, added: Vec::new() };
    let fields = evolution.fields("", current.as_struct(), wanted.as_struct())?;
    // The builder of the table's metadata gives the schema its id.
    let schema = Schema::builder().with_fields(fields).build().iceberg(table, "extend the schema")?;
    Ok((schema, evolution.added))
}

struct Evolution {
    table: Table,
    next_id: i32,
    added: Vec<Addition>,
}

impl Evolution {
    fn fields(&mut self, parent: &str, current: &StructType, wanted: &StructType) -> Result<Vec<NestedFieldRef>, TablesError> {
        let mut fields = Vec::with_capacity(wanted.fields().len());
        for field in current.fields() {
            let name = below(parent, &field.name);
            let Some(wanted) = wanted.field_by_name(&field.name) else {
                return Err(self.refuse(name, "this release doesn't have it".to_owned()));
            };
            fields.push(self.field(&name, field, wanted)?);
        }
        for field in wanted.fields().iter().filter(|field| current.field_by_name(&field.name).is_none()) {
            self.added.push(Addition { column: below(parent, &field.name), data_type: field.field_type.to_string() });
            let id = self.id();
            let data_type = self.with_new_ids(&field.field_type);
            // Rows that are there already have no value for it.
            fields.push(Arc::new(NestedField::optional(id, &field.name, data_type)));
        }
        Ok(fields)
    }

    fn field(&mut self, name: &str, current: &NestedFieldRef, wanted: &NestedFieldRef) -> Result<NestedFieldRef, TablesError> {
        if current.required && !wanted.required {
            return Err(self.refuse(name.to_owned(), "it is required in the table and nullable in this release".to_owned()));
        }
        let data_type = match (current.field_type.as_ref(), wanted.field_type.as_ref()) {
            (Type::Primitive(has), Type::Primitive(wants)) if has == wants => Type::Primitive(has.clone()),
            (Type::Struct(has), Type::Struct(wants)) => Type::Struct(StructType::new(self.fields(name, has, wants)?)),
            (Type::List(has), Type::List(wants)) => {
                let element = self.field(&below(name, "element"), &has.element_field, &wants.element_field)?;
                Type::List(ListType::new(element))
            }
            (Type::Map(has), Type::Map(wants)) => {
                let key = self.field(&below(name, "key"), &has.key_field, &wants.key_field)?;
                let value = self.field(&below(name, "value"), &has.value_field, &wants.value_field)?;
                Type::Map(MapType::new(key, value))
            }
            (has, wants) => return Err(self.refuse(name.to_owned(), format!("the table has {has}, this release {wants}"))),
        };
        Ok(Arc::new(NestedField { field_type: Box::new(data_type), ..NestedField::clone(current) }))
    }

    fn with_new_ids(&mut self, data_type: &Type) -> Type {
        match data_type {
            Type::Primitive(primitive) => Type::Primitive(primitive.clone()),
            Type::Struct(of) => Type::Struct(StructType::new(of.fields().iter().map(|field| self.with_new_id(field)).collect())),
            Type::List(list) => Type::List(ListType::new(self.with_new_id(&list.element_field))),
            Type::Map(map) => {
                let key = self.with_new_id(&map.key_field);
                Type::Map(MapType::new(key, self.with_new_id(&map.value_field)))
            }
        }
    }

    fn with_new_id(&mut self, field: &NestedFieldRef) -> NestedFieldRef {
        let id = self.id();
        let data_type = self.with_new_ids(&field.field_type);
        Arc::new(NestedField { id, field_type: Box::new(data_type), ..NestedField::clone(field) })
    }

    fn id(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn refuse(&self, column: String, reason: String) -> TablesError {
        TablesError::SchemaChange { table: self.table, column, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iceberg::spec::PrimitiveType;

    fn text(id: i32, name: &str) -> NestedFieldRef {
        Arc::new(NestedField::optional(id, name, Type::Primitive(PrimitiveType::String)))
    }

    fn list_of(id: i32, element: i32, fields: Vec<NestedFieldRef>) -> NestedFieldRef {
        let element = NestedField::list_element(element, Type::Struct(StructType::new(fields)), false);
        Arc::new(NestedField::optional(id, "links", Type::List(ListType::new(Arc::new(element)))))
    }

    fn schema(fields: Vec<NestedFieldRef>) -> Schema {
        Schema::builder().with_fields(fields).build().unwrap()
    }

    #[test]
    fn a_missing_column_is_added_nullable_and_last_with_a_new_id() {
        let required = Arc::new(NestedField::required(1, "b", Type::Primitive(PrimitiveType::Long)));
        let (evolved, added) =
            evolve_to(Table::Logs, &schema(vec![text(7, "a")]), &schema(vec![required, text(2, "a")]), 9).unwrap();
        assert_eq!(added, [Addition { column: "b".to_owned(), data_type: "long".to_owned() }]);
        let b = evolved.field_by_name("b").unwrap();
        assert_eq!((b.id, b.required), (10, false));
        assert_eq!(evolved.field_id_by_name("a"), Some(7));
        assert_eq!(evolved.as_struct().fields().last().unwrap().name, "b");
    }

    #[test]
    fn a_field_missing_in_a_nested_struct_is_added_there() {
        let current = schema(vec![list_of(1, 2, vec![text(3, "a")])]);
        let wanted = schema(vec![list_of(1, 2, vec![text(3, "a"), text(4, "c")])]);
        let (evolved, added) = evolve_to(Table::Spans, &current, &wanted, 20).unwrap();
        assert_eq!(added[0].column, "links.element.c");
        assert_eq!(evolved.field_id_by_name("links.element.c"), Some(21));
        assert_eq!(evolved.field_id_by_name("links.element.a"), Some(3));
    }

    #[test]
    fn another_type_is_refused_and_both_are_named() {
        let wanted = schema(vec![Arc::new(NestedField::optional(1, "a", Type::Primitive(PrimitiveType::Long)))]);
        let error = evolve_to(Table::Logs, &schema(vec![text(1, "a")]), &wanted, 1).unwrap_err();
        let expected = "table icegate.logs, column a: the table has string, this release long, an upgrade only adds columns";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_column_that_this_release_does_not_have_is_refused() {
        let error =
            evolve_to(Table::Logs, &schema(vec![text(1, "a"), text(2, "z")]), &schema(vec![text(1, "a")]), 2).unwrap_err();
        assert!(error.to_string().contains("column z: this release doesn't have it"), "{error}");
    }
}
