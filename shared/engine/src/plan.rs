use std::sync::Arc;

use icegate_model::{TenantId, TimeRange, Timestamp};
use icegate_schema::columns;
use icegate_tables::{Bound, DataFile, Snapshot};

use crate::EngineError;
use crate::report::ScanReport;

/// The whole microseconds that hold the nanoseconds of a range, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    first: i64,
    last: i64,
}

impl Window {
    /// Holds every time.
    pub(crate) const EVERYTHING: Self = Self { first: i64::MIN, last: i64::MAX };

    /// None for a range that holds no time. Rows may be of times that a [`Timestamp`] can't say, up to the year 2554 by OTLP: a range
    /// that ends where these do has no end, and the same for its start.
    pub(crate) fn of(range: TimeRange) -> Option<Self> {
        let last_nanos = range.end().nanos().saturating_sub(1);
        let first = if range.start() == Timestamp::MIN { i64::MIN } else { range.start().micros() };
        let last = if range.end() == Timestamp::MAX { i64::MAX } else { last_nanos.div_euclid(1_000) };
        (range.start() < range.end()).then_some(Self { first, last })
    }

    /// Whether rows from `min` to `max`, both in it, may lie in the window.
    pub(crate) const fn overlaps(self, min: i64, max: i64) -> bool {
        min <= self.last && self.first <= max
    }
}

/// The tenant's files of a snapshot that may hold rows of the window.
pub(crate) fn files(
    snapshot: &Snapshot,
    tenant: &TenantId,
    window: Window,
    report: &mut ScanReport,
) -> Result<Vec<Arc<DataFile>>, EngineError> {
    let mut planned = Vec::new();
    for file in snapshot.files().iter().filter(|file| file.tenant == *tenant) {
        if !window.overlaps(file.min_timestamp, file.max_timestamp) {
            report.files.outside_range += 1;
            continue;
        }
        if is_foreign(file) {
            return Err(EngineError::ForeignRows { table: report.table, path: file.path.to_string() });
        }
        report.files.planned += 1;
        report.files.rows += file.rows;
        report.files.bytes += file.size;
        planned.push(Arc::clone(file));
    }
    Ok(planned)
}

/// Whether the bounds of the tenant column contradict the partition, which alone stands between tenants here (TENANT-1).
fn is_foreign(file: &DataFile) -> bool {
    let Some(bounds) = file.bounds_of(columns::TENANT_ID) else {
        return false;
    };
    let owner = Bound::Text(file.tenant.as_str().to_owned());
    let (below, above) = (bounds.min.as_ref(), bounds.max.as_ref());
    if bounds.exact {
        below.into_iter().chain(above).any(|bound| *bound != owner)
    } else {
        below.is_some_and(|min| *min > owner) || above.is_some_and(|max| *max < owner)
    }
}

#[cfg(test)]
mod tests {
    use icegate_tables::ColumnBounds;

    use super::*;

    fn nanos(start: i64, end: i64) -> Option<Window> {
        Window::of(TimeRange::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end)).unwrap())
    }

    #[test]
    fn a_window_holds_each_microsecond_that_the_range_touches() {
        assert_eq!(nanos(1_999, 3_000), Some(Window { first: 1, last: 2 }));
        assert_eq!(nanos(1_999, 3_001), Some(Window { first: 1, last: 3 }));
        assert_eq!(nanos(-1, 1), Some(Window { first: -1, last: 0 }));
        assert_eq!(nanos(5, 5), None);
        let all = Window::of(TimeRange::ALL).unwrap();
        assert!(all.overlaps(0, 0) && all.overlaps(i64::MIN, i64::MIN / 1_000) && all.overlaps(i64::MAX / 1_000, i64::MAX));
        // The last microsecond of OTLP, in the year 2554.
        assert!(all.overlaps(18_446_744_073_709_551, 18_446_744_073_709_551) && all.overlaps(i64::MIN, i64::MIN));
    }

    #[test]
    fn a_window_overlaps_what_touches_either_end() {
        let window = Window { first: 10, last: 20 };
        for (min, max, overlaps) in [(0, 9, false), (0, 10, true), (12, 13, true), (20, 30, true), (21, 30, false), (0, 99, true)]
        {
            assert_eq!(window.overlaps(min, max), overlaps, "{min} to {max}");
        }
    }

    #[test]
    fn a_file_whose_bounds_name_another_tenant_is_foreign() {
        let file = |min: &str, max: &str, exact| {
            let text = |text: &str| Some(Bound::Text(text.to_owned()));
            let bounds = ColumnBounds { min: text(min), max: text(max), nulls: Some(0), exact };
            DataFile {
                path: "f.parquet".into(),
                size: 1,
                rows: 1,
                tenant: "m".parse().unwrap(),
                account: None,
                day: 0,
                min_timestamp: 0,
                max_timestamp: 0,
                sorted: true,
                bounds: vec![(columns::TENANT_ID.into(), bounds)],
            }
        };
        assert!(!is_foreign(&file("m", "m", true)));
        assert!(is_foreign(&file("a", "m", true)));
        assert!(is_foreign(&file("m", "z", true)));
        assert!(!is_foreign(&file("a", "z", false)));
        assert!(is_foreign(&file("n", "z", false)));
        assert!(!is_foreign(&DataFile { bounds: Vec::new(), ..file("z", "z", true) }));
    }
}
