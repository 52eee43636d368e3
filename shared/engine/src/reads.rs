use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricValue, MetricsSet};

/// Counts what the scans of one opened table read while they run; clones share the counts.
#[derive(Clone, Default)]
pub struct Reads(Arc<Mutex<Vec<ExecutionPlanMetricsSet>>>);

/// What scans have read, and what of their files and segments they didn't have to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadFigures {
    /// Bytes fetched from storage, compressed; metadata that was at hand isn't fetched.
    pub bytes: u64,
    /// Rows that were decoded, at least in the columns that filters look at.
    pub rows: u64,
    /// Of those, rows that filters dropped before their other columns were decoded.
    pub rows_filtered: u64,
    /// Row groups left out by minima and maxima.
    pub row_groups_outside_bounds: u64,
    /// Row groups left out by bloom filters.
    pub row_groups_outside_bloom_filters: u64,
    /// Rows left out by the minima and maxima of their pages.
    pub rows_outside_page_bounds: u64,
    /// Planned files left out by the index of trace ids.
    pub files_outside_index: u64,
    /// Bytes of that index among the fetched ones.
    pub index_bytes: u64,
}

/// Names of what is counted of the index.
const FILES_OUTSIDE_INDEX: &str = "files_outside_index";
const INDEX_BYTES: &str = "index_bytes";

impl Reads {
    /// Counts what a scan with these metrics reads, too.
    pub(crate) fn watch(&self, metrics: &ExecutionPlanMetricsSet) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(metrics.clone());
    }

    /// Counts what a scan left out by the index, and what it fetched of it.
    pub(crate) fn count_index(&self, files: usize, bytes: usize) {
        let metrics = ExecutionPlanMetricsSet::new();
        MetricBuilder::new(&metrics).global_counter(FILES_OUTSIDE_INDEX).add(files);
        MetricBuilder::new(&metrics).global_counter(INDEX_BYTES).add(bytes);
        self.watch(&metrics);
    }

    /// What was read up to now.
    #[must_use]
    pub fn figures(&self) -> ReadFigures {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut figures = ReadFigures::default();
        watched.iter().for_each(|metrics| figures.add(&metrics.clone_inner()));
        figures
    }
}

impl ReadFigures {
    fn add(&mut self, metrics: &MetricsSet) {
        for metric in metrics.iter() {
            let value = metric.value();
            let (into, amount) = match (value.name(), value) {
                (_, MetricValue::OutputRows(rows)) => (&mut self.rows, rows.value()),
                ("bytes_scanned", MetricValue::Count { count, .. }) => (&mut self.bytes, count.value()),
                ("pushdown_rows_pruned", MetricValue::Count { count, .. }) => (&mut self.rows_filtered, count.value()),
                ("row_groups_pruned_statistics", MetricValue::PruningMetrics { pruning_metrics, .. }) => {
                    (&mut self.row_groups_outside_bounds, pruning_metrics.pruned())
                }
                ("row_groups_pruned_bloom_filter", MetricValue::PruningMetrics { pruning_metrics, .. }) => {
                    (&mut self.row_groups_outside_bloom_filters, pruning_metrics.pruned())
                }
                ("page_index_rows_pruned", MetricValue::PruningMetrics { pruning_metrics, .. }) => {
                    (&mut self.rows_outside_page_bounds, pruning_metrics.pruned())
                }
                (FILES_OUTSIDE_INDEX, MetricValue::Count { count, .. }) => (&mut self.files_outside_index, count.value()),
                (INDEX_BYTES, MetricValue::Count { count, .. }) => (&mut self.index_bytes, count.value()),
                _ => continue,
            };
            *into += amount as u64;
            if value.name() == INDEX_BYTES {
                self.bytes += amount as u64;
            }
            if value.name() == "pushdown_rows_pruned" {
                self.rows += amount as u64;
            }
        }
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reads").field(&self.figures()).finish()
    }
}
