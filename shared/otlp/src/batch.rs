//! From columns to a batch, and the cells that every table writes the same way.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, RecordBatch, StringBuilder, TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::error::ArrowError;
use icegate_model::{Table, Timestamp};
use icegate_schema::{arrow_schema, columns};

use crate::Origin;

/// The time zone of every timestamp column.
const UTC: &str = "+00:00";

/// Columns by name, in any order.
pub(crate) type Columns = Vec<(&'static str, ArrayRef)>;

/// The batch of a table; every column of the table must be there.
pub(crate) fn batch(table: Table, columns: &Columns) -> Result<RecordBatch, ArrowError> {
    let schema = arrow_schema(table);
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let column = columns.iter().find(|(name, _)| name == field.name());
        let missing = || ArrowError::SchemaError(format!("column {} of {table} isn't built", field.name()));
        arrays.push(Arc::clone(&column.ok_or_else(missing)?.1));
    }
    RecordBatch::try_new(schema, arrays)
}

/// The columns that are the same in every row of a request.
pub(crate) fn origin(origin: &Origin, rows: usize) -> Columns {
    let mut accounts = StringBuilder::new();
    match &origin.account {
        Some(account) => accounts.append_value_n(account.as_str(), rows),
        None => accounts.append_nulls(rows),
    }
    let mut tenants = StringBuilder::new();
    tenants.append_value_n(origin.tenant.as_str(), rows);
    let ingested = TimestampMicrosecondArray::from_value(origin.ingested.micros(), rows).with_timezone(UTC);
    vec![
        (columns::TENANT_ID, Arc::new(tenants.finish())),
        (columns::ACCOUNT_ID, Arc::new(accounts.finish())),
        (columns::INGESTED_TIMESTAMP, Arc::new(ingested)),
    ]
}

/// A time as microseconds and the nanoseconds beyond them.
pub(crate) struct TimeColumn {
    micros: TimestampMicrosecondBuilder,
    nanos: Int32Builder,
}

impl TimeColumn {
    pub(crate) fn new(rows: usize) -> Self {
        let micros = TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(UTC);
        Self { micros, nanos: Int32Builder::with_capacity(rows) }
    }

    /// Nanoseconds since the epoch, of which all 64 bits count: their microseconds fit the column.
    pub(crate) fn append(&mut self, nanos: u64) {
        self.micros.append_value((nanos / 1_000).cast_signed());
        self.nanos.append_value(i32::try_from(nanos % 1_000).unwrap_or_default());
    }

    pub(crate) fn append_timestamp(&mut self, at: Timestamp) {
        self.micros.append_value(at.micros());
        self.nanos.append_value(i32::try_from(at.nanos_of_micro()).unwrap_or_default());
    }

    /// A time that may be left out, which is 0 in the protocol.
    pub(crate) fn append_given(&mut self, nanos: u64) {
        if nanos == 0 {
            self.micros.append_null();
            self.nanos.append_null();
        } else {
            self.append(nanos);
        }
    }

    /// Microseconds and nanoseconds.
    pub(crate) fn finish(mut self) -> (ArrayRef, ArrayRef) {
        (Arc::new(self.micros.finish()), Arc::new(self.nanos.finish()))
    }
}

/// Text that is NULL where it is empty.
pub(crate) fn text_given(column: &mut StringBuilder, text: &str) {
    column.append_option((!text.is_empty()).then_some(text));
}

/// An id that is NULL where it is empty.
pub(crate) fn id_given(column: &mut BinaryBuilder, id: &[u8]) {
    column.append_option((!id.is_empty()).then_some(id));
}

/// An id that is NULL where it is empty or all zeros.
pub(crate) fn id_not_zero(column: &mut BinaryBuilder, id: &[u8]) {
    column.append_option(id.iter().any(|byte| *byte != 0).then_some(id));
}

/// 32 bits that are NULL where they are 0.
pub(crate) fn bits_given(column: &mut Int32Builder, bits: u32) {
    column.append_option((bits != 0).then_some(bits.cast_signed()));
}
