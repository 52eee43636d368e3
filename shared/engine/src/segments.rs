//! Which rows of which segments a scan reads.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::datasource::physical_plan::parquet::RowGroupAccess;
use icegate_model::{RequestId, TenantId};
use icegate_tables::Shifted;
use icegate_wal::{Footer, RowGroup, Segment};
use parquet::arrow::arrow_reader::RowSelection;

use crate::plan::Window;
use crate::report::ScanReport;

/// A segment with the rows of it that are read.
#[derive(Clone, Debug)]
pub(crate) struct PlannedSegment {
    pub(crate) segment: Segment,
    /// One entry a row group of the file.
    pub(crate) reads: Vec<RowGroupAccess>,
    /// How many rows these are.
    pub(crate) rows: u64,
}

/// The listed segments that may hold rows of the tenant in the window and that no ledger names: what a listing alone can tell.
pub(crate) fn candidates(
    listed: Vec<Segment>,
    shifted: &Shifted,
    tenant: &TenantId,
    window: Window,
    report: &mut ScanReport,
) -> Vec<Segment> {
    let mut candidates = Vec::new();
    for segment in listed.into_iter().filter(|segment| segment.tenants.may_hold(tenant)) {
        if !window.overlaps(segment.min, segment.max) {
            report.segments.outside_range += 1;
        } else if shifted.contains(&segment.name) {
            report.segments.shifted += 1;
        } else {
            candidates.push(segment);
        }
    }
    candidates
}

/// The segments to read: without row groups of other tenants or outside the window, and without the rows of requests that a
/// ledger or an earlier segment holds.
///
/// A copy in a segment outside the window isn't met here, but then none of the request's rows lies in the window.
pub(crate) fn planned(
    candidates: Vec<(Segment, Arc<Footer>)>,
    shifted: &Shifted,
    tenant: &TenantId,
    window: Window,
    report: &mut ScanReport,
) -> Vec<PlannedSegment> {
    let mut seen = HashSet::new();
    unmet(candidates, tenant, window, report, |_, id| shifted.request(id).is_some() || !seen.insert(id))
}

/// The segments to read: without row groups of other tenants or outside the window, and without the rows of requests that were
/// met elsewhere.
pub(crate) fn unmet(
    candidates: Vec<(Segment, Arc<Footer>)>,
    tenant: &TenantId,
    window: Window,
    report: &mut ScanReport,
    mut met: impl FnMut(&Segment, RequestId) -> bool,
) -> Vec<PlannedSegment> {
    let mut planned = Vec::new();
    for (segment, footer) in candidates {
        let repeats = repeats(&footer, tenant, |id| met(&segment, id));
        report.segments.repeated_requests += repeats.len() as u64;
        let mut rows = 0;
        let reads = groups(&footer).map(|(group, span)| {
            let wanted = group.tenant == *tenant && window.overlaps(group.min, group.max);
            let kept = if wanted { without(span.clone(), &repeats) } else { Vec::new() };
            rows += kept.iter().map(|run| run.end - run.start).sum::<u64>();
            access(&kept, &span)
        });
        let reads = reads.collect();
        if rows > 0 {
            report.segments.planned += 1;
            report.segments.rows += rows;
            report.segments.bytes += segment.size;
            planned.push(PlannedSegment { segment, reads, rows });
        }
    }
    planned
}

/// The row groups, each with its rows' numbers in the file.
fn groups(footer: &Footer) -> impl Iterator<Item = (&RowGroup, Range<u64>)> {
    let mut next = 0;
    footer.row_groups.iter().map(move |group| {
        let first = next;
        next += group.rows;
        (group, first..next)
    })
}

/// The tenant's requests of a segment.
pub(crate) fn requests(footer: &Footer, tenant: &TenantId) -> Vec<RequestId> {
    let mut ids = Vec::new();
    repeats(footer, tenant, |id| {
        ids.push(id);
        false
    });
    ids
}

/// The rows of the tenant's requests that were met before, in the order of the file.
fn repeats(footer: &Footer, tenant: &TenantId, mut met: impl FnMut(RequestId) -> bool) -> Vec<Range<u64>> {
    let mut groups = groups(footer).peekable();
    let mut repeats = Vec::new();
    for run in &footer.requests {
        while groups.next_if(|(_, span)| span.end <= run.first).is_some() {}
        let own = groups.peek().is_some_and(|(group, _)| group.tenant == *tenant);
        if own && met(run.id) {
            repeats.push(run.first..run.first.saturating_add(run.rows));
        }
    }
    repeats
}

/// What is left of `span` without `holes`, which are in order and don't overlap.
fn without(span: Range<u64>, holes: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    let mut next = span.start;
    for hole in holes.iter().filter(|hole| hole.start < span.end && span.start < hole.end) {
        if next < hole.start {
            left.push(next..hole.start);
        }
        next = hole.end;
    }
    if next < span.end {
        left.push(next..span.end);
    }
    left
}

/// How to read `kept` of the row group that is `span`.
fn access(kept: &[Range<u64>], span: &Range<u64>) -> RowGroupAccess {
    if kept.is_empty() {
        return RowGroupAccess::Skip;
    }
    if kept == [span.clone()] {
        return RowGroupAccess::Scan;
    }
    // A row group has far less rows than a usize holds; the footer's reader sees to it.
    let row = |number: u64| usize::try_from(number - span.start).unwrap_or(usize::MAX);
    let ranges = kept.iter().map(|run| row(run.start)..row(run.end));
    RowGroupAccess::Selection(RowSelection::from_consecutive_ranges(ranges, row(span.end)))
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "a list of one run of rows is meant")]
mod tests {
    use icegate_wal::RequestRows;

    use super::*;

    fn footer(groups: &[(&str, u64)], requests: &[(u128, u64)]) -> Footer {
        let mut first = 0;
        let requests = requests.iter().map(|(id, rows)| {
            let run = RequestRows { id: RequestId(*id), first, rows: *rows };
            first += rows;
            run
        });
        let row_groups = groups.iter().map(|(tenant, rows)| RowGroup {
            tenant: tenant.parse().unwrap(),
            account: None,
            rows: *rows,
            min: 0,
            max: 0,
        });
        Footer { version: 1, row_groups: row_groups.collect(), requests: requests.collect() }
    }

    #[test]
    fn holes_are_cut_out_of_a_span() {
        assert_eq!(without(10..20, &[]), [10..20]);
        assert_eq!(without(10..20, &[0..5, 30..40]), [10..20]);
        assert_eq!(without(10..20, &[0..12, 14..15, 18..25]), [12..14, 15..18]);
        assert_eq!(without(10..20, &[5..25]), Vec::<Range<u64>>::new());
        assert_eq!(without(10..20, &[0..15, 15..40]), Vec::<Range<u64>>::new());
    }

    #[test]
    fn only_the_tenants_own_repeats_are_met() {
        let footer = footer(&[("a", 3), ("a", 2), ("b", 4)], &[(1, 4), (2, 1), (1, 2), (3, 2)]);
        let mut asked = Vec::new();
        let repeats = repeats(&footer, &"a".parse().unwrap(), |id| {
            asked.push(id.0);
            id.0 == 2
        });
        assert_eq!((repeats, asked), (vec![4..5], vec![1, 2]));
    }

    #[test]
    fn a_row_group_is_read_whole_in_part_or_not_at_all() {
        assert_eq!(access(&[], &(10..20)), RowGroupAccess::Skip);
        assert_eq!(access(&[10..20], &(10..20)), RowGroupAccess::Scan);
        let RowGroupAccess::Selection(selection) = access(&[12..14, 15..20], &(10..20)) else {
            panic!("a part is a selection");
        };
        let runs: Vec<_> = selection.iter().map(|run| (run.skip, run.row_count)).collect();
        assert_eq!(runs, [(true, 2), (false, 2), (true, 1), (false, 5)]);
    }
}
