use arrow::array::{
    Array, AsArray, BinaryArray, Float64Array, Int32Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray,
};

use crate::error::OtlpError;

/// Longest part of a broken cell that an error shows.
const SHOWN: usize = 100;

/// The column of that name and type.
pub(super) fn column<'a, T: Array + 'static>(rows: &'a StructArray, column: &'static str) -> Result<&'a T, OtlpError> {
    let expected = || std::any::type_name::<T>().rsplit("::").next().unwrap_or_default().to_owned();
    rows.column_by_name(column)
        .and_then(|array| array.as_any().downcast_ref())
        .ok_or_else(|| OtlpError::Column { column, expected: expected() })
}

/// A cell that doesn't hold what its type says.
pub(super) fn broken(column: &'static str, text: &str, expected: impl Into<String>) -> OtlpError {
    OtlpError::Cell { column, text: text.chars().take(SHOWN).collect(), expected: expected.into() }
}

/// A row's text, empty for NULL.
pub(super) fn text(column: &StringArray, row: usize) -> String {
    given_text(column, row).unwrap_or_default().to_owned()
}

pub(super) fn given_text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// A row's bytes, empty for NULL.
pub(super) fn bytes(column: &BinaryArray, row: usize) -> Vec<u8> {
    if column.is_valid(row) { column.value(row).to_vec() } else { Vec::new() }
}

/// A row's number, 0 for NULL.
pub(super) fn int(column: &Int32Array, row: usize) -> i32 {
    given_int(column, row).unwrap_or(0)
}

pub(super) fn given_int(column: &Int32Array, row: usize) -> Option<i32> {
    column.is_valid(row).then(|| column.value(row))
}

/// A row's 32 bits, 0 for NULL.
pub(super) fn bits(column: &Int32Array, row: usize) -> u32 {
    int(column, row).cast_unsigned()
}

pub(super) fn given_long(column: &Int64Array, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.value(row))
}

/// A row's 64 bits, 0 for NULL.
pub(super) fn long_bits(column: &Int64Array, row: usize) -> u64 {
    given_long(column, row).unwrap_or(0).cast_unsigned()
}

pub(super) fn given_double(column: &Float64Array, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.value(row))
}

/// The items of a row's list, as indices into the list's values; empty for NULL.
pub(super) fn items(column: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = column.value_offsets();
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    if column.is_valid(row) { at(row)..at(row + 1) } else { 0..0 }
}

/// The values of a list of structs.
pub(super) fn structs<'a>(list: &'a ListArray, column: &'static str) -> Result<&'a StructArray, OtlpError> {
    list.values().as_struct_opt().ok_or_else(|| OtlpError::Column { column, expected: "list of structs".to_owned() })
}

/// A time of two columns.
pub(super) struct Time<'a> {
    micros: &'a TimestampMicrosecondArray,
    nanos: &'a Int32Array,
}

impl<'a> Time<'a> {
    pub(super) fn new(rows: &'a StructArray, micros: &'static str, nanos: &'static str) -> Result<Self, OtlpError> {
        Ok(Self { micros: column(rows, micros)?, nanos: column(rows, nanos)? })
    }

    /// Nanoseconds since the epoch; 0 for NULL.
    pub(super) fn at(&self, row: usize) -> u64 {
        if self.micros.is_null(row) {
            return 0;
        }
        let nanos = i128::from(self.micros.value(row)) * 1_000 + i128::from(int(self.nanos, row));
        u64::try_from(nanos).unwrap_or(0)
    }
}
