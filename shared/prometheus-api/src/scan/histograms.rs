//! OTLP's histograms as Prometheus' native ones.

use std::sync::Arc;

use icegate_promql::{Bucket, CUSTOM_BOUNDS, Histogram, ResetHint, STALE_BITS};

/// The finest schema of Prometheus; finer ones are merged to it.
const MAX_SCALE: i32 = 8;
/// The coarsest.
pub(super) const MIN_SCALE: i32 = -4;
/// How far from zero the zero bucket of OTLP's reaches, whatever it says.
pub(super) const ZERO_THRESHOLD: f64 = 1e-128;

/// One exponential histogram, its buckets as OTLP numbers them.
#[derive(Debug, Default)]
pub(super) struct Exponential {
    pub(super) scale: i32,
    pub(super) zero_count: f64,
    pub(super) zero_threshold: f64,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) positive: (i32, Vec<f64>),
    pub(super) negative: (i32, Vec<f64>),
    pub(super) hint: ResetHint,
}

impl Exponential {
    /// `None` where it is coarser than Prometheus' histograms can be.
    pub(super) fn native(&self) -> Option<Histogram> {
        if self.scale < MIN_SCALE {
            return None;
        }
        let schema = self.scale.min(MAX_SCALE);
        let finer = self.scale - schema;
        Some(Histogram {
            schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            count: self.count,
            sum: self.sum,
            positive: buckets(&self.positive, finer),
            negative: buckets(&self.negative, finer),
            hint: self.hint,
            ..Histogram::default()
        })
    }
}

/// Buckets of OTLP begin with their upper bounds' index one lower than Prometheus'.
fn buckets((offset, counts): &(i32, Vec<f64>), finer: i32) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for (at, count) in counts.iter().copied().enumerate().filter(|(_, count)| *count != 0.0) {
        let index = i64::from(*offset) + i64::try_from(at).unwrap_or(i64::MAX / 2);
        // Shifts by more than the bits of a number all give the same.
        let index = i32::try_from((index >> finer.min(62)) + 1).unwrap_or(i32::MAX);
        match buckets.last_mut().filter(|last| last.index == index) {
            Some(last) => last.count += count,
            None => buckets.push(Bucket { index, count }),
        }
    }
    buckets
}

/// A histogram with explicit bounds as a native one with bounds of its own.
pub(super) fn custom(bounds: Arc<[f64]>, counts: &[f64], count: f64, sum: f64, hint: ResetHint) -> Histogram {
    let buckets = counts.iter().copied().enumerate().filter(|(_, count)| *count != 0.0);
    let bucket = |(index, count)| Bucket { index: i32::try_from(index).unwrap_or(i32::MAX), count };
    Histogram {
        schema: CUSTOM_BOUNDS,
        count,
        sum,
        positive: buckets.map(bucket).collect(),
        custom_values: bounds,
        hint,
        ..Histogram::default()
    }
}

/// Marks the end of a series of histograms.
pub(super) fn stale() -> Histogram {
    let stale = f64::from_bits(STALE_BITS);
    Histogram { sum: stale, count: stale, ..Histogram::default() }
}

#[allow(clippy::cast_precision_loss, reason = "Prometheus counts in doubles")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(index: i32, count: f64) -> Bucket {
        Bucket { index, count }
    }

    #[test]
    fn buckets_move_up_by_one_and_those_without_observations_vanish() {
        let otlp = Exponential {
            scale: 3,
            count: 6.0,
            positive: (-2, vec![1.0, 0.0, 3.0]),
            negative: (0, vec![2.0]),
            ..Exponential::default()
        };
        let native = otlp.native().unwrap();
        assert_eq!((native.schema, native.count), (3, 6.0));
        assert_eq!(native.positive, [bucket(-1, 1.0), bucket(1, 3.0)]);
        assert_eq!(native.negative, [bucket(1, 2.0)]);
    }

    #[test]
    fn finer_scales_are_merged_and_coarser_ones_refused() {
        // Of scale 10, four buckets make one of scale 8: indexes 300 to 303 are 75, 304 is 76.
        let fine = Exponential { scale: 10, positive: (300, vec![1.0, 2.0, 3.0, 4.0, 5.0]), ..Exponential::default() };
        assert_eq!(fine.native().map(|native| (native.schema, native.positive)), {
            Some((8, vec![bucket(76, 10.0), bucket(77, 5.0)]))
        });
        let negative = Exponential { scale: 9, positive: (-3, vec![1.0; 3]), ..Exponential::default() };
        assert_eq!(negative.native().unwrap().positive, [bucket(-1, 1.0), bucket(0, 2.0)]);
        assert!(Exponential { scale: -5, ..Exponential::default() }.native().is_none());
    }
}
