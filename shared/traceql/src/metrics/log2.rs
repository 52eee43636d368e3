//! Histograms of powers of two, and quantiles estimated from them.

/// The least power of two that is at least the value, as its exponent. Values below 2 have no bucket.
pub(super) fn exponent(value: i64) -> Option<u32> {
    let value = u64::try_from(value).ok().filter(|value| *value >= 2)?;
    Some((value - 1).checked_ilog2().map_or(1, |below| below + 1))
}

/// The quantile of counts by the upper bounds of their buckets, rising: between the bounds of its bucket it grows exponentially. 0
/// where nothing is counted.
#[allow(clippy::cast_precision_loss, reason = "counts of spans are told as floating point numbers")]
pub(super) fn quantile(quantile: f64, buckets: &[(f64, f64)]) -> f64 {
    let total: f64 = buckets.iter().map(|(_, count)| count).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let wanted = (quantile * total).ceil();
    let mut below = 0.0;
    for (bound, count) in buckets.iter().filter(|(_, count)| *count > 0.0) {
        if below + count >= wanted {
            return bound / 2.0 * ((wanted - below) / count).exp2();
        }
        below += count;
    }
    buckets.last().map_or(0.0, |(bound, _)| *bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_with_its_power_of_two() {
        for (value, expected) in [(2, 1), (3, 2), (4, 2), (5, 3), (1_024, 10), (1_025, 11)] {
            assert_eq!(exponent(value), Some(expected), "{value}");
        }
        assert_eq!([i64::MIN, -1, 0, 1].map(exponent), [None; 4]);
        assert_eq!(exponent(i64::MAX), Some(63));
    }

    #[test]
    fn quantiles_grow_exponentially_within_a_bucket() {
        // 2 of 4 spans are in (2, 4], 2 in (4, 8].
        let buckets = [(4.0, 2.0), (8.0, 2.0)];
        assert!((quantile(0.0, &buckets) - 2.0).abs() < 1e-12);
        assert!((quantile(0.5, &buckets) - 4.0).abs() < 1e-12);
        assert!((quantile(0.75, &buckets) - 4.0 * 2_f64.sqrt()).abs() < 1e-12);
        assert!((quantile(1.0, &buckets) - 8.0).abs() < 1e-12);
        assert!(quantile(0.5, &[]).abs() < f64::EPSILON);
    }
}
