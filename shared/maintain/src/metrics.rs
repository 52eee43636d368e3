use icegate_model::Table;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const SECONDS: [f64; 9] = [0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0];

type Labels = [(&'static str, &'static str); 1];

/// What maintenance counts, by table.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) runs: Family<Labels, Counter>,
    pub(crate) failures: Family<Labels, Counter>,
    pub(crate) expired_snapshots: Family<Labels, Counter>,
    pub(crate) snapshots: Family<Labels, Gauge>,
    pub(crate) removed_objects: Family<Labels, Counter>,
    pub(crate) removed_bytes: Family<Labels, Counter>,
    pub(crate) failed_removals: Family<Labels, Counter>,
    pub(crate) indexed_files: Family<Labels, Counter>,
    pub(crate) unknown: Family<Labels, Gauge>,
    pub(crate) duration: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Registers the metrics under `maintain_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let maintain = registry.sub_registry_with_prefix("maintain");
        maintain.register("runs", "Times that a table was looked after", metrics.runs.clone());
        maintain.register("failures", "Times that it ended with an error", metrics.failures.clone());
        maintain.register("expired_snapshots", "Snapshots removed", metrics.expired_snapshots.clone());
        maintain.register("snapshots", "Snapshots that a table has", metrics.snapshots.clone());
        maintain.register("removed_objects", "Objects removed that nothing referred to", metrics.removed_objects.clone());
        maintain.register("removed_bytes", "Bytes of removed objects", metrics.removed_bytes.clone());
        maintain.register("failed_removals", "Objects that could not be removed", metrics.failed_removals.clone());
        maintain.register(
            "indexed_files",
            "Files whose index of trace ids was gathered in groups",
            metrics.indexed_files.clone(),
        );
        maintain.register("unknown_wal_objects", "Objects in the WAL that no writer named so", metrics.unknown.clone());
        maintain.register("duration_seconds", "Time of one table's maintenance", metrics.duration.clone());
        metrics
    }

    pub(crate) const fn labels(table: Table) -> Labels {
        [("table", table.name())]
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            runs: Family::default(),
            failures: Family::default(),
            expired_snapshots: Family::default(),
            snapshots: Family::default(),
            removed_objects: Family::default(),
            removed_bytes: Family::default(),
            failed_removals: Family::default(),
            indexed_files: Family::default(),
            unknown: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }
}
