//! Typed access to the columns of a batch.

use arrow::array::{
    Array, AsArray, BooleanArray, ListArray, MapArray, PrimitiveArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int64Type};
use icegate_engine::EngineError;

/// A column that isn't what the schema says.
fn unexpected(name: &str) -> EngineError {
    datafusion::error::DataFusionError::Internal(format!("column {name} of metrics isn't there or isn't of its type")).into()
}

fn column<'a, T>(
    batch: &'a RecordBatch,
    name: &str,
    of: impl FnOnce(&'a dyn Array) -> Option<&'a T>,
) -> Result<&'a T, EngineError> {
    batch.column_by_name(name).and_then(|column| of(column.as_ref())).ok_or_else(|| unexpected(name))
}

pub(super) fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringViewArray, EngineError> {
    column(batch, name, AsArray::as_string_view_opt)
}

pub(super) fn boolean<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, EngineError> {
    column(batch, name, AsArray::as_boolean_opt)
}

pub(super) fn number<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, EngineError> {
    column(batch, name, AsArray::as_primitive_opt)
}

pub(super) fn list<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ListArray, EngineError> {
    column(batch, name, AsArray::as_list_opt)
}

/// A value, unless it is null.
pub(super) fn value<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

/// A text; empty where it is null.
pub(super) fn text_at(column: &StringViewArray, row: usize) -> &str {
    if column.is_valid(row) { column.value(row) } else { "" }
}

/// The doubles of a list; none where it is null.
pub(super) fn doubles(column: &ListArray, row: usize) -> Vec<f64> {
    if column.is_null(row) {
        return Vec::new();
    }
    column.value(row).as_primitive_opt::<Float64Type>().map(|values| values.values().to_vec()).unwrap_or_default()
}

/// The counts of a list; none where it is null. OTLP's are unsigned and kept bit by bit.
pub(super) fn counts(column: &ListArray, row: usize) -> Vec<u64> {
    if column.is_null(row) {
        return Vec::new();
    }
    let values = column.value(row);
    values
        .as_primitive_opt::<Int64Type>()
        .map(|values| values.values().iter().map(|count| count.cast_unsigned()).collect())
        .unwrap_or_default()
}

/// An attribute map with its keys and values.
pub(super) struct Attributes<'a> {
    map: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(batch: &'a RecordBatch, name: &str) -> Result<Self, EngineError> {
        let map = column(batch, name, AsArray::as_map_opt)?;
        Self::new(map).ok_or_else(|| unexpected(name))
    }

    pub(super) fn new(map: &'a MapArray) -> Option<Self> {
        Some(Self { map, keys: map.keys().as_string_opt()?, values: map.values().as_string_opt()? })
    }

    /// Keys and values of a row; a value that is null is empty.
    pub(super) fn at(&self, row: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
        let offsets = self.map.value_offsets();
        let bound = |at: usize| offsets.get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default();
        let entries = if self.map.is_null(row) { 0..0 } else { bound(row)..bound(row + 1) };
        let (keys, values) = (self.keys, self.values);
        entries.map(move |at| (keys.value(at), if values.is_valid(at) { values.value(at) } else { "" }))
    }
}
