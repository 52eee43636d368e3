//! What the evaluator reads from.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use icegate_promql::{PromqlError, Select, Series, SeriesStream, Storage};
use tokio::runtime::Handle;

use super::gather::{self, Asked};

/// One tenant's metrics for one query. Only for threads that may wait: evaluating is synchronous, reading isn't.
pub(crate) struct Metrics<'a> {
    asked: Asked<'a>,
    runtime: Handle,
    warnings: Mutex<Vec<String>>,
    samples: AtomicUsize,
}

impl<'a> Metrics<'a> {
    pub(crate) fn new(asked: Asked<'a>, runtime: Handle) -> Self {
        Self { asked, runtime, warnings: Mutex::default(), samples: AtomicUsize::new(0) }
    }

    /// What keeps the answer from being whole (READ-2), each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }

    /// How many samples were read.
    pub(crate) fn samples(&self) -> usize {
        self.samples.load(Ordering::Relaxed)
    }
}

impl Storage for Metrics<'_> {
    fn select<'a>(&'a self, select: &Select<'_>) -> Result<Box<dyn SeriesStream + 'a>, PromqlError> {
        let mut warnings = Vec::new();
        let gathering = gather::samples(self.asked, select.matchers, (select.from, select.to), &mut warnings);
        let collector = self.runtime.block_on(gathering)?;
        self.samples.fetch_add(collector.samples(), Ordering::Relaxed);
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).append(&mut warnings);
        Ok(Box::new(Stream(collector.series().collect::<Vec<_>>().into_iter())))
    }
}

struct Stream(std::vec::IntoIter<Series>);

impl SeriesStream for Stream {
    fn next_series(&mut self) -> Result<Option<Series>, PromqlError> {
        Ok(self.0.next())
    }
}
