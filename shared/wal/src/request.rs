use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use icegate_model::{AccountId, RequestId, Table, TenantId};
use icegate_schema::columns;

use crate::{Segment, WalError};

/// The rows of one OTLP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The hash of its content, by which a repeated request is told.
    pub id: RequestId,
    /// Whose rows.
    pub tenant: TenantId,
    /// The part of the tenant.
    pub account: Option<AccountId>,
    /// The rows; a table may be there several times, a batch may be empty.
    pub batches: Vec<(Table, RecordBatch)>,
}

/// The proof that a request's rows are durable (WAL-1): only [`crate::Writer::append`] makes it.
#[derive(Clone, Debug)]
pub struct Durable {
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl Durable {
    /// The segments that hold the rows, one a table; empty for a request without rows.
    #[must_use]
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }
}

/// What a request has for one table: never without rows.
#[derive(Debug)]
pub(crate) struct TableRows {
    pub(crate) table: Table,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) rows: usize,
    /// As Arrow holds them.
    pub(crate) bytes: usize,
}

impl Request {
    /// The rows by table, checked to belong there.
    pub(crate) fn by_table(&mut self) -> Result<Vec<TableRows>, WalError> {
        let batches = std::mem::take(&mut self.batches);
        let mut tables: Vec<TableRows> = Vec::new();
        for (table, batch) in batches.into_iter().filter(|(_, batch)| batch.num_rows() > 0) {
            self.check(table, &batch).map_err(|reason| WalError::Misplaced { request: self.id, table, reason })?;
            let (rows, bytes) = (batch.num_rows(), batch.get_array_memory_size());
            match tables.iter_mut().find(|known| known.table == table) {
                Some(known) => {
                    known.batches.push(batch);
                    known.rows += rows;
                    known.bytes += bytes;
                }
                None => tables.push(TableRows { table, batches: vec![batch], rows, bytes }),
            }
        }
        Ok(tables)
    }

    /// TENANT-1 at the door. The first and the last row stand for all: a batch is made from one request.
    fn check(&self, table: Table, batch: &RecordBatch) -> Result<(), &'static str> {
        let schema = icegate_schema::arrow_schema(table);
        if !Arc::ptr_eq(&schema, batch.schema_ref()) && schema.fields() != batch.schema_ref().fields() {
            return Err("its columns are not the table's");
        }
        for (column, expected) in [
            (columns::TENANT_ID, Some(self.tenant.as_str())),
            (columns::ACCOUNT_ID, self.account.as_ref().map(AccountId::as_str)),
        ] {
            let values = batch.column_by_name(column).and_then(|values| values.as_string_opt::<i32>());
            let values = values.ok_or("it has no tenant or account")?;
            for row in [0, values.len() - 1] {
                if values.is_valid(row).then(|| values.value(row)) != expected {
                    return Err("its rows are of another tenant or account");
                }
            }
        }
        Ok(())
    }
}
