use std::collections::HashMap;

use crate::{Block, Grid, Labels, Row};

/// Adds up events in overlapping windows, in constant time an event and one cell a series and step.
///
/// An event changes all windows between its first and its last one. Only the two ends are written down; [`Windows::finish`] adds
/// them up.
#[derive(Debug)]
pub struct Windows {
    grid: Grid,
    range: i64,
    offset: i64,
    index: HashMap<Labels, usize>,
    cells: Vec<Cells>,
}

#[derive(Debug)]
struct Cells {
    labels: Labels,
    /// Changes of the number and the sum of events, from one step to the next.
    changes: Vec<(i64, i64)>,
}

impl Windows {
    /// Windows `(t - offset - range, t - offset]` of each point; nanoseconds.
    #[must_use]
    pub fn new(grid: Grid, range: i64, offset: i64) -> Self {
        Self { grid, range, offset, index: HashMap::new(), cells: Vec::new() }
    }

    /// The series with these labels, made where it doesn't exist.
    pub fn series(&mut self, labels: Labels) -> usize {
        if let Some(index) = self.index.get(&labels) {
            return *index;
        }
        let index = self.cells.len();
        self.index.insert(labels.clone(), index);
        // One more than points: the change after the last one has a place and is never read.
        self.cells.push(Cells { labels, changes: vec![(0, 0); self.grid.len() + 1] });
        index
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How many cells are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.cells.len().saturating_mul(self.grid.len())
    }

    /// Whether an event at `at` is in any window.
    #[must_use]
    pub fn reaches(&self, at: i64) -> bool {
        !self.grid.windows_with(at, self.range, self.offset).is_empty()
    }

    /// Adds an event of a series at a time; `amount` is what it adds to the sum. An unknown series is ignored.
    pub fn add(&mut self, series: usize, at: i64, amount: i64) {
        let hit = self.grid.windows_with(at, self.range, self.offset);
        let Some(cells) = self.cells.get_mut(series).filter(|_| !hit.is_empty()) else { return };
        let from = &mut cells.changes[hit.start];
        *from = (from.0.wrapping_add(1), from.1.wrapping_add(amount));
        let to = &mut cells.changes[hit.end];
        *to = (to.0.wrapping_sub(1), to.1.wrapping_sub(amount));
    }

    /// Takes over all events of `other`, which has the same windows.
    pub fn merge(&mut self, other: Self) {
        for cells in other.cells {
            let index = self.series(cells.labels);
            for (mine, theirs) in self.cells[index].changes.iter_mut().zip(cells.changes) {
                *mine = (mine.0.wrapping_add(theirs.0), mine.1.wrapping_add(theirs.1));
            }
        }
    }

    /// The value of each window with events, from their number and sum.
    #[must_use]
    pub fn finish(self, value: impl Fn(i64, i64) -> f64) -> Block {
        let points = self.grid.len();
        let row = |cells: Cells| {
            let (mut count, mut sum) = (0_i64, 0_i64);
            let values = cells.changes.iter().take(points).map(|change| {
                count = count.wrapping_add(change.0);
                sum = sum.wrapping_add(change.1);
                (count > 0).then(|| value(count, sum))
            });
            Row { values: values.collect(), labels: cells.labels }
        };
        Block { grid: self.grid, series: self.cells.into_iter().map(row).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    fn an_event_on_the_edge_belongs_to_the_window_that_ends_there() {
        let mut windows = Windows::new(Grid::new(10, 30, 10).unwrap(), 10, 0);
        let series = windows.series(Labels::empty());
        for at in [0, 1, 10, 11, 30, 31] {
            windows.add(series, at, at);
        }
        let block = windows.finish(|count, sum| (count * 100 + sum) as f64);
        // (0,10]: 1, 10; (10,20]: 11; (20,30]: 30
        assert_eq!(block.series[0].values, [Some(211.0), Some(111.0), Some(130.0)]);
    }

    proptest! {
        #[test]
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        fn windows_hold_what_counting_by_definition_gives(
            events in proptest::collection::vec((-20_i64..80, 0_i64..9), 0..40), range in 1_i64..30, offset in -9_i64..9, split in 0_usize..40
        ) {
            let grid = Grid::new(0, 60, 7).unwrap();
            let mut one = Windows::new(grid, range, offset);
            let mut two = Windows::new(grid, range, offset);
            for (index, (at, amount)) in events.iter().enumerate() {
                let windows = if index < split { &mut one } else { &mut two };
                let series = windows.series(Labels::empty());
                windows.add(series, *at, *amount);
            }
            one.merge(two);
            let block = one.finish(|count, sum| (count * 1000 + sum) as f64);
            for index in 0..grid.len() {
                let end = grid.time(index) - offset;
                let inside: Vec<_> = events.iter().filter(|(at, _)| end - range < *at && *at <= end).collect();
                let expected = (!inside.is_empty())
                    .then(|| (inside.len() as i64 * 1000 + inside.iter().map(|(_, amount)| amount).sum::<i64>()) as f64);
                prop_assert_eq!(block.series.first().and_then(|row| row.values[index]), expected);
            }
        }
    }
}
