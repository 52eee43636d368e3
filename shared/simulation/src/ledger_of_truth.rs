//! What was sent and what was acknowledged, known to nobody but the judge.

use std::collections::{BTreeMap, BTreeSet};

use icegate_model::{RequestId, Table, TenantId};

/// A row of a table, told by its time: no two rows of a run have the same.
pub(crate) type Row = i64;

/// One request as the clients know it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) tenant: TenantId,
    pub(crate) rows: Vec<(Table, Vec<Row>)>,
    pub(crate) acknowledged: bool,
}

/// All requests of a run.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    sent: BTreeMap<RequestId, Sent>,
    owners: BTreeMap<(Table, Row), RequestId>,
}

impl Truth {
    pub(crate) fn send(&mut self, id: RequestId, tenant: TenantId, rows: Vec<(Table, Vec<Row>)>) {
        for (table, times) in &rows {
            for time in times {
                assert!(self.owners.insert((*table, *time), id).is_none(), "row {time} is sent twice by the simulation itself");
            }
        }
        self.sent.insert(id, Sent { tenant, rows, acknowledged: false });
    }

    pub(crate) fn acknowledge(&mut self, id: RequestId) -> u64 {
        let sent = self.sent.get_mut(&id).expect("only what was sent is acknowledged");
        let first = !std::mem::replace(&mut sent.acknowledged, true);
        if first { sent.rows.iter().map(|(_, rows)| rows.len() as u64).sum() } else { 0 }
    }

    /// The rows of a request for a table.
    pub(crate) fn rows(&self, id: RequestId, table: Table) -> Option<&[Row]> {
        let (_, rows) = self.sent.get(&id)?.rows.iter().find(|(of, _)| *of == table)?;
        Some(rows)
    }

    /// Rows that a query of the tenant that begins now has to see.
    pub(crate) fn acknowledged(&self, table: Table, tenant: Option<&TenantId>) -> BTreeSet<Row> {
        let of_tenant = |sent: &&Sent| sent.acknowledged && tenant.is_none_or(|tenant| sent.tenant == *tenant);
        let rows = self.sent.values().filter(of_tenant).flat_map(|sent| &sent.rows);
        rows.filter(|(of, _)| *of == table).flat_map(|(_, rows)| rows.iter().copied()).collect()
    }

    /// What is wrong with rows that should be all of `expected`, nothing twice, nothing that was never sent, and of one tenant
    /// only where one is given.
    pub(crate) fn judge(
        &self,
        table: Table,
        tenant: Option<&TenantId>,
        expected: &BTreeSet<Row>,
        found: &[Row],
    ) -> Option<String> {
        let mut distinct = BTreeSet::new();
        for row in found {
            let Some(owner) = self.owners.get(&(table, *row)) else {
                return Some(format!("INVENTED: row {row} of {table} was never sent"));
            };
            if tenant.is_some_and(|tenant| self.sent[owner].tenant != *tenant) {
                return Some(format!("FOREIGN: row {row} of {table} is of tenant {}", self.sent[owner].tenant));
            }
            if !distinct.insert(*row) {
                return Some(format!("DOUBLED: row {row} of {table}, request {owner}"));
            }
        }
        let lost = expected.iter().find(|row| !distinct.contains(row))?;
        Some(format!("LOST: row {lost} of {table}, request {}", self.owners[&(table, *lost)]))
    }

    pub(crate) fn tenant_of(&self, table: Table, row: Row) -> Option<&TenantId> {
        Some(&self.sent[self.owners.get(&(table, row))?].tenant)
    }
}
