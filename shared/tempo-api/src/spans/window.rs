use std::time::Duration;

use icegate_model::{TimeRange, Timestamp};

/// A time that spans start in, both ends in it, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// A part of the time that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) window: Window,
    /// Where it lies of the window that is asked for.
    pub(crate) place: Place,
}

/// Where a slice lies of the window that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    Inside,
    After,
}

/// The newest slice is such a part of the window; each one before it is so many times as long.
const FIRST_SLICE: i64 = 64;
const GROWTH: i64 = 4;
/// The shortest slice.
const SHORTEST: i64 = 1_000_000_000;

impl Window {
    pub(crate) const fn holds(self, time: i64) -> bool {
        self.start <= time && time <= self.end
    }

    /// This much more on either side.
    pub(crate) fn widened(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        Self { start: self.start.saturating_sub(by), end: self.end.saturating_add(by) }
    }

    /// As the engine opens it.
    pub(crate) fn range(self) -> TimeRange {
        let (start, end) = (Timestamp::from_nanos(self.start), Timestamp::from_nanos(self.end.saturating_add(1)));
        TimeRange::new(start, end.max(start)).unwrap_or(TimeRange::ALL)
    }

    /// The window and its reach at once; what has nothing to do with the window has to be left out later.
    pub(crate) fn one_slice(self, reach: Duration) -> Vec<Slice> {
        vec![Slice { window: self.widened(reach), place: Place::Inside }]
    }

    /// Slices of the window and of what a reach adds on either side, the newest first.
    pub(crate) fn slices(self, reach: Duration) -> Vec<Slice> {
        let whole = self.widened(reach);
        let mut slices = Vec::new();
        if whole.end > self.end {
            slices.push(Slice { window: Self { start: self.end.saturating_add(1), end: whole.end }, place: Place::After });
        }
        let mut length = (self.end.saturating_sub(self.start) / FIRST_SLICE).max(SHORTEST);
        let mut end = self.end;
        loop {
            let start = end.saturating_sub(length - 1).max(self.start);
            slices.push(Slice { window: Self { start, end }, place: Place::Inside });
            if start <= self.start {
                break;
            }
            (end, length) = (start - 1, length.saturating_mul(GROWTH));
        }
        if whole.start < self.start {
            slices.push(Slice { window: Self { start: whole.start, end: self.start - 1 }, place: Place::Before });
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_the_window_and_its_reach_once_newest_first() {
        const SECOND: i64 = 1_000_000_000;
        let window = Window { start: 1_000 * SECOND, end: 2_000 * SECOND };
        let slices = window.slices(Duration::from_secs(60));
        assert_eq!(slices[0], Slice { window: Window { start: window.end + 1, end: 2_060 * SECOND }, place: Place::After });
        assert_eq!(slices.last().unwrap().place, Place::Before);
        assert_eq!(slices.last().unwrap().window.start, 940 * SECOND);
        for pair in slices.windows(2) {
            assert_eq!(pair[0].window.start, pair[1].window.end + 1);
        }
        assert!(slices.len() < 8, "{}", slices.len());
    }

    #[test]
    fn a_window_of_one_moment_is_one_slice() {
        let window = Window { start: 5, end: 5 };
        assert_eq!(window.slices(Duration::ZERO), [Slice { window, place: Place::Inside }]);
        assert!(window.holds(5) && !window.holds(6));
    }

    #[test]
    fn windows_at_the_ends_of_time_are_cut_and_not_broken() {
        let all = Window { start: i64::MIN, end: i64::MAX };
        let slices = all.slices(Duration::from_secs(1));
        assert_eq!((slices[0].window.end, slices.last().unwrap().window.start), (i64::MAX, i64::MIN));
        assert!(all.range().contains(Timestamp::from_nanos(0)));
    }
}
