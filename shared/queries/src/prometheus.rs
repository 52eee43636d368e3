use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use icegate_prometheus_api::{Limits, ParseOptions, PrometheusConfig, PrometheusState, Promotion, Strategy, Translation};
use icegate_runtime::config::{Config, Prometheus, PrometheusFeature as Feature, TranslationStrategy};

use crate::{BuildInfo, Reader};

/// The Prometheus API.
pub fn prometheus(config: &Config, reader: &Reader, build: BuildInfo) -> Router {
    icegate_prometheus_api::router(PrometheusState {
        engine: Arc::clone(&reader.engine),
        clock: Arc::clone(&reader.clock),
        config: bounds(config),
        build,
    })
}

fn bounds(config: &Config) -> PrometheusConfig {
    let own = &config.prometheus;
    PrometheusConfig {
        query_timeout: Duration::from_secs(own.query_timeout_secs),
        max_concurrent_queries: own.max_concurrent_queries,
        limits: Limits { samples: own.max_samples, bytes: config.engine.memory_size_mb << 20, ..Limits::default() },
        lookback: Duration::from_secs(own.lookback_secs),
        language: ParseOptions {
            experimental_functions: own.has(Feature::PromqlExperimentalFunctions),
            extended_range_selectors: own.has(Feature::PromqlExtendedRangeSelectors),
            binary_fill: own.has(Feature::PromqlBinopFillModifiers),
            ..ParseOptions::default()
        },
        start_timestamps: own.has(Feature::UseStartTimestamps),
        delayed_name_removal: own.has(Feature::PromqlDelayedNameRemoval),
        translation: translation(own),
    }
}

fn translation(config: &Prometheus) -> Translation {
    let otlp = &config.otlp;
    let promotion = if otlp.promote_all_resource_attributes {
        Promotion::AllBut(otlp.ignore_resource_attributes.clone())
    } else if otlp.promote_resource_attributes.is_empty() {
        Promotion::None
    } else {
        Promotion::Only(otlp.promote_resource_attributes.clone())
    };
    Translation {
        strategy: match otlp.translation_strategy {
            TranslationStrategy::UnderscoreEscapingWithSuffixes => Strategy::UnderscoreEscapingWithSuffixes,
            TranslationStrategy::UnderscoreEscapingWithoutSuffixes => Strategy::UnderscoreEscapingWithoutSuffixes,
            TranslationStrategy::NoUtf8EscapingWithSuffixes => Strategy::NoUtf8EscapingWithSuffixes,
            TranslationStrategy::NoTranslation => Strategy::NoTranslation,
        },
        promotion,
        keep_identifying: otlp.keep_identifying_resource_attributes,
        promote_scope: otlp.promote_scope_metadata,
        sanitize_underscores: otlp.label_name_underscore_sanitization,
        preserve_underscores: otlp.label_name_preserve_multiple_underscores,
        histograms_to_nhcb: otlp.convert_histograms_to_nhcb,
        type_and_unit_labels: config.has(Feature::TypeAndUnitLabels),
    }
}
