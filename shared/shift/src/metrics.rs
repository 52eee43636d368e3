use std::sync::atomic::AtomicU64;

use icegate_model::Table;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::lease::Claim;

const SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

type Labels = [(&'static str, &'static str); 1];

/// What the shift counts, by table.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) rows: Family<Labels, Counter>,
    pub(crate) segments: Family<Labels, Counter>,
    pub(crate) repeated_rows: Family<Labels, Counter>,
    pub(crate) unreadable: Family<Labels, Counter>,
    pub(crate) quarantined: Family<Labels, Gauge>,
    pub(crate) newer_format: Family<Labels, Gauge>,
    pub(crate) lost: Family<Labels, Counter>,
    pub(crate) retries: Family<Labels, Counter>,
    pub(crate) leases_held: Family<Labels, Gauge>,
    pub(crate) leases_refused: Family<Labels, Counter>,
    pub(crate) leases_lost: Family<Labels, Counter>,
    pub(crate) lease_failures: Family<Labels, Counter>,
    pub(crate) state_failures: Family<Labels, Counter>,
    pub(crate) failures: Family<Labels, Counter>,
    pub(crate) deleted: Family<Labels, Counter>,
    pub(crate) pending_segments: Family<Labels, Gauge>,
    pub(crate) pending_bytes: Family<Labels, Gauge>,
    pub(crate) lag: Family<Labels, Gauge<f64, AtomicU64>>,
    pub(crate) duration: Family<Labels, Histogram, fn() -> Histogram>,
    pub(crate) generator: GeneratorMetrics,
}

/// What is counted of the metrics that are made of spans.
#[derive(Clone, Debug, Default)]
pub(crate) struct GeneratorMetrics {
    pub(crate) spans: Counter,
    pub(crate) rows: Counter,
    pub(crate) edges: Counter,
    pub(crate) expired: Counter,
    pub(crate) dropped: Counter,
    pub(crate) waiting: Gauge,
    pub(crate) lost: Counter,
    pub(crate) lost_states: Counter,
    pub(crate) pending_segments: Gauge,
}

impl GeneratorMetrics {
    fn register(&self, registry: &mut Registry) {
        let generator = registry.sub_registry_with_prefix("generator");
        generator.register("spans", "Spans that metrics were made of", self.spans.clone());
        generator.register("rows", "Points of metrics that were made of spans", self.rows.clone());
        generator.register("edges", "Requests between two services that were found", self.edges.clone());
        generator.register("expired_halves", "Sides of requests whose other side never came", self.expired.clone());
        generator.register("dropped_halves", "Sides of requests given up because too many waited", self.dropped.clone());
        generator.register("waiting_halves", "Sides of requests that wait for the other side", self.waiting.clone());
        generator.register("commits_lost", "Passes whose spans another shifter counted first", self.lost.clone());
        generator.register("lost_states", "Times that what waited was gone", self.lost_states.clone());
        generator.register("pending_segments", "Segments of spans that are not counted yet", self.pending_segments.clone());
    }
}

impl Metrics {
    /// Registers the metrics under `shift_*`, `generator_*` and `wal_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let shift = registry.sub_registry_with_prefix("shift");
        shift.register("rows", "Rows committed to a table", metrics.rows.clone());
        shift.register("segments", "Segments committed to a table", metrics.segments.clone());
        shift.register("repeated_rows", "Rows of repeated requests, left out", metrics.repeated_rows.clone());
        shift.register("unreadable_segments", "Passes that could not read a segment", metrics.unreadable.clone());
        shift.register("quarantined_segments", "Segments set aside because nobody can read them", metrics.quarantined.clone());
        shift.register("newer_format_segments", "Segments left to a later release", metrics.newer_format.clone());
        shift.register("commits_lost", "Passes whose segments another shifter committed first", metrics.lost.clone());
        shift.register("commit_retries", "Attempts of commits that others came before", metrics.retries.clone());
        shift.register("leases_held", "Whether this shifter has the table's lease", metrics.leases_held.clone());
        shift.register("leases_refused", "Passes not made because another shifter has the lease", metrics.leases_refused.clone());
        shift.register("leases_lost", "Leases that another shifter took over", metrics.leases_lost.clone());
        shift.register("lease_failures", "Passes made without a lease because its store failed", metrics.lease_failures.clone());
        shift.register("job_state_failures", "Job states that could not be written", metrics.state_failures.clone());
        shift.register("failures", "Passes that ended with an error", metrics.failures.clone());
        shift.register("lag_seconds", "Age of the oldest segment that is not in a table", metrics.lag.clone());
        shift.register("duration_seconds", "Time of a pass that committed", metrics.duration.clone());
        metrics.generator.register(registry);
        let wal = registry.sub_registry_with_prefix("wal");
        wal.register("pending_segments", "Segments that are not in a table", metrics.pending_segments.clone());
        wal.register("pending_bytes", "Bytes of segments that are not in a table", metrics.pending_bytes.clone());
        wal.register("deleted_segments", "Segments deleted after their grace", metrics.deleted.clone());
        metrics
    }

    pub(crate) fn count_claim(&self, table: Table, claim: Claim, had: bool) {
        let labels = Self::labels(table);
        self.leases_held.get_or_create(&labels).set(i64::from(claim == Claim::Mine));
        match claim {
            Claim::Mine => {}
            Claim::Others => {
                self.leases_refused.get_or_create(&labels).inc();
            }
            Claim::Unknown => {
                self.lease_failures.get_or_create(&labels).inc();
            }
        }
        if had && claim == Claim::Others {
            self.leases_lost.get_or_create(&labels).inc();
        }
    }

    pub(crate) const fn labels(table: Table) -> Labels {
        [("table", table.name())]
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            rows: Family::default(),
            segments: Family::default(),
            repeated_rows: Family::default(),
            unreadable: Family::default(),
            quarantined: Family::default(),
            newer_format: Family::default(),
            lost: Family::default(),
            retries: Family::default(),
            leases_held: Family::default(),
            leases_refused: Family::default(),
            leases_lost: Family::default(),
            lease_failures: Family::default(),
            state_failures: Family::default(),
            failures: Family::default(),
            deleted: Family::default(),
            pending_segments: Family::default(),
            pending_bytes: Family::default(),
            lag: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            generator: GeneratorMetrics::default(),
        }
    }
}
