use icegate_model::ErrorKind;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::Refusal;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What is counted of credentials and of the documents that they are checked against.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    requests: Family<Labels<1>, Counter>,
    refreshes: Family<Labels<2>, Counter>,
}

/// What came of reading a document again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    Unchanged,
    Changed,
    /// It can't be fetched or used; the last good one stays.
    Failed,
}

impl Metrics {
    /// Registers the metrics under `auth_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let auth = registry.sub_registry_with_prefix("auth");
        auth.register("requests", "Requests by what their credentials allowed", metrics.requests.clone());
        auth.register("refreshes", "Documents that were read again, by outcome", metrics.refreshes.clone());
        metrics
    }

    /// Counts a request that was let through or refused.
    pub fn decided(&self, decision: &Result<(), Refusal>) {
        let outcome = match decision.as_ref().map_err(Refusal::kind) {
            Ok(()) => "admitted",
            Err(ErrorKind::Forbidden) => "forbidden",
            Err(_) => "unauthenticated",
        };
        self.requests.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub(crate) fn refreshed(&self, document: &'static str, refresh: Refresh) {
        let outcome = match refresh {
            Refresh::Unchanged => "unchanged",
            Refresh::Changed => "changed",
            Refresh::Failed => "failed",
        };
        self.refreshes.get_or_create(&[("document", document), ("outcome", outcome)]).inc();
    }

    /// How often a document was read again with this outcome.
    #[cfg(test)]
    pub(crate) fn refreshes(&self, document: &'static str, outcome: &'static str) -> u64 {
        self.refreshes.get_or_create(&[("document", document), ("outcome", outcome)]).get()
    }
}
