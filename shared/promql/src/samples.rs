use std::sync::Arc;

use icegate_series::Labels;

use crate::histogram::{Histogram, ResetHint};

/// The bits of the value that marks the end of a series.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether a value marks the end of a series.
#[must_use]
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// A number at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatPoint {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// When counting began, milliseconds since the epoch; zero where that isn't known.
    pub start: i64,
    /// The number.
    pub value: f64,
}

/// A histogram at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramPoint {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// When counting began, milliseconds since the epoch; zero where that isn't known.
    pub start: i64,
    /// The histogram.
    pub value: Arc<Histogram>,
}

/// The samples of a series, each kind in order of time; at no time there are two.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// Numbers.
    pub floats: Vec<FloatPoint>,
    /// Histograms.
    pub histograms: Vec<HistogramPoint>,
}

impl Samples {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.floats.len() + self.histograms.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let histograms: usize = self.histograms.iter().map(|point| size_of::<HistogramPoint>() + point.value.bytes()).sum();
        self.floats.len() * size_of::<FloatPoint>() + histograms
    }

    /// With a hint for each histogram that can be compared with the one before.
    pub(crate) fn with_resets(mut self) -> Self {
        let mut previous: Option<Arc<Histogram>> = None;
        for point in self.histograms.iter_mut().filter(|point| !point.value.is_stale()) {
            let whole = Arc::clone(&point.value);
            if let Some(previous) = previous.as_ref().filter(|_| whole.hint == ResetHint::Unknown) {
                let is_reset = whole.lost_observations_since(previous);
                Arc::make_mut(&mut point.value).hint = if is_reset { ResetHint::Reset } else { ResetHint::NotReset };
            }
            previous = Some(whole);
        }
        self
    }

    /// Without what marks the end of the series: such marks end a lookback, but aren't in windows.
    pub(crate) fn without_stale(mut self) -> Self {
        self.floats.retain(|point| !is_stale(point.value));
        self.histograms.retain(|point| !point.value.is_stale());
        self
    }

    /// Those after `from` up to `to`.
    pub(crate) fn window(&self, from: i64, to: i64) -> Window<'_> {
        let floats = {
            let start = self.floats.partition_point(|point| point.at <= from);
            let end = start + self.floats[start..].partition_point(|point| point.at <= to);
            &self.floats[start..end]
        };
        let start = self.histograms.partition_point(|point| point.at <= from);
        let end = start + self.histograms[start..].partition_point(|point| point.at <= to);
        Window { floats, histograms: &self.histograms[start..end], from, to }
    }
}

/// Samples of a series after `from` up to `to`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) floats: &'a [FloatPoint],
    pub(crate) histograms: &'a [HistogramPoint],
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Window<'_> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }
}

/// A series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels, the name among them.
    pub labels: Labels,
    /// Its samples.
    pub samples: Samples,
}

/// What a series has at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Float(f64),
    /// A histogram.
    Histogram(Arc<Histogram>),
}

impl Value {
    pub(crate) const fn float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Histogram(_) => None,
        }
    }

    pub(crate) fn histogram(&self) -> Option<&Histogram> {
        match self {
            Self::Float(_) => None,
            Self::Histogram(histogram) => Some(histogram),
        }
    }

    pub(crate) fn of(histogram: Histogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}
