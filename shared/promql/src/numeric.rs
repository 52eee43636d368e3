//! Sums that keep what rounding loses.

/// A sum and what rounding lost of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Kahan {
    pub(crate) sum: f64,
    pub(crate) lost: f64,
}

impl Kahan {
    /// The sum with what rounding lost.
    pub(crate) fn total(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

/// Adds a value, in Neumaier's way.
pub(crate) fn kahan_inc(value: f64, kahan: Kahan) -> Kahan {
    let sum = kahan.sum + value;
    if sum.is_infinite() {
        return Kahan { sum, lost: 0.0 };
    }
    // The smaller one loses digits.
    let lost = if kahan.sum.abs() >= value.abs() { (kahan.sum - sum) + value } else { (value - sum) + kahan.sum };
    Kahan { sum, lost: kahan.lost + lost }
}

/// A mean that turns to steps of its own where the sum would overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    count: f64,
    sum: Kahan,
    /// The mean so far, once the sum overflowed.
    mean: Option<Kahan>,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let mean = match self.mean {
            Some(mean) => mean,
            None => {
                let next = kahan_inc(value, self.sum);
                if self.count == 1.0 || !next.sum.is_infinite() {
                    self.sum = next;
                    return;
                }
                let before = self.count - 1.0;
                Kahan { sum: self.sum.sum / before, lost: self.sum.lost / before }
            }
        };
        // An infinite mean stays what it is; a difference of infinities would make it NaN.
        let is_absorbed =
            mean.sum.is_infinite() && if value.is_infinite() { (mean.sum > 0.0) == (value > 0.0) } else { !value.is_nan() };
        if is_absorbed {
            self.mean = Some(mean);
            return;
        }
        let weight = (self.count - 1.0) / self.count;
        self.mean = Some(kahan_inc(value / self.count, Kahan { sum: weight * mean.sum, lost: weight * mean.lost }));
    }

    pub(crate) fn finish(self) -> f64 {
        match self.mean {
            Some(mean) => mean.sum + mean.lost,
            None => self.sum.sum / self.count + self.sum.lost / self.count,
        }
    }
}

/// The population variance, value by value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Variance {
    count: f64,
    mean: Kahan,
    squares: Kahan,
}

impl Variance {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - (self.mean.sum + self.mean.lost);
        self.mean = kahan_inc(distance / self.count, self.mean);
        self.squares = kahan_inc(distance * (value - (self.mean.sum + self.mean.lost)), self.squares);
    }

    pub(crate) fn finish(self) -> f64 {
        (self.squares.sum + self.squares.lost) / self.count
    }
}

/// The quantile of values, interpolated linearly between ranks.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks of values in memory are below 2^53"
)]
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    sort_nan_first(values);
    let rank = q * (values.len() as f64 - 1.0);
    let lower = (rank.floor().max(0.0)) as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

/// Sorts by value; what isn't a number comes first.
pub(crate) fn sort_nan_first(values: &mut [f64]) {
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_small_values_between_large_ones_that_cancel() {
        let total = [1.0, 1e100, 1.0, -1e100].iter().fold(Kahan::default(), |sum, value| kahan_inc(*value, sum)).total();
        assert_eq!(total, 2.0);
    }

    #[test]
    fn quantiles_lie_between_ranks() {
        assert_eq!(quantile(0.5, &mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(quantile(1.0, &mut [4.0, 1.0]), 4.0);
        assert!(quantile(0.5, &mut []).is_nan());
        assert_eq!(quantile(-0.1, &mut [1.0]), f64::NEG_INFINITY);
    }
}
