use icegate_model::Table;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TableLabel {
    table: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BoundLabel {
    bound: &'static str,
}

/// Counters of a [`crate::Writer`]. Clones share their counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    segments: Family<TableLabel, Counter>,
    rows: Family<TableLabel, Counter>,
    bytes: Family<TableLabel, Counter>,
    failures: Family<TableLabel, Counter>,
    pub(crate) refused: Family<BoundLabel, Counter>,
    pub(crate) append_seconds: Histogram,
    pub(crate) buffered_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            segments: Family::default(),
            rows: Family::default(),
            bytes: Family::default(),
            failures: Family::default(),
            refused: Family::default(),
            // 5 ms to 20 s.
            append_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 13)),
            buffered_bytes: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Counters that no registry shows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters that `registry` shows as `wal_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("wal");
        registry.register("segments", "Segments written", metrics.segments.clone());
        registry.register("rows", "Rows written", metrics.rows.clone());
        registry.register("bytes", "Bytes of the segments written", metrics.bytes.clone());
        registry.register("flush_failures", "Segments that could not be written after all retries", metrics.failures.clone());
        registry.register("refused", "Requests refused because a bound was reached", metrics.refused.clone());
        registry.register("append_seconds", "Time until a request's rows were durable", metrics.append_seconds.clone());
        registry.register("buffered_bytes", "Bytes of rows that are not yet durable", metrics.buffered_bytes.clone());
        metrics
    }

    pub(crate) fn written(&self, table: Table, rows: u64, bytes: u64) {
        let label = TableLabel { table: table.name() };
        self.segments.get_or_create(&label).inc();
        self.rows.get_or_create(&label).inc_by(rows);
        self.bytes.get_or_create(&label).inc_by(bytes);
    }

    pub(crate) fn failed(&self, table: Table) {
        self.failures.get_or_create(&TableLabel { table: table.name() }).inc();
    }

    pub(crate) fn refuse(&self, bound: &'static str) {
        self.refused.get_or_create(&BoundLabel { bound }).inc();
    }
}
