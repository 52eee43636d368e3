use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::record_batch::RecordBatch;
use iceberg::spec::{Literal, Struct};
use icegate_model::{AccountId, Table, TenantId};
use icegate_schema::columns::{ACCOUNT_ID, TENANT_ID, TIMESTAMP};

use crate::error::TablesError;

/// Microseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What all rows of a data file have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) tenant: TenantId,
    pub(super) account: Option<AccountId>,
    /// Days since 1970-01-01, UTC.
    pub(super) day: i32,
}

/// A row's place: its batch, and the row in it.
pub(super) type Place = (usize, usize);

impl Partition {
    /// The values in the order of the table's partition fields.
    pub(super) fn values(&self) -> Struct {
        Struct::from_iter([
            Some(Literal::string(&self.tenant)),
            self.account.as_ref().map(Literal::string),
            Some(Literal::date(self.day)),
        ])
    }

    /// Where its files lie, as other Iceberg writers name such directories. Readers don't take values from it.
    pub(super) fn directory(&self) -> String {
        let account = self.account.as_ref().map_or("null", AccountId::as_str);
        let (year, month, day) = civil(self.day);
        format!("tenant_id={}/account_id={account}/timestamp_day={year:04}-{month:02}-{day:02}", self.tenant)
    }
}

/// The rows of each partition, in the batches' order.
pub(super) fn split(table: Table, batches: &[RecordBatch]) -> Result<BTreeMap<Partition, Vec<Place>>, TablesError> {
    let mut partitions: BTreeMap<Partition, Vec<Place>> = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        let keys = Keys::of(table, batch)?;
        let mut row = 0;
        while row < batch.num_rows() {
            // Rows of one partition mostly follow each other, so that its key is looked up once for many.
            let end = (row + 1..batch.num_rows()).find(|next| !keys.same(row, *next)).unwrap_or(batch.num_rows());
            partitions.entry(keys.partition(row)?).or_default().extend((row..end).map(|row| (number, row)));
            row = end;
        }
    }
    Ok(partitions)
}

/// The partition columns of a batch.
struct Keys<'a> {
    table: Table,
    tenants: &'a arrow::array::StringArray,
    accounts: &'a arrow::array::StringArray,
    times: &'a arrow::array::TimestampMicrosecondArray,
}

impl<'a> Keys<'a> {
    fn of(table: Table, batch: &'a RecordBatch) -> Result<Self, TablesError> {
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| TablesError::Rows { table, reason: format!("no column {name}") })
        };
        let other = |name: &str| TablesError::Rows { table, reason: format!("column {name} of another type") };
        Ok(Self {
            table,
            tenants: column(TENANT_ID)?.as_string_opt().ok_or_else(|| other(TENANT_ID))?,
            accounts: column(ACCOUNT_ID)?.as_string_opt().ok_or_else(|| other(ACCOUNT_ID))?,
            times: column(TIMESTAMP)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| other(TIMESTAMP))?,
        })
    }

    fn account(&self, row: usize) -> Option<&str> {
        self.accounts.is_valid(row).then(|| self.accounts.value(row))
    }

    fn same(&self, row: usize, next: usize) -> bool {
        self.tenants.value(row) == self.tenants.value(next)
            && self.account(row) == self.account(next)
            && self.times.value(row).div_euclid(DAY) == self.times.value(next).div_euclid(DAY)
    }

    fn partition(&self, row: usize) -> Result<Partition, TablesError> {
        let refuse = |error: icegate_model::InvalidTenant| TablesError::Rows { table: self.table, reason: error.to_string() };
        let days = self.times.value(row).div_euclid(DAY);
        Ok(Partition {
            tenant: self.tenants.value(row).parse().map_err(refuse)?,
            account: self.account(row).map(|account| account.parse().map_err(refuse)).transpose()?,
            // All microseconds of an i64 are within 107 million days.
            day: i32::try_from(days).unwrap_or(i32::MAX),
        })
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
fn civil(days: i32) -> (i64, i64, i64) {
    // Years are counted from 1 March, so that the leap day is a year's last; an era is 400 years, 146,097 days.
    let days = i64::from(days) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_their_date() {
        for (days, date) in
            [(0, (1970, 1, 1)), (-1, (1969, 12, 31)), (59, (1970, 3, 1)), (19_782, (2024, 2, 29)), (20_454, (2026, 1, 1))]
        {
            assert_eq!(civil(days), date, "{days}");
        }
    }

    #[test]
    fn a_directory_names_tenant_account_and_day() {
        let mut partition = Partition { tenant: "acme".parse().unwrap(), account: Some("a1".parse().unwrap()), day: 20_454 };
        assert_eq!(partition.directory(), "tenant_id=acme/account_id=a1/timestamp_day=2026-01-01");
        partition.account = None;
        assert_eq!(partition.directory(), "tenant_id=acme/account_id=null/timestamp_day=2026-01-01");
    }
}
