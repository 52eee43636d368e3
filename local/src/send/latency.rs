use std::time::Duration;

/// Bits that a bucket keeps of a number, beside its magnitude: the error of a percentile is below one in 2^8.
const PRECISION: u32 = 8;
/// Numbers below this have a bucket of their own.
const EXACT: u64 = 1 << (PRECISION + 1);
/// Magnitudes above the exact ones: 64 bits in all.
const MAGNITUDES: usize = 63 - PRECISION as usize;
/// Buckets of all magnitudes.
const BUCKETS: usize = EXACT as usize + (MAGNITUDES << PRECISION);

/// Counts of durations in microseconds, in buckets that widen with the duration. Its size is fixed.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(bucket(micros)) {
            *bucket += 1;
        }
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// The smallest latency that `percent` of all don't exceed, rounded up to its bucket's end; zero where none was recorded.
    pub(crate) fn percentile(&self, percent: u32) -> Duration {
        let rank = u128::from(self.count) * u128::from(percent.min(100));
        let mut seen = 0_u64;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if *count > 0 && u128::from(seen) * 100 >= rank {
                return Duration::from_micros(last_of(index).min(self.max));
            }
        }
        Duration::from_micros(self.max)
    }

    /// The longest, exactly; zero where none was recorded.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_micros(self.max)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return usize::try_from(micros).unwrap_or(usize::MAX);
    }
    let shift = micros.ilog2() - PRECISION;
    let kept = (micros >> shift) - (1 << PRECISION);
    let start = EXACT + (u64::from(shift - 1) << PRECISION);
    usize::try_from(start + kept).unwrap_or(usize::MAX)
}

/// The largest number of a bucket.
fn last_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let shift = ((bucket - EXACT) >> PRECISION) + 1;
    let kept = ((bucket - EXACT) & ((1 << PRECISION) - 1)) + (1 << PRECISION);
    u64::try_from(((u128::from(kept) + 1) << shift) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        micros.into_iter().for_each(|micros| latencies.record(Duration::from_micros(micros)));
        latencies
    }

    #[test]
    fn percentiles_of_a_hundred_short_latencies_are_exact() {
        let latencies = of((1..=100).rev());
        for percent in [1, 50, 90, 99, 100] {
            assert_eq!(latencies.percentile(percent), Duration::from_micros(u64::from(percent)));
        }
        assert_eq!(latencies.max(), Duration::from_micros(100));
    }

    #[test]
    fn a_long_latency_is_known_to_one_in_256_and_the_longest_exactly() {
        let latencies = of([1_000_000, 2_000_000, 5_123_457]);
        let median = latencies.percentile(50).as_micros();
        assert!((2_000_000..=2_000_000 + 2_000_000 / 256).contains(&median), "{median}");
        assert_eq!(latencies.percentile(100), Duration::from_micros(5_123_457));
        assert_eq!(latencies.max(), Duration::from_micros(5_123_457));
    }

    #[test]
    fn one_latency_is_every_percentile_and_none_is_zero() {
        assert_eq!(of([777]).percentile(50), Duration::from_micros(777));
        assert_eq!(of([]).percentile(99), Duration::ZERO);
    }

    #[test]
    fn every_number_lies_in_a_bucket_that_ends_at_or_after_it_and_the_one_before_ends_earlier() {
        for micros in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX - 1, u64::MAX]) {
            let at = bucket(micros);
            assert!(at < BUCKETS, "{micros}");
            assert!(last_of(at) >= micros, "{micros}");
            assert!(at == 0 || last_of(at - 1) < micros, "{micros}");
        }
    }
}
