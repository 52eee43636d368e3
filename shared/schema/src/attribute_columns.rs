//! Attributes that are asked for often, as columns of data files beside the maps that hold all of them.
//!
//! The maps stay as they are: a column repeats what its map says, so that a filter on it reads a few bytes a row, skips pages by their
//! minima and maxima, and is written in SQL like any other. WAL segments have no such columns; they come with the data file.
//!
//! [`columns::ATTRIBUTE_COLUMNS`] says of a row how many columns of the list, from its start, were filled: of a longer list in a later
//! release an older row knows the first. It is NULL where an attribute of the list has a value that its column can't hold (another type,
//! an array): then the row's columns decide nothing. Elsewhere NULL in a column means that the attribute isn't there.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int32Builder, Int64Builder, MapArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use icegate_model::Table;

use crate::columns::{self, RECORD_ATTRIBUTE_TYPES, RECORD_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES, RESOURCE_ATTRIBUTES};
use crate::{arrow_schema, value_type};

/// Whose an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttributeOwner {
    /// The resource.
    Resource,
    /// The record itself.
    Record,
}

/// What values a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// Texts.
    Text,
    /// 64-bit integers.
    Int,
}

/// An attribute with a column of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeColumn {
    /// Whose it is.
    pub owner: AttributeOwner,
    /// Its key, by the semantic conventions.
    pub key: &'static str,
    /// The column: the key with `_` for `.`.
    pub column: &'static str,
    /// Its values' type.
    pub kind: AttributeKind,
}

const fn text(key: &'static str, column: &'static str) -> AttributeColumn {
    AttributeColumn { owner: AttributeOwner::Record, key, column, kind: AttributeKind::Text }
}

const fn int(key: &'static str, column: &'static str) -> AttributeColumn {
    AttributeColumn { owner: AttributeOwner::Record, key, column, kind: AttributeKind::Int }
}

const fn resource(key: &'static str, column: &'static str) -> AttributeColumn {
    AttributeColumn { owner: AttributeOwner::Resource, key, column, kind: AttributeKind::Text }
}

/// A list only grows, at its end: what rows have says how much of it they know.
const SPANS: [AttributeColumn; 32] = [
    int("http.response.status_code", "http_response_status_code"),
    int("http.status_code", "http_status_code"),
    int("rpc.grpc.status_code", "rpc_grpc_status_code"),
    text("http.request.method", "http_request_method"),
    text("http.method", "http_method"),
    text("http.route", "http_route"),
    text("server.address", "server_address"),
    text("peer.service", "peer_service"),
    text("error.type", "error_type"),
    text("db.system.name", "db_system_name"),
    text("db.system", "db_system"),
    text("db.namespace", "db_namespace"),
    text("db.name", "db_name"),
    text("db.collection.name", "db_collection_name"),
    text("db.operation.name", "db_operation_name"),
    text("rpc.system", "rpc_system"),
    text("rpc.service", "rpc_service"),
    text("rpc.method", "rpc_method"),
    text("messaging.system", "messaging_system"),
    text("messaging.destination.name", "messaging_destination_name"),
    resource("service.namespace", "service_namespace"),
    resource("service.version", "service_version"),
    resource("deployment.environment.name", "deployment_environment_name"),
    resource("deployment.environment", "deployment_environment"),
    resource("k8s.cluster.name", "k8s_cluster_name"),
    resource("k8s.namespace.name", "k8s_namespace_name"),
    resource("k8s.deployment.name", "k8s_deployment_name"),
    resource("k8s.pod.name", "k8s_pod_name"),
    resource("k8s.container.name", "k8s_container_name"),
    resource("k8s.node.name", "k8s_node_name"),
    resource("cloud.region", "cloud_region"),
    resource("host.name", "host_name"),
];

/// The attributes of a table that have columns of their own, in the order that [`columns::ATTRIBUTE_COLUMNS`] counts them in.
#[must_use]
pub const fn attribute_columns(table: Table) -> &'static [AttributeColumn] {
    match table {
        Table::Spans => &SPANS,
        Table::Logs | Table::Metrics | Table::Events => &[],
    }
}

/// The columns of a table's data files: those of [`arrow_schema`], and behind them those of attributes.
#[must_use]
pub fn file_schema(table: Table) -> SchemaRef {
    static SPANS_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let rows = arrow_schema(Table::Spans);
        let own = attribute_columns(Table::Spans).iter().map(|attribute| {
            let data_type = match attribute.kind {
                AttributeKind::Text => DataType::Utf8,
                AttributeKind::Int => DataType::Int64,
            };
            Arc::new(Field::new(attribute.column, data_type, true))
        });
        let count = Arc::new(Field::new(columns::ATTRIBUTE_COLUMNS, DataType::Int32, true));
        Arc::new(Schema::new(rows.fields().iter().cloned().chain([count]).chain(own).collect::<Vec<_>>()))
    });
    if attribute_columns(table).is_empty() { arrow_schema(table) } else { Arc::clone(&SPANS_SCHEMA) }
}

/// Rows of [`arrow_schema`] with the columns of [`file_schema`].
///
/// # Errors
/// Where the batch lacks a column of attributes.
pub fn with_attribute_columns(table: Table, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let list = attribute_columns(table);
    if list.is_empty() {
        return Ok(rows.clone());
    }
    let arrays = rows.columns().iter().cloned().chain(filled(list, rows)?).collect();
    RecordBatch::try_new(file_schema(table), arrays)
}

/// How many columns are filled, and the columns.
fn filled(list: &'static [AttributeColumn], rows: &RecordBatch) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut filling = Filling::new(list);
    let record = Maps::of(rows, RECORD_ATTRIBUTES, RECORD_ATTRIBUTE_TYPES)?;
    let resource = Maps::of(rows, RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTE_TYPES)?;
    for row in 0..rows.num_rows() {
        filling.found.fill(None);
        let fits = filling.take(AttributeOwner::Record, &record, row) & filling.take(AttributeOwner::Resource, &resource, row);
        filling.end_row(fits);
    }
    Ok(filling.finish())
}

/// Values and types of one owner's attributes.
struct Maps<'a> {
    values: Map<'a>,
    types: Map<'a>,
}

struct Map<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Maps<'a> {
    fn of(rows: &'a RecordBatch, values: &str, types: &str) -> Result<Self, ArrowError> {
        let map = |column: &str| {
            let map = rows.column_by_name(column).and_then(|array| array.as_map_opt());
            let texts = |array: &'a ArrayRef| array.as_string_opt::<i32>();
            let found = map.and_then(|map| Some(Map { map, keys: texts(map.keys())?, values: texts(map.values())? }));
            found.ok_or_else(|| ArrowError::SchemaError(format!("column {column} is no map of texts")))
        };
        Ok(Self { values: map(values)?, types: map(types)? })
    }
}

impl<'a> Map<'a> {
    fn entries(&self, row: usize) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        let (keys, values) = (self.keys, self.values);
        let offsets = self.map.value_offsets();
        let at = |index: usize| usize::try_from(offsets[index]).unwrap_or_default();
        let range = if self.map.is_valid(row) { at(row)..at(row + 1) } else { 0..0 };
        range.map(move |entry| (keys.value(entry), values.is_valid(entry).then(|| values.value(entry))))
    }
}

/// The columns that are being filled.
struct Filling<'a> {
    list: &'static [AttributeColumn],
    places: HashMap<(AttributeOwner, &'static str), usize>,
    /// What the row under way has for each of the list.
    found: Vec<Option<&'a str>>,
    count: Int32Builder,
    columns: Vec<Column>,
}

enum Column {
    Text(StringBuilder),
    Int(Int64Builder),
}

impl<'a> Filling<'a> {
    fn new(list: &'static [AttributeColumn]) -> Self {
        let column = |attribute: &AttributeColumn| match attribute.kind {
            AttributeKind::Text => Column::Text(StringBuilder::new()),
            AttributeKind::Int => Column::Int(Int64Builder::new()),
        };
        Self {
            list,
            places: list.iter().enumerate().map(|(index, one)| ((one.owner, one.key), index)).collect(),
            found: vec![None; list.len()],
            count: Int32Builder::new(),
            columns: list.iter().map(column).collect(),
        }
    }

    /// Takes a row's attributes of one owner; whether all that are on the list fit their columns.
    fn take(&mut self, owner: AttributeOwner, maps: &Maps<'a>, row: usize) -> bool {
        let mut fits = true;
        for (key, value) in maps.values.entries(row) {
            let Some(&index) = self.places.get(&(owner, key)) else { continue };
            let kind = maps.types.entries(row).find(|(typed, _)| *typed == key).and_then(|(_, kind)| kind);
            let is_held = match self.list[index].kind {
                AttributeKind::Text => kind.is_none(),
                AttributeKind::Int => kind == Some(value_type::INT) && value.is_some_and(|value| value.parse::<i64>().is_ok()),
            };
            if is_held && value.is_some() {
                self.found[index] = value;
            } else {
                fits = false;
            }
        }
        fits
    }

    fn end_row(&mut self, fits: bool) {
        self.count.append_option(fits.then(|| i32::try_from(self.list.len()).unwrap_or(i32::MAX)));
        for (column, found) in self.columns.iter_mut().zip(&self.found) {
            match column {
                Column::Text(texts) => texts.append_option(*found),
                Column::Int(numbers) => numbers.append_option(found.and_then(|digits| digits.parse().ok())),
            }
        }
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.count.finish())];
        columns.extend(self.columns.into_iter().map(|column| match column {
            Column::Text(mut texts) => Arc::new(texts.finish()) as ArrayRef,
            Column::Int(mut numbers) => Arc::new(numbers.finish()),
        }));
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, MapBuilder, new_null_array};
    use arrow::datatypes::{Int32Type, Int64Type};

    type Entries = &'static [(&'static str, Option<&'static str>)];

    fn maps(rows: &[Entries]) -> ArrayRef {
        let fields = crate::attribute_map_fields();
        let names = arrow::array::MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
        let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
            .with_keys_field(Arc::clone(&fields[0]))
            .with_values_field(Arc::clone(&fields[1]));
        for row in rows {
            for (key, value) in *row {
                map.keys().append_value(key);
                map.values().append_option(*value);
            }
            map.append(true).unwrap();
        }
        Arc::new(map.finish())
    }

    /// Rows with these attributes and their types, and of all else what a column has by default.
    fn rows(record: &[Entries], types: &[Entries], resource: &[Entries]) -> RecordBatch {
        let none: Vec<Entries> = vec![&[]; record.len()];
        let schema = arrow_schema(Table::Spans);
        let fields: Vec<_> = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let arrays = schema.fields().iter().map(|field| match field.name().as_str() {
            RECORD_ATTRIBUTES => maps(record),
            RECORD_ATTRIBUTE_TYPES => maps(types),
            RESOURCE_ATTRIBUTES => maps(resource),
            RESOURCE_ATTRIBUTE_TYPES => maps(&none),
            _ => new_null_array(field.data_type(), record.len()),
        });
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect()).unwrap()
    }

    fn place(column: &str) -> usize {
        file_schema(Table::Spans).index_of(column).unwrap() - arrow_schema(Table::Spans).fields().len()
    }

    #[test]
    fn a_column_has_what_the_map_of_its_owner_says() {
        let record: [Entries; 3] = [
            &[("http.route", Some("/a")), ("http.status_code", Some("500")), ("other", Some("x"))],
            &[("k8s.pod.name", Some("of the span, not of its resource"))],
            &[("http.route", Some(""))],
        ];
        let types: [Entries; 3] = [&[("http.status_code", Some("int"))], &[], &[]];
        let resource: [Entries; 3] = [&[("k8s.pod.name", Some("p-1")), ("http.route", Some("of the resource"))], &[], &[]];
        let columns = filled(attribute_columns(Table::Spans), &rows(&record, &types, &resource)).unwrap();
        let all = i32::try_from(attribute_columns(Table::Spans).len()).unwrap();
        assert_eq!(columns[0].as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(all); 3]);
        let texts = |column: &str| {
            columns[place(column)].as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(texts("http_route"), [Some("/a".to_owned()), None, Some(String::new())]);
        assert_eq!(texts("k8s_pod_name"), [Some("p-1".to_owned()), None, None]);
        assert_eq!(
            columns[place("http_status_code")].as_primitive::<Int64Type>(),
            &Int64Array::from(vec![Some(500), None, None])
        );
    }

    #[test]
    fn a_row_with_a_value_that_its_column_can_not_hold_decides_nothing() {
        let record: [Entries; 5] = [
            &[("http.status_code", Some("500"))],
            &[("http.status_code", Some("500.5"))],
            &[("http.route", Some("7"))],
            &[("http.route", None)],
            &[("other", Some("1"))],
        ];
        let types: [Entries; 5] = [
            &[],
            &[("http.status_code", Some("double"))],
            &[("http.route", Some("int"))],
            &[("http.route", Some("empty"))],
            &[("other", Some("int"))],
        ];
        let none: [Entries; 5] = [&[]; 5];
        let columns = filled(attribute_columns(Table::Spans), &rows(&record, &types, &none)).unwrap();
        let decided: Vec<bool> = columns[0].as_primitive::<Int32Type>().iter().map(|count| count.is_some()).collect();
        assert_eq!(decided, [false, false, false, false, true]);
    }

    #[test]
    fn a_column_is_named_by_its_key_and_no_other_column_has_its_name() {
        for table in Table::ALL {
            let mut names: Vec<String> = file_schema(table).fields().iter().map(|field| field.name().clone()).collect();
            for attribute in attribute_columns(table) {
                assert_eq!(attribute.column, attribute.key.replace('.', "_"));
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{table}");
        }
    }
}
