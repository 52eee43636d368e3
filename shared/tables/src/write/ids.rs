use arrow::array::{Array, AsArray, BinaryArray};
use arrow::record_batch::RecordBatch;
use icegate_model::Table;
use icegate_schema::indexed_id;

use super::partition::Place;
use crate::error::TablesError;
use crate::index::IdHash;

/// The ids of these rows that the table's index is kept of, each once, in order; none of a table without an index.
pub(super) fn of_rows(table: Table, batches: &[RecordBatch], rows: &[Place]) -> Result<Vec<IdHash>, TablesError> {
    let Some(column) = indexed_id(table) else { return Ok(Vec::new()) };
    let ids_of = |batch: &RecordBatch| batch.column_by_name(column).and_then(|ids| ids.as_binary_opt::<i32>().cloned());
    let columns: Option<Vec<BinaryArray>> = batches.iter().map(ids_of).collect();
    let columns = columns.ok_or_else(|| TablesError::Rows { table, reason: format!("no column {column} of bytes") })?;
    let id = |(batch, row): &Place| columns[*batch].is_valid(*row).then(|| IdHash::of(columns[*batch].value(*row)));
    let mut ids: Vec<_> = rows.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
