//! Native histograms: exponential buckets, or buckets with bounds of their own.
//!
//! Buckets are kept as pairs of index and count, those of count zero are left out. Bucket `i` of an exponential histogram with
//! schema `s` reaches from (not in it) `2^((i-1)/2^s)` to (in it) `2^(i/2^s)`.

mod arithmetic;
mod bounds;
mod buckets;
mod estimate;
mod kahan;
mod reset;
mod text;
mod trim;

use std::sync::Arc;

pub(crate) use self::arithmetic::Combined;
pub use self::arithmetic::Incompatible;
pub use self::buckets::BucketRange;
pub(crate) use self::estimate::NanObservations;
pub(crate) use self::kahan::HistogramSum;
use crate::samples::is_stale;

/// The schema of histograms whose buckets have bounds of their own.
pub const CUSTOM_BOUNDS: i32 = -53;

/// What is known about a counter reset between a histogram and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Nothing.
    #[default]
    Unknown,
    /// There was one.
    Reset,
    /// There was none.
    NotReset,
    /// It isn't a counter.
    Gauge,
}

/// How many observations a bucket has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Which.
    pub index: i32,
    /// How many, not zero.
    pub count: f64,
}

/// A native histogram.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Its resolution, or [`CUSTOM_BOUNDS`].
    pub schema: i32,
    /// Observations up to this distance from zero are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// Buckets above zero, by index.
    pub positive: Vec<Bucket>,
    /// Buckets below zero, by index.
    pub negative: Vec<Bucket>,
    /// Upper bounds of buckets with bounds of their own; above the last is another bucket.
    pub custom_values: Arc<[f64]>,
    /// What is known about a counter reset before.
    pub hint: ResetHint,
}

impl Histogram {
    /// Whether its buckets have bounds of their own.
    #[must_use]
    pub const fn is_custom(&self) -> bool {
        self.schema == CUSTOM_BOUNDS
    }

    /// Whether it marks the end of a series.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum)
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + (self.positive.len() + self.negative.len()) * size_of::<Bucket>()
    }

    /// Sets a bucket that isn't there yet; those before it come first.
    pub(crate) fn push(buckets: &mut Vec<Bucket>, index: i32, count: f64) {
        if count != 0.0 {
            buckets.push(Bucket { index, count });
        }
    }
}

/// The hint takes no part in comparing.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        let buckets = |a: &[Bucket], b: &[Bucket]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.index == b.index && same(a.count, b.count))
        };
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && (self.is_custom() || self.zero_threshold == other.zero_threshold && same(self.zero_count, other.zero_count))
            && buckets(&self.positive, &other.positive)
            && buckets(&self.negative, &other.negative)
            && (!self.is_custom() || same_bounds(&self.custom_values, &other.custom_values))
    }
}

pub(crate) fn same_bounds(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}
