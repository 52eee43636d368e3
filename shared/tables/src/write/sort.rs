use arrow::compute::{SortColumn, SortOptions, interleave, lexsort_to_indices};
use arrow::record_batch::RecordBatch;
use icegate_model::Table;
use icegate_schema::sort_order;

use super::partition::Place;
use crate::error::TablesError;

/// The rows in the table's sort order, NULLs last.
pub(super) fn sorted(table: Table, batches: &[RecordBatch], rows: Vec<Place>) -> Result<Vec<Place>, TablesError> {
    let arrow = |source| TablesError::Arrow { table, source };
    let mut columns = Vec::new();
    for sort in sort_order(table) {
        let missing = || TablesError::Rows { table, reason: format!("no column {}", sort.column) };
        let arrays: Option<Vec<_>> = batches.iter().map(|batch| Some(batch.column_by_name(sort.column)?.as_ref())).collect();
        let values = interleave(&arrays.ok_or_else(missing)?, &rows).map_err(arrow)?;
        columns.push(SortColumn { values, options: Some(SortOptions { descending: sort.descending, nulls_first: false }) });
    }
    let order = lexsort_to_indices(&columns, None).map_err(arrow)?;
    Ok(order.values().iter().map(|index| rows[*index as usize]).collect())
}
