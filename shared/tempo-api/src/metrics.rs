use std::time::Duration;

use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

type EndpointLabels = [(&'static str, String); 1];
type AnswerLabels = [(&'static str, String); 2];

/// What is counted of requests; clones share the counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<AnswerLabels, Counter>,
    seconds: Family<EndpointLabels, Histogram, fn() -> Histogram>,
    pub(crate) running: Gauge,
}

impl Metrics {
    /// Registers the metrics under `tempo_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let tempo = registry.sub_registry_with_prefix("tempo");
        tempo.register("requests", "Requests by endpoint and status", metrics.requests.clone());
        tempo.register("request_seconds", "Time from a request's headers to its answer", metrics.seconds.clone());
        tempo.register("running_queries", "Queries that run now", metrics.running.clone());
        metrics
    }

    pub(crate) fn answered(&self, endpoint: &str, status: StatusCode, took: Duration) {
        self.seconds.get_or_create(&[("endpoint", endpoint.to_owned())]).observe(took.as_secs_f64());
        self.requests.get_or_create(&[("endpoint", endpoint.to_owned()), ("status", status.as_u16().to_string())]).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            running: Gauge::default(),
        }
    }
}
