//! What buckets tell about the distribution: quantiles, fractions, variance.

use super::{BucketRange, Histogram};
use crate::numeric::{Kahan, kahan_inc};

/// What observations that are not a number do to an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NanObservations {
    None,
    /// They make the result NaN.
    NanResult,
    /// They move the result upwards.
    SkewedHigher,
}

impl Histogram {
    /// The value that a share `q` of all observations is at or below.
    pub(crate) fn quantile(&self, q: f64) -> (f64, NanObservations) {
        let plain = |value| (value, NanObservations::None);
        if q < 0.0 {
            return plain(f64::NEG_INFINITY);
        }
        if q > 1.0 {
            return plain(f64::INFINITY);
        }
        if self.count == 0.0 || q.is_nan() {
            return plain(f64::NAN);
        }
        let has_nan = self.sum.is_nan();
        let forward = has_nan || q < 0.5;
        let mut ranges = self.ranges();
        let mut rank = q * self.count;
        if !forward {
            ranges.reverse();
            rank = (1.0 - q) * self.count;
        }
        let mut count = 0.0;
        let mut found = BucketRange { lower: 0.0, upper: 0.0, count: 0.0, is_zero: false, is_negative: false };
        for range in ranges {
            found = range;
            count += range.count;
            if count >= rank {
                break;
            }
        }
        if self.is_custom() {
            if found.lower == f64::NEG_INFINITY {
                if found.upper <= 0.0 {
                    return plain(found.upper);
                }
                found.lower = 0.0;
            } else if found.upper == f64::INFINITY {
                return plain(found.lower);
            }
        } else {
            self.narrow_zero(&mut found);
        }
        count = count.min(self.count);
        if count < rank {
            return if has_nan { (f64::NAN, NanObservations::NanResult) } else { plain(found.upper) };
        }
        let rank = if forward { rank - (count - found.count) } else { count - rank };
        let nan = if has_nan { NanObservations::SkewedHigher } else { NanObservations::None };
        (self.interpolated(&found, rank / found.count), nan)
    }

    /// Zero bounds the zero bucket where there are only buckets above or below it.
    fn narrow_zero(&self, range: &mut BucketRange) {
        if range.lower < 0.0 && range.upper > 0.0 || range.is_zero {
            if self.negative.is_empty() && !self.positive.is_empty() {
                range.lower = 0.0;
            } else if self.positive.is_empty() && !self.negative.is_empty() {
                range.upper = 0.0;
            }
        }
    }

    fn interpolated(&self, range: &BucketRange, fraction: f64) -> f64 {
        if self.is_custom() || range.lower <= 0.0 && range.upper >= 0.0 {
            return range.lower + (range.upper - range.lower) * fraction;
        }
        let (lower, upper) = (range.lower.abs().log2(), range.upper.abs().log2());
        if range.lower > 0.0 {
            (lower + (upper - lower) * fraction).exp2()
        } else {
            -(upper + (lower - upper) * (1.0 - fraction)).exp2()
        }
    }

    /// The share of observations between two values; whether there are some that are not a number.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> (f64, bool) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, false);
        }
        if lower >= upper {
            return (0.0, false);
        }
        let ranges = self.ranges();
        let has_nan = self.sum.is_nan();
        let count = if has_nan { ranges.iter().map(|range| range.count).sum() } else { self.count };
        let rank = |value: f64| self.rank(&ranges, value).unwrap_or(count).min(count);
        ((rank(upper) - rank(lower)) / self.count, has_nan)
    }

    /// How many observations are at or below a value; `None` where all are.
    fn rank(&self, ranges: &[BucketRange], value: f64) -> Option<f64> {
        let mut rank = 0.0;
        for range in ranges {
            let mut range = *range;
            if self.is_custom() {
                if range.lower == f64::NEG_INFINITY && range.upper > 0.0 {
                    range.lower = 0.0;
                }
            } else {
                self.narrow_zero(&mut range);
            }
            if range.lower >= value {
                return Some(rank);
            }
            if range.upper > value {
                return Some(rank + range.count * self.share_below(&range, value));
            }
            rank += range.count;
        }
        None
    }

    /// The share of a bucket's observations that are below a value in it.
    pub(super) fn share_below(&self, range: &BucketRange, value: f64) -> f64 {
        if range.lower == f64::NEG_INFINITY {
            return 1.0;
        }
        if self.is_custom() || range.lower <= 0.0 && range.upper >= 0.0 {
            return (value - range.lower) / (range.upper - range.lower);
        }
        let (lower, upper, at) = (range.lower.abs().log2(), range.upper.abs().log2(), value.abs().log2());
        if value > 0.0 { (at - lower) / (upper - lower) } else { 1.0 - (at - upper) / (lower - upper) }
    }

    /// The variance, each bucket standing for its middle.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut squares = Kahan::default();
        for range in self.ranges() {
            let value = if self.is_custom() {
                f64::midpoint(range.upper, range.lower)
            } else if range.lower <= 0.0 && range.upper >= 0.0 {
                0.0
            } else {
                let middle = (range.upper * range.lower).sqrt();
                if range.upper < 0.0 { -middle } else { middle }
            };
            let distance = value - mean;
            squares = kahan_inc(range.count * distance * distance, squares);
        }
        squares.total() / self.count
    }
}
