use super::{BucketRange, Histogram};

/// What is left of a bucket: the share of its observations, and the value that stands for them.
#[derive(Clone, Copy, Debug)]
struct Rest {
    share: f64,
    middle: f64,
}

impl Histogram {
    /// Keeps observations at or below (`upper`) or above a value; what a bucket holds across it, is estimated.
    pub(crate) fn trim(&mut self, bound: f64, upper: bool) {
        let rest = |range: &BucketRange| if upper { self.below(range, bound) } else { self.above(range, bound) };
        if self.ranges().iter().all(|range| rest(range).share >= 1.0 && !self.is_moved(range, bound, upper)) {
            return;
        }
        let (mut count, mut sum) = (0.0, 0.0);
        let mut keep = |range: &BucketRange| {
            let rest = rest(range);
            let kept = range.count * rest.share;
            if kept != 0.0 {
                count += kept;
                sum += kept * rest.middle;
            }
            kept
        };
        let mut negative = self.negative.clone();
        negative.iter_mut().for_each(|bucket| bucket.count = keep(&self.negative_range(*bucket)));
        let zero = self.ranges().iter().find(|range| range.is_zero).map_or(0.0, &mut keep);
        let mut positive = self.positive.clone();
        positive.iter_mut().for_each(|bucket| bucket.count = keep(&self.positive_range(*bucket)));
        negative.retain(|bucket| bucket.count != 0.0);
        positive.retain(|bucket| bucket.count != 0.0);
        (self.negative, self.positive, self.zero_count) = (negative, positive, zero);
        (self.count, self.sum) = (count, sum);
    }

    /// Whether the value lies in a bucket without end whose observations are all kept, but at the value.
    fn is_moved(&self, range: &BucketRange, bound: f64, upper: bool) -> bool {
        let range = self.bounded(range, bound);
        self.is_custom()
            && if upper {
                range.lower == f64::NEG_INFINITY && bound < range.upper
            } else {
                range.upper == f64::INFINITY && bound > range.lower
            }
    }

    /// A bucket with the bounds that its observations probably have.
    fn bounded(&self, range: &BucketRange, bound: f64) -> BucketRange {
        let mut range = *range;
        if self.is_custom() {
            let is_positive = range.lower == f64::NEG_INFINITY && range.upper > 0.0 && range.upper.is_finite();
            // Below zero, nothing is known about the first bucket.
            if is_positive && bound != f64::NEG_INFINITY {
                range.lower = 0.0;
            }
        } else if range.is_zero {
            if self.negative.is_empty() && !self.positive.is_empty() {
                range.lower = 0.0;
            } else if self.positive.is_empty() && !self.negative.is_empty() {
                range.upper = 0.0;
            }
        }
        range
    }

    fn below(&self, range: &BucketRange, bound: f64) -> Rest {
        let range = self.bounded(range, bound);
        if bound >= range.upper {
            return Rest { share: 1.0, middle: self.middle(range.lower, range.upper, &range) };
        }
        if bound <= range.lower || range.upper == f64::INFINITY && self.is_custom() {
            return Rest { share: 0.0, middle: 0.0 };
        }
        let share = self.share_below(&range, bound);
        Rest { share, middle: self.middle(range.lower, bound, &range) }
    }

    fn above(&self, range: &BucketRange, bound: f64) -> Rest {
        let known = self.bounded(range, bound);
        if bound <= known.lower && (known.lower == range.lower || bound >= 0.0 || !self.is_custom()) {
            return Rest { share: 1.0, middle: self.middle(known.lower, known.upper, &known) };
        }
        let is_endless_below =
            range.lower == f64::NEG_INFINITY && (bound < 0.0 || range.upper <= 0.0 || range.upper.is_infinite());
        if bound >= known.upper || self.is_custom() && is_endless_below {
            return Rest { share: 0.0, middle: 0.0 };
        }
        if self.is_custom() && known.upper == f64::INFINITY {
            return Rest { share: 1.0, middle: bound };
        }
        Rest { share: 1.0 - self.share_below(&known, bound), middle: self.middle(bound, known.upper, &known) }
    }

    /// The value that stands for observations between two bounds of a bucket.
    fn middle(&self, lower: f64, upper: f64, range: &BucketRange) -> f64 {
        if lower.is_infinite() {
            return upper;
        }
        if upper.is_infinite() {
            return lower;
        }
        if self.is_custom() || range.is_zero {
            return f64::midpoint(lower, upper);
        }
        let middle = (lower * upper).abs().sqrt();
        if upper < 0.0 || lower < 0.0 { -middle } else { middle }
    }
}
