use std::collections::BTreeMap;

use icegate_model::TenantId;
use serde::Deserialize;

use super::LimitDuration;
use super::check::{MAX_SECONDS, refuse};
use crate::ConfigError;

/// `metrics_generator`: metrics that are made of spans when they are shifted. Keys below `processor` are Tempo's, with its defaults where
/// they are left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsGenerator {
    /// What is made of each tenant's spans; nothing by default.
    pub processors: Vec<GeneratorProcessor>,
    /// How.
    pub processor: GeneratorOptions,
    /// What is made of single tenants' spans in place of that.
    pub overrides: BTreeMap<String, MetricsGeneratorOverrides>,
}

/// `metrics_generator.overrides.TENANT`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsGeneratorOverrides {
    /// What is made of the tenant's spans; an empty list for nothing.
    pub processors: Option<Vec<GeneratorProcessor>>,
    /// The options that differ.
    pub processor: GeneratorOptions,
}

/// A kind of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneratorProcessor {
    /// `traces_spanmetrics_*`.
    SpanMetrics,
    /// `traces_service_graph_*`.
    ServiceGraphs,
}

/// `metrics_generator.processor`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the processors' own names")]
pub struct GeneratorOptions {
    pub span_metrics: SpanMetricsOptions,
    pub service_graphs: ServiceGraphsOptions,
}

/// `metrics_generator.processor.span_metrics`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each key means what it means to Tempo")]
pub struct SpanMetricsOptions {
    pub histogram_buckets: Option<Vec<f64>>,
    pub intrinsic_dimensions: IntrinsicDimensionsOptions,
    pub dimensions: Option<Vec<String>>,
    pub dimension_mappings: Option<Vec<DimensionMappingOptions>>,
}

/// `metrics_generator.processor.span_metrics.intrinsic_dimensions`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the labels' own names")]
pub struct IntrinsicDimensionsOptions {
    pub service: Option<bool>,
    pub span_name: Option<bool>,
    pub span_kind: Option<bool>,
    pub status_code: Option<bool>,
    pub status_message: Option<bool>,
}

/// One of `metrics_generator.processor.span_metrics.dimension_mappings`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionMappingOptions {
    /// The label.
    pub name: String,
    /// The attributes that it is made of.
    pub source_labels: Vec<String>,
    /// What stands between them.
    #[serde(default)]
    pub join: String,
}

/// `metrics_generator.processor.service_graphs`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each key means what it means to Tempo")]
pub struct ServiceGraphsOptions {
    pub wait: Option<LimitDuration>,
    pub max_items: Option<usize>,
    pub histogram_buckets: Option<Vec<f64>>,
    pub dimensions: Option<Vec<String>>,
    pub enable_client_server_prefix: Option<bool>,
    pub enable_messaging_system_latency_histogram: Option<bool>,
    pub enable_virtual_node_label: Option<bool>,
    pub peer_attributes: Option<Vec<String>>,
    pub database_name_attributes: Option<Vec<String>>,
}

/// Replaces each key that is given.
macro_rules! over {
    ($base:expr, $own:expr, $type:ident { $($key:ident),* $(,)? } $($rest:tt)*) => {
        $type { $($key: $own.$key.clone().or_else(|| $base.$key.clone()),)* $($rest)* }
    };
}

impl GeneratorOptions {
    /// The options that hold for a tenant with these of its own.
    #[must_use]
    pub fn with(&self, own: &Self) -> Self {
        let (base_spans, own_spans) = (&self.span_metrics, &own.span_metrics);
        let (base, own_labels) = (&base_spans.intrinsic_dimensions, &own_spans.intrinsic_dimensions);
        let intrinsic_dimensions =
            over!(base, own_labels, IntrinsicDimensionsOptions { service, span_name, span_kind, status_code, status_message });
        let span_metrics = over!(base_spans, own_spans, SpanMetricsOptions {
            histogram_buckets, dimensions, dimension_mappings,
        } intrinsic_dimensions);
        let service_graphs = over!(
            self.service_graphs,
            own.service_graphs,
            ServiceGraphsOptions {
                wait,
                max_items,
                histogram_buckets,
                dimensions,
                enable_client_server_prefix,
                enable_messaging_system_latency_histogram,
                enable_virtual_node_label,
                peer_attributes,
                database_name_attributes,
            }
        );
        Self { span_metrics, service_graphs }
    }
}

impl MetricsGenerator {
    /// What types can't say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for tenant in self.overrides.keys() {
            tenant.parse::<TenantId>().map_err(|error| ConfigError::value("metrics_generator.overrides", error.to_string()))?;
        }
        let own = self.overrides.iter().map(|(tenant, own)| (format!("metrics_generator.overrides.{tenant}"), &own.processor));
        for (path, options) in std::iter::once(("metrics_generator".to_owned(), &self.processor)).chain(own) {
            options.span_metrics.check(&format!("{path}.processor.span_metrics"))?;
            options.service_graphs.check(&format!("{path}.processor.service_graphs"))?;
        }
        Ok(())
    }
}

impl SpanMetricsOptions {
    fn check(&self, path: &str) -> Result<(), ConfigError> {
        check_buckets(path, self.histogram_buckets.as_deref())?;
        check_names(path, "dimensions", self.dimensions.as_deref())?;
        for mapping in self.dimension_mappings.iter().flatten() {
            let names: Vec<_> = std::iter::once(&mapping.name).chain(&mapping.source_labels).cloned().collect();
            check_names(path, "dimension_mappings", Some(&names))?;
        }
        Ok(())
    }
}

impl ServiceGraphsOptions {
    fn check(&self, path: &str) -> Result<(), ConfigError> {
        const MAX_ITEMS: usize = 1 << 20;
        check_buckets(path, self.histogram_buckets.as_deref())?;
        check_names(path, "dimensions", self.dimensions.as_deref())?;
        check_names(path, "peer_attributes", self.peer_attributes.as_deref())?;
        check_names(path, "database_name_attributes", self.database_name_attributes.as_deref())?;
        if let Some(items) = self.max_items.filter(|items| !(1..=MAX_ITEMS).contains(items)) {
            return refuse(&format!("{path}.max_items"), format!("{items}: allowed are 1 to {MAX_ITEMS}"));
        }
        let wait = self.wait.and_then(LimitDuration::get).unwrap_or_default();
        if wait.as_secs() > MAX_SECONDS {
            return refuse(&format!("{path}.wait"), format!("{}s: allowed are 0 to {MAX_SECONDS}s", wait.as_secs()));
        }
        Ok(())
    }
}

fn check_buckets(path: &str, buckets: Option<&[f64]>) -> Result<(), ConfigError> {
    const MAX_BUCKETS: usize = 256;
    let Some(buckets) = buckets else { return Ok(()) };
    let ascend = buckets.windows(2).all(|pair| pair[0] < pair[1]);
    if buckets.len() > MAX_BUCKETS || !ascend || !buckets.iter().all(|bound| bound.is_finite() && *bound > 0.0) {
        let allowed = format!("allowed are up to {MAX_BUCKETS} numbers of seconds over 0, each more than the one before");
        return refuse(&format!("{path}.histogram_buckets"), format!("{buckets:?}: {allowed}"));
    }
    Ok(())
}

fn check_names(path: &str, key: &str, names: Option<&[String]>) -> Result<(), ConfigError> {
    match names {
        Some(names) if names.iter().any(String::is_empty) => refuse(&format!("{path}.{key}"), "a name is empty"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn parse(text: &str) -> Result<MetricsGenerator, String> {
        let config = Config::from_yaml(text, Path::new("/data")).map_err(|error| error.to_string())?;
        Ok(config.metrics_generator)
    }

    #[test]
    fn nothing_is_made_unless_it_is_asked_for_and_a_tenant_has_what_it_says_itself() {
        assert!(parse("").unwrap().processors.is_empty());
        let text = r"
metrics_generator:
  processors: [span-metrics, service-graphs]
  processor:
    span_metrics: { dimensions: [http.method], intrinsic_dimensions: { status_message: true } }
    service_graphs: { wait: 30s, max_items: 7, histogram_buckets: [0.5, 1] }
  overrides:
    shop:
      processors: [service-graphs]
      processor: { service_graphs: { max_items: 9 }, span_metrics: { intrinsic_dimensions: { service: false } } }
";
        let generator = parse(text).unwrap();
        let both = [GeneratorProcessor::SpanMetrics, GeneratorProcessor::ServiceGraphs];
        assert_eq!(generator.processors, both);
        let own = &generator.overrides["shop"];
        assert_eq!(own.processors.as_deref(), Some(&both[1..]));
        let options = generator.processor.with(&own.processor);
        let graphs = &options.service_graphs;
        assert_eq!((graphs.max_items, graphs.wait.and_then(LimitDuration::get).unwrap().as_secs()), (Some(9), 30));
        assert_eq!(graphs.histogram_buckets.as_deref(), Some(&[0.5, 1.0][..]));
        assert_eq!(options.span_metrics.dimensions.as_deref(), Some(&["http.method".to_owned()][..]));
        let labels = options.span_metrics.intrinsic_dimensions;
        assert_eq!((labels.service, labels.status_message, labels.span_name), (Some(false), Some(true), None));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (given, named) in [
            ("processors: [local-blocks]", "metrics_generator.processors[0]: unknown variant `local-blocks`"),
            (
                "processor: { service_graphs: { workers: 3 } }",
                "metrics_generator.processor.service_graphs.workers: unknown field",
            ),
            ("processor: { span_metrics: { enable_target_info: true } }", "unknown field `enable_target_info`"),
            ("processor: { host_info: {} }", "unknown field `host_info`"),
            ("processor: { service_graphs: { wait: 10 } }", "metrics_generator.processor.service_graphs.wait: 10: allowed are"),
            (
                "processor: { service_graphs: { max_items: 0 } }",
                "metrics_generator.processor.service_graphs.max_items: 0: allowed",
            ),
            ("processor: { span_metrics: { histogram_buckets: [1, 1] } }", "span_metrics.histogram_buckets: [1.0, 1.0]: allowed"),
            ("processor: { span_metrics: { histogram_buckets: [-1] } }", "span_metrics.histogram_buckets: [-1.0]: allowed"),
            ("processor: { span_metrics: { dimensions: [''] } }", "span_metrics.dimensions: a name is empty"),
            ("overrides: { '../x': {} }", "metrics_generator.overrides: invalid tenant id"),
            (
                "overrides: { x: { processor: { service_graphs: { max_items: 0 } } } }",
                "overrides.x.processor.service_graphs.max_items",
            ),
        ] {
            let error = parse(&format!("metrics_generator: {{ {given} }}")).unwrap_err();
            assert!(error.contains(named), "{given}: {error}");
        }
    }
}
