use std::ops::Range;

/// The points in time at which a query has values: `start`, `start + step`, … up to `end`. All in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    start: i64,
    step: i64,
    len: usize,
}

/// An end before the start, or a step that isn't above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid grid: start {start}, end {end}, step {step}")]
pub struct InvalidGrid {
    /// First point.
    pub start: i64,
    /// Last possible point.
    pub end: i64,
    /// Distance.
    pub step: i64,
}

impl Grid {
    /// From `start` to `end`, both possible points.
    ///
    /// # Errors
    /// [`InvalidGrid`].
    pub fn new(start: i64, end: i64, step: i64) -> Result<Self, InvalidGrid> {
        let points = Self::points(start, end, step).and_then(|points| usize::try_from(points).ok());
        points.map(|len| Self { start, step, len }).ok_or(InvalidGrid { start, end, step })
    }

    /// How many points there are from `start` to `end`; `None` for an invalid grid.
    #[must_use]
    pub fn points(start: i64, end: i64, step: i64) -> Option<u64> {
        if end < start || step <= 0 {
            return None;
        }
        u64::try_from((i128::from(end) - i128::from(start)) / i128::from(step) + 1).ok()
    }

    /// The one point `at`.
    #[must_use]
    pub const fn instant(at: i64) -> Self {
        Self { start: at, step: 1, len: 1 }
    }

    /// How many points there are, at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a grid has at least one point")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The first point.
    #[must_use]
    pub const fn first(&self) -> i64 {
        self.start
    }

    /// The last point.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.time(self.len - 1)
    }

    /// The point with this index.
    #[must_use]
    pub fn time(&self, index: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// The points whose window `(t - offset - range, t - offset]` holds `at`: those from `at + offset` to before `at + offset + range`.
    #[must_use]
    pub fn windows_with(&self, at: i64, range: i64, offset: i64) -> Range<usize> {
        let first = at.saturating_add(offset);
        self.index_from(first)..self.index_from(first.saturating_add(range))
    }

    /// The first point at or after `time`; the number of points if there is none.
    fn index_from(&self, time: i64) -> usize {
        if time <= self.start {
            return 0;
        }
        // Saturating differences are past the last point anyway.
        let distance = time.saturating_sub(self.start);
        let index = distance / self.step + i64::from(distance % self.step != 0);
        usize::try_from(index).unwrap_or(usize::MAX).min(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_is_a_point_only_where_a_step_falls_on_it() {
        assert_eq!(Grid::new(0, 10, 5).unwrap().len(), 3);
        assert_eq!(Grid::new(0, 9, 5).unwrap().len(), 2);
        assert_eq!(Grid::new(7, 7, 5).unwrap().len(), 1);
        assert!(Grid::new(1, 0, 5).is_err());
        assert!(Grid::new(0, 1, 0).is_err());
        assert!(Grid::new(i64::MIN, i64::MAX, 1).is_err() || usize::BITS == 64);
    }

    proptest! {
        #[test]
        fn a_time_is_in_exactly_the_windows_that_the_definition_names(
            start in -50_i64..50, points in 1_i64..20, step in 1_i64..10, at in -100_i64..200, range in 1_i64..40, offset in -20_i64..20
        ) {
            let grid = Grid::new(start, start + (points - 1) * step, step).unwrap();
            let hit = grid.windows_with(at, range, offset);
            for index in 0..grid.len() {
                let end = grid.time(index) - offset;
                prop_assert_eq!(hit.contains(&index), end - range < at && at <= end);
            }
        }
    }
}
