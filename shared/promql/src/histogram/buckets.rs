use super::bounds::{coarser, common, upper};
use super::{Bucket, Histogram};

/// A bucket with its bounds. The upper one is in it, of a negative bucket the lower one, of the zero bucket both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketRange {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// How many observations it has.
    pub count: f64,
    /// Whether it is the zero bucket.
    pub is_zero: bool,
    /// Whether it is a bucket below zero.
    pub is_negative: bool,
}

impl Histogram {
    /// All buckets with observations, from the least to the greatest.
    #[must_use]
    pub fn ranges(&self) -> Vec<BucketRange> {
        let mut ranges = Vec::with_capacity(self.positive.len() + self.negative.len() + 1);
        ranges.extend(self.negative.iter().rev().map(|bucket| self.negative_range(*bucket)));
        if self.zero_count != 0.0 {
            let (lower, upper) = (-self.zero_threshold, self.zero_threshold);
            ranges.push(BucketRange { lower, upper, count: self.zero_count, is_zero: true, is_negative: false });
        }
        ranges.extend(self.positive.iter().map(|bucket| self.positive_range(*bucket)));
        ranges
    }

    pub(super) fn positive_range(&self, bucket: Bucket) -> BucketRange {
        let (lower, upper) = if self.is_custom() {
            let bound = |index: i32| usize::try_from(index).ok().and_then(|index| self.custom_values.get(index).copied());
            let lower = if bucket.index <= 0 { f64::NEG_INFINITY } else { bound(bucket.index - 1).unwrap_or(f64::INFINITY) };
            (lower, bound(bucket.index).unwrap_or(f64::INFINITY))
        } else {
            (upper(bucket.index - 1, self.schema), upper(bucket.index, self.schema))
        };
        BucketRange { lower, upper, count: bucket.count, is_zero: false, is_negative: false }
    }

    pub(super) fn negative_range(&self, bucket: Bucket) -> BucketRange {
        let (lower, upper) = (-upper(bucket.index, self.schema), -upper(bucket.index - 1, self.schema));
        BucketRange { lower, upper, count: bucket.count, is_zero: false, is_negative: true }
    }

    /// The same observations in the buckets of a coarser schema.
    pub(crate) fn reduce_to(&mut self, schema: i32) {
        if self.is_custom() || schema >= self.schema {
            return;
        }
        self.positive = reduced(&self.positive, self.schema, schema);
        self.negative = reduced(&self.negative, self.schema, schema);
        self.schema = schema;
    }

    /// The same observations in fewer buckets: those that end at `bounds`.
    pub(super) fn rebucket(&mut self, bounds: &[f64]) {
        let target = |bucket: &Bucket| {
            let upper = self.positive_range(*bucket).upper;
            let index = bounds.iter().position(|bound| *bound >= upper).unwrap_or(bounds.len());
            i32::try_from(index).unwrap_or(i32::MAX)
        };
        let moved: Vec<(i32, f64)> = self.positive.iter().map(|bucket| (target(bucket), bucket.count)).collect();
        self.positive = gathered(moved.into_iter());
        self.custom_values = bounds.into();
    }

    /// Lets both have the same bounds; whether they hadn't.
    pub(super) fn reconcile_bounds(&mut self, other: &mut Self) -> bool {
        if super::same_bounds(&self.custom_values, &other.custom_values) {
            return false;
        }
        let bounds = common(&self.custom_values, &other.custom_values);
        self.rebucket(&bounds);
        other.rebucket(&bounds);
        true
    }

    /// Lets both have the same zero bucket: as wide as the wider one, or wider where that would cut a bucket.
    pub(super) fn reconcile_zero(&mut self, other: &mut Self) {
        while self.zero_threshold != other.zero_threshold {
            let (narrow, wide) =
                if self.zero_threshold < other.zero_threshold { (&mut *self, &*other) } else { (&mut *other, &*self) };
            let before = narrow.zero_threshold;
            narrow.widen_zero(wide.zero_threshold);
            // A threshold that isn't a number would never be reached.
            if narrow.zero_threshold <= before || narrow.zero_threshold.is_nan() {
                return;
            }
        }
    }

    /// Widens the zero bucket, to the end of a bucket that the threshold cuts.
    pub(super) fn widen_zero(&mut self, threshold: f64) {
        let mut threshold = threshold;
        loop {
            let cut = |buckets: &[Bucket]| {
                buckets
                    .iter()
                    .map(|bucket| (upper(bucket.index - 1, self.schema), upper(bucket.index, self.schema)))
                    .find_map(|(lower, upper)| (lower < threshold && threshold < upper).then_some(upper))
            };
            match cut(&self.positive).or_else(|| cut(&self.negative)) {
                Some(wider) => threshold = wider,
                None => break,
            }
        }
        let schema = self.schema;
        for buckets in [&mut self.positive, &mut self.negative] {
            let swallowed = buckets.iter().take_while(|bucket| upper(bucket.index, schema) <= threshold).count();
            self.zero_count += buckets.drain(..swallowed).fold(0.0, |sum, bucket| sum + bucket.count);
        }
        self.zero_threshold = threshold;
    }
}

fn reduced(buckets: &[Bucket], from: i32, to: i32) -> Vec<Bucket> {
    gathered(buckets.iter().map(|bucket| (coarser(bucket.index, from, to), bucket.count)))
}

/// Adds up counts of equal indexes, which come in order.
pub(super) fn gathered(counts: impl Iterator<Item = (i32, f64)>) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for (index, count) in counts {
        match buckets.last_mut().filter(|last| last.index == index) {
            Some(last) => last.count += count,
            None => buckets.push(Bucket { index, count }),
        }
    }
    buckets.retain(|bucket| bucket.count != 0.0);
    buckets
}
