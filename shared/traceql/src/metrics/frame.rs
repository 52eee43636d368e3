use icegate_series::Grid;

use super::MetricsOptions;
use crate::TraceqlError;

/// Where the points of a query lie, and what the bucket of each is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) grid: Grid,
    /// From the left edge of a bucket, which isn't in it, to its right edge, in nanoseconds.
    pub(super) width: i64,
    /// What a rate divides by.
    pub(super) seconds: f64,
}

#[allow(clippy::cast_precision_loss, reason = "seconds are told as floating point numbers")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

impl Frame {
    pub(super) fn new(options: &MetricsOptions) -> Result<Self, TraceqlError> {
        let MetricsOptions { start, end, step, limits, .. } = *options;
        if end <= start {
            return Err(TraceqlError::InvalidRange("end must be greater than start"));
        }
        let Some(step) = step else {
            let width = end.saturating_sub(start);
            // The start itself is in the bucket.
            return Ok(Self { grid: Grid::instant(end), width: width.saturating_add(1), seconds: seconds(width) });
        };
        if step <= 0 {
            return Err(TraceqlError::InvalidRange("step must be greater than zero"));
        }
        let first = start.div_euclid(step).saturating_mul(step);
        let last = end.saturating_sub(1).div_euclid(step).saturating_add(1).saturating_mul(step);
        let points = Grid::points(first, last, step).unwrap_or(u64::MAX);
        if usize::try_from(points).is_ok_and(|points| points > limits.points) {
            return Err(TraceqlError::TooManyPoints { step, points, limit: limits.points });
        }
        let grid =
            Grid::new(first, last, step).map_err(|_| TraceqlError::InvalidRange("start, end and step are out of range"))?;
        Ok(Self { grid, width: step, seconds: seconds(step) })
    }

    /// The point in whose bucket a time is.
    pub(super) fn point(&self, at: i64) -> Option<usize> {
        self.grid.windows_with(at, self.width, 0).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MetricsLimits;

    fn frame(start: i64, end: i64, step: Option<i64>) -> Result<Frame, TraceqlError> {
        let limits = MetricsLimits { points: 10, ..MetricsLimits::default() };
        Frame::new(&MetricsOptions { start, end, step, exemplars: 0, limits })
    }

    #[test]
    fn points_lie_on_multiples_of_the_step_around_the_range() {
        let aligned = frame(100, 200, Some(50)).unwrap();
        assert_eq!((aligned.grid.first(), aligned.grid.last(), aligned.grid.len()), (100, 200, 3));
        let wider = frame(101, 201, Some(50)).unwrap();
        assert_eq!((wider.grid.first(), wider.grid.last()), (100, 250));
        // Buckets hold their right edge and not their left one.
        assert_eq!(
            [50, 51, 100, 101, 150, 200, 201].map(|at| aligned.point(at)),
            [None, Some(0), Some(0), Some(1), Some(1), Some(2), None]
        );
    }

    #[test]
    fn one_point_holds_both_ends() {
        let instant = frame(100, 200, None).unwrap();
        assert_eq!([99, 100, 200, 201].map(|at| instant.point(at)), [None, Some(0), Some(0), None]);
        assert!((instant.seconds - 1e-7).abs() < 1e-20);
    }

    #[test]
    fn ranges_that_have_no_points_or_too_many_are_refused() {
        assert_eq!(frame(200, 200, Some(1)).unwrap_err().to_string(), "end must be greater than start");
        assert_eq!(frame(0, 10, Some(0)).unwrap_err().to_string(), "step must be greater than zero");
        assert_eq!(frame(0, 100, Some(10)), Err(TraceqlError::TooManyPoints { step: 10, points: 11, limit: 10 }));
    }
}
