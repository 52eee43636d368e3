use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use crate::ScanReport;

/// Counters of all scans of an engine; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) scans: Counter,
    pub(crate) files_planned: Counter,
    pub(crate) files_pruned: Counter,
    pub(crate) segments_planned: Counter,
    pub(crate) segments_pruned: Counter,
    pub(crate) segments_shifted: Counter,
    pub(crate) requests_repeated: Counter,
    pub(crate) replans: Counter,
    pub(crate) index_scans: Counter,
    pub(crate) index_files_pruned: Counter,
    pub(crate) index_bytes: Counter,
    pub(crate) index_unreadable: Counter,
}

impl Metrics {
    /// Makes the counters part of what `registry` exposes.
    pub fn register(&self, registry: &mut Registry) {
        let mut add = |name: &str, help: &str, counter: &Counter| registry.register(name, help, counter.clone());
        add("engine_scans", "Tables opened for a query", &self.scans);
        add("engine_files_planned", "Table files that scans read", &self.files_planned);
        add("engine_files_pruned", "Table files that scans left out by time", &self.files_pruned);
        add("engine_segments_planned", "WAL segments that scans read", &self.segments_planned);
        add("engine_segments_pruned", "WAL segments that scans left out by time", &self.segments_pruned);
        add("engine_segments_shifted", "Listed WAL segments whose rows were in the table already", &self.segments_shifted);
        add("engine_requests_repeated", "Repeated requests whose second copy a scan left out", &self.requests_repeated);
        add("engine_replans", "Scans planned once more because an object vanished", &self.replans);
        add("engine_index_scans", "Scans for trace ids that asked the index", &self.index_scans);
        add("engine_index_files_pruned", "Table files that scans left out by the index of trace ids", &self.index_files_pruned);
        add("engine_index_bytes", "Bytes of the index of trace ids that were fetched", &self.index_bytes);
        add("engine_index_unreadable", "Objects of the index of trace ids that could not be read", &self.index_unreadable);
    }

    pub(crate) fn count(&self, report: &ScanReport) {
        self.scans.inc();
        self.files_planned.inc_by(report.files.planned);
        self.files_pruned.inc_by(report.files.outside_range);
        self.segments_planned.inc_by(report.segments.planned);
        self.segments_pruned.inc_by(report.segments.outside_range);
        self.segments_shifted.inc_by(report.segments.shifted);
        self.requests_repeated.inc_by(report.segments.repeated_requests);
    }
}
