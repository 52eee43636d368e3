use super::arithmetic::merged;
use super::{Combined, Histogram, Incompatible};
use crate::numeric::{Kahan, kahan_inc};

/// The sum of histograms, each of its values with the rest that rounding lost.
#[derive(Clone, Debug)]
pub(crate) struct HistogramSum {
    sum: Histogram,
    /// What rounding lost, in the buckets of `sum`.
    lost: Histogram,
}

impl HistogramSum {
    pub(crate) fn new(first: &Histogram) -> Self {
        let lost = Histogram {
            schema: first.schema,
            zero_threshold: first.zero_threshold,
            custom_values: std::sync::Arc::clone(&first.custom_values),
            ..Histogram::default()
        };
        Self { sum: first.clone(), lost }
    }

    /// Adds another one.
    pub(crate) fn add(&mut self, other: &Histogram) -> Result<Combined, Incompatible> {
        let mut other = other.clone();
        let (reset_collision, bounds_reconciled) = self.sum.align(&mut other)?;
        self.follow();
        let add = |sum: &mut f64, lost: &mut f64, value: f64| {
            let next = kahan_inc(value, Kahan { sum: *sum, lost: *lost });
            (*sum, *lost) = (next.sum, next.lost);
        };
        add(&mut self.sum.zero_count, &mut self.lost.zero_count, other.zero_count);
        add(&mut self.sum.count, &mut self.lost.count, other.count);
        add(&mut self.sum.sum, &mut self.lost.sum, other.sum);
        for (sum, lost, other) in [
            (&mut self.sum.positive, &mut self.lost.positive, &other.positive),
            (&mut self.sum.negative, &mut self.lost.negative, &other.negative),
        ] {
            // Buckets of all three, so that each finds its rest.
            let of = |buckets: &[super::Bucket], index: i32| {
                buckets.binary_search_by_key(&index, |bucket| bucket.index).map_or(0.0, |at| buckets[at].count)
            };
            let all = merged(&merged(sum, other, |_, _| 1.0), lost, |_, _| 1.0);
            let (mut sums, mut rests) = (Vec::with_capacity(all.len()), Vec::new());
            for bucket in &all {
                let next = kahan_inc(of(other, bucket.index), Kahan { sum: of(sum, bucket.index), lost: of(lost, bucket.index) });
                Histogram::push(&mut sums, bucket.index, next.sum);
                Histogram::push(&mut rests, bucket.index, next.lost);
            }
            (*sum, *lost) = (sums, rests);
        }
        Ok(Combined { reset_collision, bounds_reconciled })
    }

    /// Brings the rests into the buckets that the sum has now.
    fn follow(&mut self) {
        if self.sum.is_custom() {
            if !super::same_bounds(&self.sum.custom_values, &self.lost.custom_values) {
                self.lost.rebucket(&self.sum.custom_values);
            }
            return;
        }
        if self.lost.zero_threshold < self.sum.zero_threshold {
            self.lost.widen_zero(self.sum.zero_threshold);
            self.lost.zero_threshold = self.sum.zero_threshold;
        }
        self.lost.reduce_to(self.sum.schema);
    }

    /// Multiplies it.
    pub(crate) fn mul(&mut self, factor: f64) {
        self.sum.map(|value| value * factor);
        self.lost.map(|value| value * factor);
    }

    /// Divides it.
    pub(crate) fn div(&mut self, divisor: f64) {
        self.sum.map(|value| value / divisor);
        self.lost.map(|value| value / divisor);
    }

    pub(crate) fn has_overflow(&self) -> bool {
        self.sum.has_overflow()
    }

    pub(crate) const fn histogram_mut(&mut self) -> &mut Histogram {
        &mut self.sum
    }

    /// The sum with what rounding lost.
    pub(crate) fn finish(mut self) -> Histogram {
        let add = |sum: f64, lost: f64| if sum.is_infinite() { sum } else { sum + lost };
        self.sum.zero_count = add(self.sum.zero_count, self.lost.zero_count);
        self.sum.count = add(self.sum.count, self.lost.count);
        self.sum.sum = add(self.sum.sum, self.lost.sum);
        self.sum.positive = merged(&self.sum.positive, &self.lost.positive, add);
        self.sum.negative = merged(&self.sum.negative, &self.lost.negative, add);
        self.sum
    }
}
