use icegate_series::Labels;

use crate::PromqlError;
use crate::matcher::Matcher;
use crate::samples::{Samples, Series};

/// Which series, and their samples from when to when.
#[derive(Clone, Copy, Debug)]
pub struct Select<'a> {
    /// Conditions that all must fit.
    pub matchers: &'a [Matcher],
    /// Samples after this time, milliseconds since the epoch.
    pub from: i64,
    /// Samples up to this time, and at it.
    pub to: i64,
}

/// Where series come from.
///
/// A histogram's hint says what is known about a reset between it and the sample before of the same series, whether or not
/// that one is selected.
pub trait Storage: Sync {
    /// The series that fit, each once, in order of their labels. Series without samples in that time may be left out.
    ///
    /// # Errors
    /// [`PromqlError::Storage`] where they can't be read.
    fn select<'a>(&'a self, select: &Select<'_>) -> Result<Box<dyn SeriesStream + 'a>, PromqlError>;
}

/// Series one by one, so that no more than one must be in memory.
pub trait SeriesStream {
    /// The next series, with its samples in order of time.
    ///
    /// # Errors
    /// [`PromqlError::Storage`] where it can't be read.
    fn next_series(&mut self) -> Result<Option<Series>, PromqlError>;
}

/// Series in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    series: Vec<Series>,
}

impl MemoryStorage {
    /// Adds samples, which come after all that a series has.
    pub fn append(&mut self, labels: Labels, samples: Samples) {
        match self.series.binary_search_by(|series| series.labels.cmp(&labels)) {
            Ok(at) => {
                self.series[at].samples.floats.extend(samples.floats);
                self.series[at].samples.histograms.extend(samples.histograms);
            }
            Err(at) => self.series.insert(at, Series { labels, samples }),
        }
    }

    /// All series.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }
}

impl Storage for MemoryStorage {
    fn select<'a>(&'a self, select: &Select<'_>) -> Result<Box<dyn SeriesStream + 'a>, PromqlError> {
        let fits = |series: &&Series| {
            select.matchers.iter().all(|matcher| matcher.fits(series.labels.get(&matcher.name).unwrap_or_default()))
        };
        let found: Vec<&Series> = self.series.iter().filter(fits).collect();
        Ok(Box::new(MemoryStream { series: found.into_iter(), from: select.from, to: select.to }))
    }
}

struct MemoryStream<'a> {
    series: std::vec::IntoIter<&'a Series>,
    from: i64,
    to: i64,
}

impl SeriesStream for MemoryStream<'_> {
    fn next_series(&mut self) -> Result<Option<Series>, PromqlError> {
        Ok(self.series.next().map(|series| {
            let window = series.samples.window(self.from, self.to);
            let samples = Samples { floats: window.floats.to_vec(), histograms: window.histograms.to_vec() };
            Series { labels: series.labels.clone(), samples }
        }))
    }
}
