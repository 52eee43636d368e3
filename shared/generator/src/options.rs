//! Which metrics are made of whose spans. Names, meanings and defaults are those of Tempo's configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use icegate_model::TenantId;

/// Which metrics are made for each tenant; none by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// For tenants that have none of their own.
    pub defaults: Processors,
    /// For single tenants in place of those.
    pub tenants: BTreeMap<TenantId, Processors>,
}

/// What is made of a tenant's spans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Processors {
    /// `traces_spanmetrics_*`.
    pub span_metrics: Option<SpanMetrics>,
    /// `traces_service_graph_*`.
    pub service_graphs: Option<ServiceGraphs>,
}

/// How spans are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanMetrics {
    /// Upper bounds of the latency's buckets in seconds, ascending.
    pub histogram_buckets: Vec<f64>,
    /// Which labels there are without attributes.
    pub intrinsic_dimensions: IntrinsicDimensions,
    /// Attributes that become labels: of the span, else of its resource.
    pub dimensions: Vec<String>,
    /// Labels that are made of several attributes.
    pub dimension_mappings: Vec<DimensionMapping>,
}

/// Labels that are no attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicDimensions {
    /// `service`: the resource's `service.name`.
    pub service: bool,
    /// `span_name`.
    pub span_name: bool,
    /// `span_kind`, as `SPAN_KIND_SERVER`.
    pub span_kind: bool,
    /// `status_code`, as `STATUS_CODE_ERROR`.
    pub status_code: bool,
    /// `status_message`.
    pub status_message: bool,
}

/// A label of several attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionMapping {
    /// The label.
    pub name: String,
    /// The attributes; those without a value are left out.
    pub source_labels: Vec<String>,
    /// What stands between their values.
    pub join: String,
}

/// How edges are found and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceGraphs {
    /// How long a half waits for the other.
    pub wait: Duration,
    /// Halves that wait from one pass to the next, for each account of a tenant.
    pub max_items: usize,
    /// Upper bounds of the buckets in seconds, ascending.
    pub histogram_buckets: Vec<f64>,
    /// Attributes that become labels: of the client's span or its resource, else of the server's.
    pub dimensions: Vec<String>,
    /// Whether these labels begin with `client_` and `server_`, each with its own side's value.
    pub enable_client_server_prefix: bool,
    /// Whether the time between a message's two spans is measured.
    pub enable_messaging_system_latency_histogram: bool,
    /// Whether the label `virtual_node` says which side is not traced.
    pub enable_virtual_node_label: bool,
    /// Attributes of a span that name its other side, the first that has a value.
    pub peer_attributes: Vec<String>,
    /// Attributes by which a client's span is a call of a database, and its name where no other attribute tells.
    pub database_name_attributes: Vec<String>,
}

impl Options {
    /// Whether metrics are made for anybody.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.defaults.is_on() || self.tenants.values().any(Processors::is_on)
    }

    /// What is made of a tenant's spans; `None` for nothing.
    #[must_use]
    pub fn of(&self, tenant: &TenantId) -> Option<&Processors> {
        Some(self.tenants.get(tenant).unwrap_or(&self.defaults)).filter(|processors| processors.is_on())
    }
}

impl Processors {
    /// Whether anything is made.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.span_metrics.is_some() || self.service_graphs.is_some()
    }
}

impl Default for SpanMetrics {
    fn default() -> Self {
        Self {
            histogram_buckets: doubling(0.002, 14),
            intrinsic_dimensions: IntrinsicDimensions::default(),
            dimensions: Vec::new(),
            dimension_mappings: Vec::new(),
        }
    }
}

impl Default for IntrinsicDimensions {
    fn default() -> Self {
        Self { service: true, span_name: true, span_kind: true, status_code: true, status_message: false }
    }
}

impl Default for ServiceGraphs {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            wait: Duration::from_secs(10),
            max_items: 10_000,
            histogram_buckets: doubling(0.1, 8),
            dimensions: Vec::new(),
            enable_client_server_prefix: false,
            enable_messaging_system_latency_histogram: false,
            enable_virtual_node_label: false,
            peer_attributes: names(&["peer.service", "db.name", "db.system"]),
            database_name_attributes: names(&["db.namespace", "db.name", "db.system"]),
        }
    }
}

/// Doubles, exact as doubling is.
fn doubling(first: f64, count: usize) -> Vec<f64> {
    std::iter::successors(Some(first), |bound| Some(bound * 2.0)).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_double_from_2_ms_to_16_s_and_from_100_ms_to_12_s() {
        let spans = [0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
        assert_eq!(SpanMetrics::default().histogram_buckets, spans);
        assert_eq!(ServiceGraphs::default().histogram_buckets, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8]);
    }

    #[test]
    fn a_tenant_has_its_own_processors_or_those_of_all() {
        let on = Processors { span_metrics: Some(SpanMetrics::default()), ..Processors::default() };
        let tenant = |name: &str| name.parse::<TenantId>().unwrap();
        let mut options = Options::default();
        assert!(!options.is_on() && options.of(&tenant("a")).is_none());
        options.tenants.insert(tenant("a"), on.clone());
        assert!(options.is_on() && options.of(&tenant("b")).is_none());
        assert_eq!(options.of(&tenant("a")), Some(&on));
        let options = Options { defaults: on.clone(), tenants: BTreeMap::from([(tenant("a"), Processors::default())]) };
        assert!(options.of(&tenant("a")).is_none());
        assert_eq!(options.of(&tenant("b")), Some(&on));
    }
}
