use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, Int32Array, MapArray, RecordBatch, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit, TimestampMicrosecondType};
use icegate_schema::columns;

use crate::LogqlError;

/// The column of this name.
pub(crate) fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a ArrayRef, LogqlError> {
    batch.column_by_name(name).ok_or_else(|| LogqlError::Column { column: name, found: "missing".to_owned() })
}

/// Texts, whichever way they are laid out.
#[derive(Clone, Debug)]
pub(crate) enum TextColumn {
    Plain(StringArray),
    View(StringViewArray),
}

impl TextColumn {
    pub(crate) fn new(array: &ArrayRef) -> Result<Self, LogqlError> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Plain(array.as_string::<i32>().clone())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view().clone())),
            _ => Ok(Self::View(cast(array, &DataType::Utf8View).map_err(arrow_error)?.as_string_view().clone())),
        }
    }

    pub(crate) fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, LogqlError> {
        Self::new(column(batch, name)?)
    }

    /// `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }

    /// "" for NULL.
    pub(crate) fn text(&self, row: usize) -> &str {
        self.get(row).unwrap_or_default()
    }
}

/// Ids.
pub(crate) enum BytesColumn {
    Plain(BinaryArray),
    View(BinaryViewArray),
}

impl BytesColumn {
    pub(crate) fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, LogqlError> {
        let array = column(batch, name)?;
        match array.data_type() {
            DataType::Binary => Ok(Self::Plain(array.as_binary::<i32>().clone())),
            _ => Ok(Self::View(cast(array, &DataType::BinaryView).map_err(arrow_error)?.as_binary_view().clone())),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// Numbers of 32 bits.
pub(crate) struct IntColumn(Int32Array);

impl IntColumn {
    pub(crate) fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, LogqlError> {
        let array = cast(column(batch, name)?, &DataType::Int32).map_err(arrow_error)?;
        Ok(Self(array.as_primitive::<Int32Type>().clone()))
    }

    pub(crate) fn get(&self, row: usize) -> Option<i32> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

/// Times of rows in nanoseconds.
pub(crate) struct Times {
    micros: TimestampMicrosecondArray,
    nanos: IntColumn,
}

impl Times {
    pub(crate) fn of(batch: &RecordBatch) -> Result<Self, LogqlError> {
        Self::pair(batch, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)
    }

    pub(crate) fn pair(batch: &RecordBatch, micros: &'static str, nanos: &'static str) -> Result<Self, LogqlError> {
        let array = column(batch, micros)?;
        if !matches!(array.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)) {
            return Err(LogqlError::Column { column: micros, found: array.data_type().to_string() });
        }
        Ok(Self { micros: array.as_primitive::<TimestampMicrosecondType>().clone(), nanos: IntColumn::of(batch, nanos)? })
    }

    pub(crate) fn get(&self, row: usize) -> i64 {
        let nanos = self.nanos.get(row).unwrap_or_default();
        self.micros.value(row).saturating_mul(1_000).saturating_add(i64::from(nanos))
    }
}

/// Attributes.
pub(crate) struct MapColumn {
    map: MapArray,
    keys: TextColumn,
    values: TextColumn,
}

impl MapColumn {
    pub(crate) fn of(batch: &RecordBatch, name: &'static str) -> Result<Self, LogqlError> {
        let array = column(batch, name)?;
        let Some(map) = array.as_map_opt() else {
            return Err(LogqlError::Column { column: name, found: array.data_type().to_string() });
        };
        Ok(Self { map: map.clone(), keys: TextColumn::new(map.keys())?, values: TextColumn::new(map.values())? })
    }

    /// Keys and values of a row; NULL has none.
    pub(crate) fn entries(&self, row: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        let offsets = self.map.value_offsets();
        #[allow(clippy::cast_sign_loss, reason = "offsets of a valid array are not negative")]
        let range = if self.map.is_valid(row) { offsets[row] as usize..offsets[row + 1] as usize } else { 0..0 };
        range.map(|at| (self.keys.text(at), self.values.get(at)))
    }

    /// The value of a key.
    pub(crate) fn find(&self, row: usize, key: &str) -> Option<&str> {
        self.entries(row).find(|(found, _)| *found == key).and_then(|(_, value)| value)
    }
}

/// Lengths that a plan computed, as numbers.
pub(crate) fn octets(batch: &RecordBatch, name: &'static str) -> Result<IntColumn, LogqlError> {
    IntColumn::of(batch, name)
}

fn arrow_error(error: arrow::error::ArrowError) -> LogqlError {
    LogqlError::Read(error.into())
}
