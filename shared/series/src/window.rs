use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::pane::{Measure, Pane};
use crate::{Block, Grid, Labels, Row, events, slide};

/// Measures events in windows that may overlap, in constant time an event.
///
/// The edges of all windows cut time into panes, two a point at most; an event goes into the summary of its pane, and
/// [`Windows::finish`] joins panes to windows. Measures that need each event hold it instead.
#[derive(Debug)]
pub struct Windows {
    frame: Arc<Frame>,
    measure: Measure,
    index: HashMap<Labels, usize>,
    cells: Vec<Cells>,
    /// Summaries and events.
    held: usize,
    /// The pane of the event before, which often is the next one's too.
    last: usize,
}

/// Where windows and panes lie.
#[derive(Debug)]
struct Frame {
    grid: Grid,
    range: i64,
    offset: i64,
    /// Pane n is from (not in it) edge n to (in it) edge n + 1.
    edges: Vec<i64>,
}

#[derive(Debug)]
struct Cells {
    labels: Labels,
    /// By number of the pane.
    panes: Vec<(u32, Pane)>,
    events: Vec<(i64, f64)>,
}

impl Windows {
    /// Windows `(t - offset - range, t - offset]` of each point; nanoseconds.
    #[must_use]
    pub fn new(grid: Grid, range: i64, offset: i64, measure: Measure) -> Self {
        let ends = (0..grid.len()).map(|index| grid.time(index).saturating_sub(offset));
        let mut edges: Vec<i64> = ends.flat_map(|end| [end.saturating_sub(range), end]).collect();
        edges.sort_unstable();
        edges.dedup();
        let frame = Arc::new(Frame { grid, range, offset, edges });
        Self { frame, measure, index: HashMap::new(), cells: Vec::new(), held: 0, last: 0 }
    }

    /// The same windows, without series.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let (frame, measure) = (Arc::clone(&self.frame), self.measure);
        Self { frame, measure, index: HashMap::new(), cells: Vec::new(), held: 0, last: 0 }
    }

    /// The series with these labels, made where it doesn't exist.
    pub fn series(&mut self, labels: Labels) -> usize {
        if let Some(index) = self.index.get(&labels) {
            return *index;
        }
        let index = self.cells.len();
        self.index.insert(labels.clone(), index);
        self.cells.push(Cells { labels, panes: Vec::new(), events: Vec::new() });
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

    /// How many cells are held or will be: summaries, events, and points of all series.
    #[must_use]
    pub fn held(&self) -> usize {
        self.cells.len().saturating_mul(self.frame.grid.len()).saturating_add(self.held)
    }

    /// Whether an event at `at` is in any window.
    #[must_use]
    pub fn reaches(&self, at: i64) -> bool {
        !self.frame.grid.windows_with(at, self.frame.range, self.frame.offset).is_empty()
    }

    /// Adds an event of a series at a time. An unknown series is ignored, as is a time that no window holds.
    pub fn add(&mut self, series: usize, at: i64, value: f64) {
        if !self.reaches(at) {
            return;
        }
        let pane = self.pane(at);
        let Some(cells) = self.cells.get_mut(series) else { return };
        if self.measure.holds_events() {
            cells.events.push((at, value));
            self.held += 1;
        } else {
            self.held += usize::from(cells.join(pane, Pane::of(self.measure, at, value), self.measure));
        }
    }

    /// The pane of a time that a window holds.
    fn pane(&mut self, at: i64) -> u32 {
        let edges = &self.frame.edges;
        let is_last =
            edges.get(self.last).is_some_and(|edge| *edge < at) && edges.get(self.last + 1).is_some_and(|edge| at <= *edge);
        if !is_last {
            self.last = edges.partition_point(|edge| *edge < at).saturating_sub(1);
        }
        u32::try_from(self.last).unwrap_or(u32::MAX)
    }

    /// Takes over all events of `other`, which has the same windows and measure.
    pub fn merge(&mut self, other: Self) {
        for cells in other.cells {
            let index = self.series(cells.labels);
            let mine = &mut self.cells[index];
            self.held += cells.events.len();
            mine.events.extend(cells.events);
            for (number, pane) in cells.panes {
                self.held += usize::from(mine.join(number, pane, self.measure));
            }
        }
    }

    /// The value of each window with events; `value` is applied to each.
    #[must_use]
    pub fn finish(self, value: impl Fn(f64) -> f64) -> Block {
        let Self { frame, measure, cells, .. } = self;
        let windows: Vec<Range<i64>> = (0..frame.grid.len())
            .map(|index| {
                let end = frame.grid.time(index).saturating_sub(frame.offset);
                end.saturating_sub(frame.range)..end
            })
            .collect();
        let number = |edge: i64| u32::try_from(frame.edges.partition_point(|other| *other < edge)).unwrap_or(u32::MAX);
        let panes: Vec<Range<u32>> = windows.iter().map(|window| number(window.start)..number(window.end)).collect();
        let row = |mut cells: Cells| {
            let values = if measure.holds_events() {
                // Of equal times by value, so that the order of coming doesn't show.
                cells.events.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                events::measure(&cells.events, &windows, measure)
            } else {
                slide::slide(&cells.panes, panes.iter().cloned(), measure)
            };
            Row { values: values.into_iter().map(|one| one.map(&value)).collect(), labels: cells.labels }
        };
        Block { grid: frame.grid, series: cells.into_iter().map(row).collect() }
    }
}

impl Cells {
    /// Joins a summary with the one of its pane; whether it is the first one there. Events mostly come in order of time.
    fn join(&mut self, number: u32, pane: Pane, measure: Measure) -> bool {
        if let Some((last, mine)) = self.panes.last_mut().filter(|(last, _)| *last == number) {
            *mine = mine.with(pane, measure);
            return *last != number;
        }
        match self.panes.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => {
                self.panes[at].1 = self.panes[at].1.with(pane, measure);
                false
            }
            Err(at) => {
                self.panes.insert(at, (number, pane));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_event_on_the_edge_belongs_to_the_window_that_ends_there() {
        let mut windows = Windows::new(Grid::new(10, 30, 10).unwrap(), 10, 0, Measure::Sum);
        let series = windows.series(Labels::empty());
        for (at, value) in [(0, 1.0), (1, 2.0), (10, 4.0), (11, 8.0), (30, 16.0), (31, 32.0)] {
            windows.add(series, at, value);
        }
        // (0,10]: 1, 10; (10,20]: 11; (20,30]: 30
        assert_eq!(windows.finish(|sum| sum).series[0].values, [Some(6.0), Some(8.0), Some(16.0)]);
    }

    #[test]
    fn memory_grows_with_panes_and_not_with_events() {
        let mut windows = Windows::new(Grid::new(0, 1_000, 10).unwrap(), 500, 0, Measure::Sum);
        let series = windows.series(Labels::empty());
        for _ in 0..100 {
            (0..1_000).for_each(|at| windows.add(series, at, 1.0));
        }
        // 101 points, and panes of 10 from -500 to 1,000 of which those from -10 on have events.
        assert_eq!(windows.held(), 101 + 101);
    }

    const MEASURES: [Measure; 11] = [
        Measure::Count,
        Measure::Sum,
        Measure::Avg,
        Measure::Min,
        Measure::Max,
        Measure::Stddev,
        Measure::Stdvar,
        Measure::First,
        Measure::Last,
        Measure::Quantile(0.3),
        Measure::CounterRate,
    ];

    proptest! {
        #[test]
        fn windows_hold_what_each_window_alone_holds(
            events in proptest::collection::vec((-20_i64..80, 0_i32..9), 0..40),
            range in 1_i64..30, offset in -9_i64..9, split in 0_usize..40, measure in proptest::sample::select(&MEASURES)
        ) {
            let grid = Grid::new(0, 60, 7).unwrap();
            let mut one = Windows::new(grid, range, offset, measure);
            let mut two = one.emptied();
            for (index, (at, value)) in events.iter().enumerate() {
                let windows = if index < split { &mut one } else { &mut two };
                let series = windows.series(Labels::empty());
                windows.add(series, *at, f64::from(*value));
            }
            one.merge(two);
            let block = one.finish(|value| value);
            for index in 0..grid.len() {
                let end = grid.time(index) - offset;
                let mut alone = Windows::new(Grid::instant(end), range, 0, measure);
                let series = alone.series(Labels::empty());
                let inside = events.iter().filter(|(at, _)| end - range < *at && *at <= end);
                inside.for_each(|(at, value)| alone.add(series, *at, f64::from(*value)));
                let expected = alone.finish(|value| value).series[0].values[0];
                let found = block.series.first().and_then(|row| row.values[index]);
                match (found, expected) {
                    (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-9 || found.is_nan() && expected.is_nan()),
                    (found, expected) => prop_assert_eq!(found, expected),
                }
            }
        }

        #[test]
        fn counts_and_sums_are_those_of_counting_by_definition(
            events in proptest::collection::vec((-20_i64..80, 0_i32..9), 0..40), range in 1_i64..30, offset in -9_i64..9
        ) {
            let grid = Grid::new(0, 60, 7).unwrap();
            for measure in [Measure::Count, Measure::Sum] {
                let mut windows = Windows::new(grid, range, offset, measure);
                let series = windows.series(Labels::empty());
                events.iter().for_each(|(at, value)| windows.add(series, *at, f64::from(*value)));
                let block = windows.finish(|value| value);
                for index in 0..grid.len() {
                    let end = grid.time(index) - offset;
                    let inside: Vec<_> = events.iter().filter(|(at, _)| end - range < *at && *at <= end).collect();
                    let total: f64 = inside.iter().map(|(_, value)| if measure == Measure::Count { 1.0 } else { f64::from(*value) }).sum();
                    prop_assert_eq!(block.series[0].values[index], (!inside.is_empty()).then_some(total));
                }
            }
        }
    }
}
