use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, NullBufferBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Fields};
use arrow::error::ArrowError;
use icegate_model::Table;
use icegate_schema::arrow_schema;

/// Where the items of each row's list end, for lists and maps whose items lie in builders of their own.
pub(crate) struct Lists {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Lists {
    pub(crate) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, nulls: NullBufferBuilder::new(rows) }
    }

    /// Ends a row's list where `items` items are there in all.
    pub(crate) fn close(&mut self, items: usize) {
        // The budget of a request keeps items far below 2^31.
        self.offsets.push(i32::try_from(items).unwrap_or(i32::MAX));
        self.nulls.append_non_null();
    }

    /// Whether items have come since the last row ended, when `items` are there in all.
    pub(crate) fn is_open(&self, items: usize) -> bool {
        self.offsets.last().is_some_and(|end| usize::try_from(*end) != Ok(items))
    }

    /// A row without a list.
    pub(crate) fn null(&mut self) {
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
        self.nulls.append_null();
    }

    pub(crate) fn finish(mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (OffsetBuffer::new(ScalarBuffer::from(self.offsets)), self.nulls.finish())
    }

    /// The list column of that name whose items are `items`.
    pub(crate) fn finish_list(self, table: Table, column: &str, items: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let schema = arrow_schema(table);
        let DataType::List(element) = schema.field_with_name(column)?.data_type() else {
            return Err(ArrowError::SchemaError(format!("column {column} is no list")));
        };
        let (offsets, nulls) = self.finish();
        Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, items, nulls)?))
    }

    /// The list column of that name whose items have `fields`.
    pub(crate) fn finish_structs(
        self,
        table: Table,
        column: &str,
        fields: Fields,
        items: Vec<ArrayRef>,
    ) -> Result<ArrayRef, ArrowError> {
        self.finish_list(table, column, Arc::new(StructArray::try_new(fields, items, None)?))
    }
}
