use std::collections::HashSet;
use std::ops::Range;

use arrow::array::RecordBatch;
use futures::{StreamExt, stream};
use icegate_model::{ErrorKind, RequestId, Table};
use icegate_tables::Shifted;
use icegate_wal::{Footer, Segment, Wal};

use crate::{ShiftConfig, ShiftError};

/// A pass's memory goes in equal shares to the rows that it took, to those that are being read, and to two copies while they are encoded.
const SHARES: usize = 4;
/// Segments that the store may fail to give before a pass ends with what it has: one lost object must not stop a table, and a store
/// that is down must not be asked for every one.
const MAX_STORE_FAILURES: usize = 4;

/// What a pass takes: rows, and what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) requests: Vec<RequestId>,
    /// How many of the requests there were after each segment.
    pub(crate) requests_after: Vec<usize>,
    /// How many of the batches.
    pub(crate) batches_after: Vec<usize>,
    pub(crate) repeated_rows: u64,
    /// Its bytes are not those of a segment.
    pub(crate) unreadable: Vec<Unreadable>,
    /// A later release wrote it.
    pub(crate) newer: Vec<Unreadable>,
}

/// A segment that was not read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) segment: Segment,
    pub(crate) reason: String,
}

/// Reads pending segments, oldest first, until a bound is reached, and leaves out requests that were met before.
pub(crate) async fn select(
    wal: &Wal,
    table: Table,
    pending: Vec<Segment>,
    shifted: &Shifted,
    config: &ShiftConfig,
) -> Result<Selection, ShiftError> {
    let mut selection = Selection::default();
    let mut met = HashSet::new();
    let (mut bytes, mut row_groups) = (0, 0);
    let mut failures = Vec::new();
    let parallelism = parallelism(&pending, config);
    let mut read = stream::iter(pending)
        .map(|segment| async move {
            let contents = read_segment(wal, &segment).await;
            (segment, contents)
        })
        .buffered(parallelism);
    while let Some((segment, contents)) = read.next().await {
        let (footer, batches) = match contents {
            Ok(contents) => contents,
            Err(error) => {
                let reason = error.to_string();
                match error.kind() {
                    // Deleted since it was listed: another shifter has committed it and its grace is over. Were it not so, it
                    // would be listed again.
                    ErrorKind::NotFound => {}
                    ErrorKind::Corrupt => selection.unreadable.push(Unreadable { segment, reason }),
                    ErrorKind::Unsupported => selection.newer.push(Unreadable { segment, reason }),
                    _ => {
                        tracing::warn!(%table, segment = %segment.path, %error, "segment is left for the next pass");
                        failures.push(error);
                        if failures.len() >= MAX_STORE_FAILURES {
                            break;
                        }
                    }
                }
                continue;
            }
        };
        let mut repeated = Vec::new();
        for run in &footer.requests {
            if shifted.request(run.id).is_some() || !met.insert(run.id) {
                repeated.push(run.first..run.first + run.rows);
                selection.repeated_rows += run.rows;
            } else {
                selection.requests.push(run.id);
            }
        }
        row_groups += batches.len();
        for batch in without(batches, &repeated) {
            bytes += batch.get_array_memory_size();
            selection.batches.push(batch);
        }
        selection.requests_after.push(selection.requests.len());
        selection.batches_after.push(selection.batches.len());
        selection.segments.push(segment);
        if bytes >= config.max_input_bytes / SHARES || row_groups >= config.max_row_groups {
            break;
        }
    }
    match failures.into_iter().next() {
        Some(error) if selection.segments.is_empty() => Err(error),
        _ => Ok(selection),
    }
}

/// How many segments are read at once: those that wait decoded must not hold more than the pass itself may (BOUND-1).
fn parallelism(pending: &[Segment], config: &ShiftConfig) -> usize {
    /// Rows in memory are about this many times the bytes of their segment.
    const DECODED_RATIO: u64 = 16;
    let largest = pending.iter().map(|segment| segment.size).max().unwrap_or(0).saturating_mul(DECODED_RATIO).max(1);
    let fits = (config.max_input_bytes / SHARES) as u64 / largest;
    config.read_parallelism.min(usize::try_from(fits).unwrap_or(usize::MAX)).max(1)
}

/// Reads a segment, and once more where its bytes are wrong: the network may have cut them short.
async fn read_segment(wal: &Wal, segment: &Segment) -> Result<(Footer, Vec<RecordBatch>), ShiftError> {
    match wal.read_whole(segment).await {
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(wal.read_whole(segment).await?),
        read => Ok(read?),
    }
}

/// The rows of consecutive batches but for some ranges, which count rows over all of them and are in ascending order.
fn without(batches: Vec<RecordBatch>, left_out: &[Range<u64>]) -> Vec<RecordBatch> {
    if left_out.is_empty() {
        return batches;
    }
    let mut kept = Vec::new();
    let mut start = 0_u64;
    for batch in batches {
        let end = start + batch.num_rows() as u64;
        let mut from = start;
        for range in left_out.iter().filter(|range| range.start < end && range.end > start) {
            push_slice(&mut kept, &batch, start, from..range.start);
            from = from.max(range.end);
        }
        push_slice(&mut kept, &batch, start, from..end);
        start = end;
    }
    kept
}

fn push_slice(kept: &mut Vec<RecordBatch>, batch: &RecordBatch, batch_start: u64, rows: Range<u64>) {
    if rows.start < rows.end {
        let offset = usize::try_from(rows.start - batch_start).unwrap_or(usize::MAX);
        let length = usize::try_from(rows.end - rows.start).unwrap_or(usize::MAX);
        kept.push(batch.slice(offset, length));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn numbers(range: Range<i64>) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(range));
        RecordBatch::try_from_iter([("n", values)]).unwrap()
    }

    fn kept(left_out: &[(u64, u64)]) -> Vec<i64> {
        let left_out: Vec<_> = left_out.iter().map(|(start, end)| *start..*end).collect();
        let batches = without(vec![numbers(0..4), numbers(4..6), numbers(6..10)], &left_out);
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    #[test]
    fn ranges_are_left_out_across_batches() {
        assert_eq!(kept(&[]), (0..10).collect::<Vec<_>>());
        assert_eq!(kept(&[(0, 1)]), (1..10).collect::<Vec<_>>());
        assert_eq!(kept(&[(3, 7)]), [0, 1, 2, 7, 8, 9]);
        assert_eq!(kept(&[(1, 2), (2, 3), (9, 10)]), [0, 3, 4, 5, 6, 7, 8]);
        assert_eq!(kept(&[(0, 10)]), [0_i64; 0]);
    }
}
