use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableProvider;
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::TIMESTAMP;

use crate::Direction;

/// So few rows are read at once.
const FEW_ROWS: usize = 8_192;
/// The first slice holds so many times the lines that are asked for, if time is evenly filled.
const AHEAD: f64 = 8.0;
/// Where nothing is known of the rows, the first slice is this part of the range.
const PARTS: i64 = 64;
/// How much longer a slice is at most than the one before.
const GROWTH: f64 = 16.0;
const NANOS_PER_MICRO: i64 = 1_000;
const SHORTEST: i64 = 1_000 * NANOS_PER_MICRO;

/// What a provider says of its rows before they are read: an estimate, on which no answer rests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    rows: usize,
    /// The first and the last nanosecond.
    first: i64,
    last: i64,
}

impl Held {
    pub(super) fn of(provider: &dyn TableProvider) -> Option<Self> {
        let statistics = provider.statistics()?;
        let timestamps = statistics.column_statistics.get(provider.schema().index_of(TIMESTAMP).ok()?)?;
        let nanos = |bound: &Precision<ScalarValue>| match bound.get_value() {
            Some(ScalarValue::TimestampMicrosecond(micros, _)) => micros.map(|micros| micros.saturating_mul(NANOS_PER_MICRO)),
            _ => None,
        };
        let last = nanos(&timestamps.max_value)?.saturating_add(NANOS_PER_MICRO - 1);
        Some(Self { rows: *statistics.num_rows.get_value()?, first: nanos(&timestamps.min_value)?, last })
    }
}

/// Parts of a range of time in the order of a direction. Together they are the range, and none overlaps another, so that once
/// enough is found in some, nothing of the others can come before it.
#[derive(Debug)]
pub(super) struct Slices {
    /// What is left.
    start: i64,
    end: i64,
    forward: bool,
    held: Option<Held>,
    /// How long the next one is, from where rows begin.
    width: i64,
}

impl Slices {
    pub(super) fn new(range: TimeRange, direction: Direction, wanted: usize, held: Option<Held>) -> Self {
        let (start, end) = (range.start().nanos(), range.end().nanos());
        let width = held.map_or_else(|| end.saturating_sub(start) / PARTS, |held| held.width(wanted));
        Self { start, end, forward: direction == Direction::Forward, held, width: width.max(SHORTEST) }
    }

    /// Sizes the next slice by how many lines the one before had, of those that were still wanted.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate")]
    pub(super) fn found(&mut self, lines: usize, wanted: usize) {
        let growth = if lines == 0 { GROWTH } else { (1.5 * wanted as f64 / lines as f64).clamp(1.0, GROWTH) };
        self.width = (self.width as f64 * growth) as i64;
    }

    /// The next slice.
    pub(super) fn next(&mut self) -> Option<TimeRange> {
        if self.start >= self.end {
            return None;
        }
        let (start, end) = (self.start, self.end);
        if self.forward {
            self.start = self.edge(start, end);
            range(start, self.start)
        } else {
            // Backward is forward with time turned around.
            self.end = -self.edge(-end, -start);
            range(self.end, end)
        }
    }

    /// Where a slice from `near` ends, `far` at most.
    fn edge(&self, near: i64, far: i64) -> i64 {
        let (first, last) = match self.held {
            Some(held) if self.forward => (held.first, held.last),
            Some(held) => (held.last.saturating_neg(), held.first.saturating_neg()),
            None => (near, far),
        };
        let edge = near.max(first).saturating_add(self.width);
        // What is left isn't worth a scan of its own.
        let rest = last.min(far).saturating_sub(edge);
        if rest <= self.width {
            return far;
        }
        // Whole microseconds, which the column decides alone.
        edge.saturating_sub(edge.rem_euclid(NANOS_PER_MICRO)).saturating_add(NANOS_PER_MICRO).min(far)
    }
}

impl Held {
    /// How long a slice is that holds enough lines, if all fit.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate")]
    fn width(self, wanted: usize) -> i64 {
        if self.rows <= FEW_ROWS {
            return i64::MAX;
        }
        let span = self.last.saturating_sub(self.first).max(1);
        (span as f64 * (AHEAD * wanted as f64 / self.rows as f64)) as i64
    }
}

fn range(start: i64, end: i64) -> Option<TimeRange> {
    TimeRange::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn held(rows: usize, first: i64, last: i64) -> Held {
        Held { rows, first: first * SECOND, last: last * SECOND }
    }

    const SECOND: i64 = 1_000_000_000;

    fn slices(range: (i64, i64), direction: Direction, wanted: usize, held: Option<Held>) -> Vec<(i64, i64)> {
        let range = TimeRange::new(Timestamp::from_nanos(range.0), Timestamp::from_nanos(range.1)).unwrap();
        let mut slices = Slices::new(range, direction, wanted, held);
        let mut all = Vec::new();
        while let Some(slice) = slices.next() {
            all.push((slice.start().nanos(), slice.end().nanos()));
            slices.found(0, wanted);
            assert!(all.len() < 100);
        }
        all
    }

    #[test]
    fn few_rows_are_one_slice_and_no_time_is_none() {
        let few = Some(held(1_000, 0, 3_600));
        assert_eq!(slices((0, 3_600 * SECOND), Direction::Backward, 10, few), [(0, 3_600 * SECOND)]);
        assert_eq!(slices((5, 5), Direction::Forward, 10, few), []);
    }

    #[test]
    fn the_first_slice_reaches_to_where_rows_are() {
        // A million rows in the last hour of a month, 100 of them wanted: 800 rows are 2.88 s.
        let month = 30 * 86_400;
        let found = slices((0, month * SECOND), Direction::Backward, 100, Some(held(1_000_000, month - 3_600, month - 1)));
        let expected = 2_879_200_000;
        assert_eq!(found[0].1, month * SECOND);
        assert!((found[0].0 - ((month - 1) * SECOND - expected)).abs() < SECOND / 100, "{found:?}");
        assert!(found.len() < 6 && found.last().unwrap().0 == 0, "{found:?}");
    }

    proptest! {
        #[test]
        fn slices_are_the_range_each_time_once_and_in_order(
            start in -1_000_000_i64..1_000_000, length in 1_i64..10_000_000_000_000, wanted in 1_usize..5_000,
            rows in 0_usize..100_000_000, first in -100_i64..10_000, span in 0_i64..100_000, forward in any::<bool>(), known in any::<bool>()
        ) {
            let direction = if forward { Direction::Forward } else { Direction::Backward };
            let held = known.then(|| held(rows, first, first + span));
            let mut found = slices((start, start + length), direction, wanted, held);
            if !forward {
                found.reverse();
            }
            prop_assert_eq!(found[0].0, start);
            prop_assert_eq!(found[found.len() - 1].1, start + length);
            prop_assert!(found.windows(2).all(|two| two[0].1 == two[1].0) && found.iter().all(|one| one.0 < one.1));
        }
    }
}
