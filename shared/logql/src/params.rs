use std::time::Duration;

use icegate_model::Timestamp;
use icegate_series::{Grid, Windows};

use crate::eval::metric::Context;
use crate::{LogqlError, OpenRows};

/// What a query is asked with.
#[derive(Clone, Debug)]
pub struct QueryParams {
    /// Lines from here on; the first point of a metric query.
    pub start: Timestamp,
    /// Lines before here; the last possible point of a metric query.
    pub end: Timestamp,
    /// Distance of points; zero asks for the one point `end` (an instant query).
    pub step: Duration,
    /// Least distance of the lines of an answer; zero for all.
    pub interval: Duration,
    /// Most lines of an answer.
    pub limit: usize,
    /// Which lines come first.
    pub direction: Direction,
    /// When the query is asked, for templates.
    pub now: Timestamp,
    /// Bounds.
    pub limits: Limits,
}

/// Which lines come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The earliest.
    Forward,
    /// The latest.
    #[default]
    Backward,
}

/// Bounds of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Series of an answer.
    pub series: usize,
    /// Points of a series.
    pub points: usize,
    /// Lines of an answer.
    pub entries: usize,
    /// Series that one step of the evaluation holds, before they are aggregated.
    pub held_series: usize,
    /// Points of all series, summaries of windows, and values that one step of the evaluation holds.
    pub cells: usize,
    /// Distinct values that label discovery holds.
    pub values: usize,
    /// Whether `|= "…"` with 32 hexadecimal digits also finds lines of that trace.
    pub find_trace_ids: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series: 500,
            points: 11_000,
            entries: 5_000,
            held_series: 100_000,
            cells: 16 << 20,
            values: 1 << 20,
            find_trace_ids: true,
        }
    }
}

impl Limits {
    /// Whether a step of the evaluation holds no more than it may.
    pub(crate) fn check(&self, windows: &Windows) -> Result<(), LogqlError> {
        if windows.len() > self.held_series {
            return Err(LogqlError::TooManySeries { limit: self.held_series });
        }
        if windows.held() > self.cells {
            return Err(LogqlError::TooManyCells { limit: self.cells });
        }
        Ok(())
    }
}

impl QueryParams {
    /// Whether one point is asked for.
    #[must_use]
    pub const fn is_instant(&self) -> bool {
        self.step.is_zero()
    }

    pub(crate) fn context<'a>(&'a self, grid: Grid, rows: &'a dyn OpenRows) -> Context<'a> {
        Context { grid, is_instant: self.is_instant(), limits: &self.limits, now: self.now.nanos(), rows }
    }

    /// The points of a metric query.
    pub(crate) fn grid(&self) -> Result<Grid, LogqlError> {
        let (start, end) = (self.start.nanos(), self.end.nanos());
        if self.is_instant() {
            return Ok(Grid::instant(end));
        }
        let step = i64::try_from(self.step.as_nanos()).unwrap_or(i64::MAX);
        let invalid = || LogqlError::InvalidRange { start, end, step };
        let points = Grid::points(start, end, step).ok_or_else(invalid)?;
        // The bound is on steps, as the range divided by the step, so one point more is fine.
        if points.saturating_sub(1) > self.limits.points as u64 {
            return Err(LogqlError::TooManyPoints { points, limit: self.limits.points });
        }
        Grid::new(start, end, step).map_err(|_| invalid())
    }
}
