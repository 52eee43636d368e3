use super::{Bucket, Histogram, ResetHint};

/// Buckets that grow by a factor and buckets with bounds of their own don't mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("histograms with exponential and with custom buckets don't mix")]
pub struct Incompatible;

/// What had to be done to combine two histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Combined {
    /// One hint said reset, the other no reset.
    pub(crate) reset_collision: bool,
    /// Bounds differed, and only those in common were kept.
    pub(crate) bounds_reconciled: bool,
}

impl Histogram {
    /// The sum of both.
    ///
    /// # Errors
    /// [`Incompatible`].
    pub fn plus(&self, other: &Self) -> Result<Self, Incompatible> {
        let mut sum = self.clone();
        sum.add(other).map(|_| sum)
    }

    /// The difference of both.
    ///
    /// # Errors
    /// [`Incompatible`].
    pub fn minus(&self, other: &Self) -> Result<Self, Incompatible> {
        let mut difference = self.clone();
        difference.sub(other).map(|_| difference)
    }

    /// Adds another one.
    pub(crate) fn add(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, 1.0)
    }

    /// Takes another one away.
    pub(crate) fn sub(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &Self, sign: f64) -> Result<Combined, Incompatible> {
        let mut other = other.clone();
        let (reset_collision, bounds_reconciled) = self.align(&mut other)?;
        self.zero_count += sign * other.zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        self.positive = merged(&self.positive, &other.positive, |a, b| a + sign * b);
        self.negative = merged(&self.negative, &other.negative, |a, b| a + sign * b);
        Ok(Combined { reset_collision, bounds_reconciled })
    }

    /// Lets both have the same buckets, and this one the hint of both.
    pub(super) fn align(&mut self, other: &mut Self) -> Result<(bool, bool), Incompatible> {
        if self.is_custom() != other.is_custom() {
            return Err(Incompatible);
        }
        let reset_collision = self.adjust_hint(other.hint);
        let mut bounds_reconciled = false;
        if self.is_custom() {
            bounds_reconciled = self.reconcile_bounds(other);
        } else {
            self.reconcile_zero(other);
            let schema = self.schema.min(other.schema);
            self.reduce_to(schema);
            other.reduce_to(schema);
        }
        Ok((reset_collision, bounds_reconciled))
    }

    /// The hint of both; whether they contradict each other.
    fn adjust_hint(&mut self, other: ResetHint) -> bool {
        match (self.hint, other) {
            (own, other) if own == other => false,
            (ResetHint::Gauge, _) => false,
            (_, ResetHint::Gauge) => {
                self.hint = ResetHint::Gauge;
                false
            }
            (ResetHint::Unknown, _) => false,
            (_, ResetHint::Unknown) => {
                self.hint = ResetHint::Unknown;
                false
            }
            _ => {
                self.hint = ResetHint::Unknown;
                true
            }
        }
    }

    /// Multiplies all counts and the sum.
    pub(crate) fn mul(&mut self, factor: f64) {
        self.map(|value| value * factor);
        if factor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    /// Divides all counts and the sum; by zero, no buckets are left.
    pub(crate) fn div(&mut self, divisor: f64) {
        self.map(|value| value / divisor);
        if divisor == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
        if divisor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
    }

    pub(super) fn map(&mut self, change: impl Fn(f64) -> f64) {
        for value in [&mut self.zero_count, &mut self.count, &mut self.sum] {
            *value = change(*value);
        }
        for buckets in [&mut self.positive, &mut self.negative] {
            buckets.iter_mut().for_each(|bucket| bucket.count = change(bucket.count));
            buckets.retain(|bucket| bucket.count != 0.0);
        }
    }

    /// Whether a count or the sum isn't finite.
    pub(crate) fn has_overflow(&self) -> bool {
        [self.zero_count, self.count, self.sum].iter().any(|value| value.is_infinite())
            || self.positive.iter().chain(&self.negative).any(|bucket| bucket.count.is_infinite())
    }
}

/// Buckets of both, with zero for what one of them hasn't.
pub(super) fn merged(left: &[Bucket], right: &[Bucket], value: impl Fn(f64, f64) -> f64) -> Vec<Bucket> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let index = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) => l.index.min(r.index),
            (Some(one), None) | (None, Some(one)) => one.index,
            (None, None) => return out,
        };
        let l = left.next_if(|bucket| bucket.index == index).map_or(0.0, |bucket| bucket.count);
        let r = right.next_if(|bucket| bucket.index == index).map_or(0.0, |bucket| bucket.count);
        Histogram::push(&mut out, index, value(l, r));
    }
}
