use icegate_generator::{DimensionMapping, IntrinsicDimensions, Options, Processors, ServiceGraphs, SpanMetrics};
use icegate_runtime::config::{
    DimensionMappingOptions, GeneratorOptions, GeneratorProcessor, LimitDuration, MetricsGenerator, ServiceGraphsOptions,
    SpanMetricsOptions,
};

/// What the configuration asks to be made of spans. A tenant's id that is none is refused when the configuration is read.
pub(crate) fn options(config: &MetricsGenerator) -> Options {
    let tenants = config.overrides.iter().filter_map(|(tenant, own)| {
        let wanted = own.processors.as_ref().unwrap_or(&config.processors);
        Some((tenant.parse().ok()?, processors(wanted, &config.processor.with(&own.processor))))
    });
    Options { defaults: processors(&config.processors, &config.processor), tenants: tenants.collect() }
}

fn processors(wanted: &[GeneratorProcessor], options: &GeneratorOptions) -> Processors {
    Processors {
        span_metrics: wanted.contains(&GeneratorProcessor::SpanMetrics).then(|| span_metrics(&options.span_metrics)),
        service_graphs: wanted.contains(&GeneratorProcessor::ServiceGraphs).then(|| service_graphs(&options.service_graphs)),
    }
}

fn span_metrics(options: &SpanMetricsOptions) -> SpanMetrics {
    let (default, given) = (SpanMetrics::default(), options.intrinsic_dimensions);
    let labels = default.intrinsic_dimensions;
    let mapping = |mapping: &DimensionMappingOptions| DimensionMapping {
        name: mapping.name.clone(),
        source_labels: mapping.source_labels.clone(),
        join: mapping.join.clone(),
    };
    SpanMetrics {
        histogram_buckets: options.histogram_buckets.clone().unwrap_or(default.histogram_buckets),
        intrinsic_dimensions: IntrinsicDimensions {
            service: given.service.unwrap_or(labels.service),
            span_name: given.span_name.unwrap_or(labels.span_name),
            span_kind: given.span_kind.unwrap_or(labels.span_kind),
            status_code: given.status_code.unwrap_or(labels.status_code),
            status_message: given.status_message.unwrap_or(labels.status_message),
        },
        dimensions: options.dimensions.clone().unwrap_or_default(),
        dimension_mappings: options.dimension_mappings.iter().flatten().map(mapping).collect(),
    }
}

fn service_graphs(options: &ServiceGraphsOptions) -> ServiceGraphs {
    let default = ServiceGraphs::default();
    ServiceGraphs {
        wait: options.wait.map_or(default.wait, |wait| LimitDuration::get(wait).unwrap_or_default()),
        max_items: options.max_items.unwrap_or(default.max_items),
        histogram_buckets: options.histogram_buckets.clone().unwrap_or(default.histogram_buckets),
        dimensions: options.dimensions.clone().unwrap_or_default(),
        enable_client_server_prefix: options.enable_client_server_prefix.unwrap_or_default(),
        enable_messaging_system_latency_histogram: options.enable_messaging_system_latency_histogram.unwrap_or_default(),
        enable_virtual_node_label: options.enable_virtual_node_label.unwrap_or_default(),
        peer_attributes: options.peer_attributes.clone().unwrap_or(default.peer_attributes),
        database_name_attributes: options.database_name_attributes.clone().unwrap_or(default.database_name_attributes),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use icegate_runtime::Config;

    use super::*;

    fn read(text: &str) -> Options {
        options(&Config::from_yaml(text, Path::new("/data")).unwrap().metrics_generator)
    }

    #[test]
    fn what_is_not_said_is_the_generator_s_default() {
        assert_eq!(read(""), Options::default());
        let options = read("metrics_generator: { processors: [span-metrics, service-graphs] }");
        let expected = Processors { span_metrics: Some(SpanMetrics::default()), service_graphs: Some(ServiceGraphs::default()) };
        assert_eq!(options, Options { defaults: expected, ..Options::default() });
    }

    #[test]
    fn a_tenant_asks_for_itself() {
        let text = r"
metrics_generator:
  processor: { service_graphs: { wait: '0', peer_attributes: [peer] }, span_metrics: { histogram_buckets: [1] } }
  overrides: { shop: { processors: [service-graphs], processor: { service_graphs: { max_items: 9 } } } }
";
        let options = read(text);
        assert!(!options.defaults.is_on());
        let shop = &options.tenants[&"shop".parse().unwrap()];
        assert_eq!(shop.span_metrics, None);
        let graphs = shop.service_graphs.as_ref().unwrap();
        assert_eq!(
            (graphs.wait.as_secs(), graphs.max_items, graphs.peer_attributes.as_slice()),
            (0, 9, &["peer".to_owned()][..])
        );
    }
}
