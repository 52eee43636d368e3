use std::fmt;
use std::marker::PhantomData;

use serde::de::{IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `prometheus`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prometheus {
    /// Whether it is served.
    pub enabled: bool,
    /// Address to listen on.
    pub host: String,
    /// Port to listen on.
    pub port: u16,
    /// Queries of all tenants that run at once.
    pub max_concurrent_queries: usize,
    /// Seconds that a query may take.
    pub query_timeout_secs: u64,
    /// Seconds that an instant selector looks back for a sample.
    pub lookback_secs: u64,
    /// Samples that a query may hold.
    pub max_samples: usize,
    /// What is switched on that Prometheus has off, by Prometheus' names.
    #[serde(deserialize_with = "list")]
    pub features: Vec<PrometheusFeature>,
    /// How OTLP becomes series.
    pub otlp: PrometheusOtlp,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "0.0.0.0".to_owned(),
            port: 9090,
            max_concurrent_queries: 20,
            query_timeout_secs: 120,
            lookback_secs: 300,
            max_samples: 50_000_000,
            features: Vec::new(),
            otlp: PrometheusOtlp::default(),
        }
    }
}

impl Prometheus {
    /// Whether something is switched on.
    #[must_use]
    pub fn has(&self, feature: PrometheusFeature) -> bool {
        self.features.contains(&feature)
    }
}

/// One of `prometheus.features`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each has Prometheus' name and means what it means there")]
pub enum PrometheusFeature {
    PromqlExperimentalFunctions,
    PromqlExtendedRangeSelectors,
    PromqlBinopFillModifiers,
    PromqlDelayedNameRemoval,
    UseStartTimestamps,
    TypeAndUnitLabels,
}

/// `prometheus.otlp`: the keys of `otlp` in Prometheus' configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each key means what it means in Prometheus' configuration")]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of Prometheus' configuration")]
pub struct PrometheusOtlp {
    pub translation_strategy: TranslationStrategy,
    #[serde(deserialize_with = "list")]
    pub promote_resource_attributes: Vec<String>,
    pub promote_all_resource_attributes: bool,
    #[serde(deserialize_with = "list")]
    pub ignore_resource_attributes: Vec<String>,
    pub keep_identifying_resource_attributes: bool,
    pub promote_scope_metadata: bool,
    pub convert_histograms_to_nhcb: bool,
    pub label_name_underscore_sanitization: bool,
    pub label_name_preserve_multiple_underscores: bool,
}

impl Default for PrometheusOtlp {
    fn default() -> Self {
        Self {
            translation_strategy: TranslationStrategy::default(),
            promote_resource_attributes: Vec::new(),
            promote_all_resource_attributes: false,
            ignore_resource_attributes: Vec::new(),
            keep_identifying_resource_attributes: false,
            promote_scope_metadata: false,
            convert_histograms_to_nhcb: false,
            label_name_underscore_sanitization: true,
            label_name_preserve_multiple_underscores: true,
        }
    }
}

/// `prometheus.otlp.translation_strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "each has Prometheus' name and means what it means there")]
pub enum TranslationStrategy {
    #[default]
    UnderscoreEscapingWithSuffixes,
    UnderscoreEscapingWithoutSuffixes,
    #[serde(rename = "NoUTF8EscapingWithSuffixes")]
    NoUtf8EscapingWithSuffixes,
    NoTranslation,
}

/// A list, or its items in one text with commas between them, which is what a variable can hold.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list, or a text with commas")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| T::deserialize(item.to_owned().into_deserializer())).collect()
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(Items(PhantomData))
}
