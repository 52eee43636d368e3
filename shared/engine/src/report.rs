use std::fmt;

use icegate_model::{Table, TenantId};

/// Most unreadable segments that warnings name; the others are counted.
const MAX_NAMED: usize = 10;

/// What a scan reads, what it leaves out and why; for `explain` and statistics. Counts nothing that belongs to other tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanReport {
    /// The table.
    pub table: Table,
    /// Whose rows.
    pub tenant: TenantId,
    /// The snapshot that the files are of; none for a table without commits.
    pub snapshot: Option<i64>,
    /// The table's files.
    pub files: FileReport,
    /// The WAL's segments; all 0 where the WAL isn't read.
    pub segments: SegmentReport,
    /// Segments that can't be read and may hold rows of the tenant and the time range: the answer is without them.
    pub unreadable: Vec<String>,
    /// The table doesn't exist, so that only the WAL is read.
    pub no_table: bool,
}

/// The tenant's files of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileReport {
    /// Files that the scan may read.
    pub planned: u64,
    /// Files left out because all their rows are outside the time range.
    pub outside_range: u64,
    /// Rows of the planned files.
    pub rows: u64,
    /// Bytes of the planned files.
    pub bytes: u64,
}

/// The segments that may hold rows of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentReport {
    /// Segments that the scan may read.
    pub planned: u64,
    /// Segments left out because all their rows are outside the time range.
    pub outside_range: u64,
    /// Segments left out because a ledger says that their rows are in the table.
    pub shifted: u64,
    /// Requests left out because their rows are in the table or in an earlier segment.
    pub repeated_requests: u64,
    /// The tenant's rows of the planned segments.
    pub rows: u64,
    /// Bytes of the planned segments, with those of other tenants' rows in the same objects.
    pub bytes: u64,
}

impl ScanReport {
    pub(crate) fn new(table: Table, tenant: TenantId) -> Self {
        let (files, segments) = (FileReport::default(), SegmentReport::default());
        Self { table, tenant, snapshot: None, files, segments, unreadable: Vec::new(), no_table: false }
    }

    /// What keeps the answer from being whole, for the one who asked (READ-2). Names no other tenant.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let table = self.table;
        let missing = self
            .no_table
            .then(|| format!("table {table} does not exist in the catalog yet, the answer holds what is in the write-ahead log"));
        let more = self.unreadable.len().saturating_sub(MAX_NAMED);
        let more = (more > 0).then(|| format!("{more} more segments of {table} in the write-ahead log can't be read"));
        let unreadable = self.unreadable.iter().take(MAX_NAMED);
        let unreadable = unreadable.map(|segment| {
            format!("segment {table}/{segment} of the write-ahead log can't be read, the answer is without its rows")
        });
        missing.into_iter().chain(unreadable).chain(more).collect()
    }
}

impl fmt::Display for ScanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (files, segments) = (&self.files, &self.segments);
        write!(f, "scan of {} for {}, ", self.table, self.tenant)?;
        match self.snapshot {
            Some(id) => writeln!(f, "snapshot {id}")?,
            None => writeln!(f, "no snapshot")?,
        }
        writeln!(
            f,
            "  files: {} planned ({} rows, {} bytes), {} outside the time range",
            files.planned, files.rows, files.bytes, files.outside_range
        )?;
        write!(
            f,
            "  segments: {} planned ({} rows, {} bytes), {} outside the time range, {} shifted, {} repeated requests",
            segments.planned, segments.rows, segments.bytes, segments.outside_range, segments.shifted, segments.repeated_requests
        )?;
        self.warnings().iter().try_for_each(|warning| write!(f, "\n  {warning}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_left_out_and_why() {
        let mut report = ScanReport::new(Table::Logs, TenantId::default_tenant());
        report.snapshot = Some(7);
        report.files = FileReport { planned: 2, outside_range: 3, rows: 10, bytes: 99 };
        report.unreadable = vec!["s.parquet".to_owned()];
        report.segments = SegmentReport { planned: 1, outside_range: 4, shifted: 5, repeated_requests: 6, rows: 8, bytes: 77 };
        assert_eq!(
            report.to_string(),
            "scan of logs for default, snapshot 7\n  \
             files: 2 planned (10 rows, 99 bytes), 3 outside the time range\n  \
             segments: 1 planned (8 rows, 77 bytes), 4 outside the time range, 5 shifted, 6 repeated requests\n  \
             segment logs/s.parquet of the write-ahead log can't be read, the answer is without its rows"
        );
    }
}
