//! Log lines by which one request can be followed into a table.

use icegate_model::{RequestId, Table};
use icegate_tables::Committed;
use icegate_wal::Segment;

/// Requests of one segment that its line names.
const NAMED: usize = 64;

/// A line for each segment of a commit: the requests that it brought in and the snapshot that they are in now. The snapshot's summary
/// names the ledger, which names the segment.
pub(crate) fn shifted(table: Table, segments: &[Segment], requests: &[RequestId], after: &[usize], committed: &Committed) {
    if !tracing::enabled!(target: icegate_model::TRAIL, tracing::Level::DEBUG) {
        return;
    }
    let mut from = 0;
    for (segment, to) in segments.iter().zip(after) {
        let brought = requests.get(from..*to).unwrap_or_default();
        let named: Vec<_> = brought.iter().take(NAMED).map(ToString::to_string).collect();
        tracing::debug!(
            target: icegate_model::TRAIL,
            %table,
            segment = %segment.name,
            requests = named.join(","),
            requests_count = brought.len(),
            snapshot = committed.snapshot_id,
            "segment is in the table"
        );
        from = *to;
    }
}
