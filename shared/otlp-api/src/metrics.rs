use std::time::Duration;

use icegate_model::Signal;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0];

type SignalLabels = [(&'static str, &'static str); 1];
type TransportLabels = [(&'static str, &'static str); 2];
type RequestLabels = ([(&'static str, &'static str); 2], [(&'static str, String); 1]);

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// OTLP over HTTP.
    Http,
    /// OTLP over gRPC.
    Grpc,
    /// Loki's push.
    Push,
    /// Prometheus' remote write.
    RemoteWrite,
}

impl Transport {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
            Self::Push => "loki_push",
            Self::RemoteWrite => "remote_write",
        }
    }
}

/// What is counted of requests.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    rows: Family<SignalLabels, Counter>,
    refused: Family<SignalLabels, Counter>,
    bytes: Family<SignalLabels, Counter>,
    latency: Family<TransportLabels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Registers the metrics under `ingest_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let ingest = registry.sub_registry_with_prefix("ingest");
        ingest.register("requests", "Requests by signal, transport and status", metrics.requests.clone());
        ingest.register("records", "Records that were acknowledged", metrics.rows.clone());
        ingest.register("refused_records", "Records that were refused for their content", metrics.refused.clone());
        ingest.register("body_bytes", "Bytes of decompressed bodies that were acknowledged", metrics.bytes.clone());
        ingest.register("ack_seconds", "Time from a request's headers to its answer", metrics.latency.clone());
        metrics
    }

    /// Counts a request that is answered with `status`, an HTTP status or a gRPC code's name.
    pub fn answered(&self, signal: Signal, transport: Transport, status: impl Into<String>, took: Duration) {
        let labels = [("signal", signal.name()), ("transport", transport.name())];
        self.latency.get_or_create(&labels).observe(took.as_secs_f64());
        self.requests.get_or_create(&(labels, [("status", status.into())])).inc();
    }

    pub(crate) fn taken(&self, signal: Signal, accepted: u64, refused: u64, bytes: usize) {
        let labels = [("signal", signal.name())];
        self.rows.get_or_create(&labels).inc_by(accepted);
        self.refused.get_or_create(&labels).inc_by(refused);
        self.bytes.get_or_create(&labels).inc_by(bytes as u64);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            rows: Family::default(),
            refused: Family::default(),
            bytes: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }
}
