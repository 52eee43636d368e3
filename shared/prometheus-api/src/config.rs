use std::time::Duration;

use icegate_promql::{Limits, ParseOptions};

use crate::translate::Translation;

/// Bytes of a form.
pub(crate) const MAX_FORM_BYTES: usize = 10 << 20;
/// Bytes of an answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 256 << 20;
/// Warnings, and infos, that an answer lists.
pub(crate) const MAX_NOTES: usize = 10;

/// Bounds of queries, and how metrics become series. The default is Prometheus' own.
#[derive(Clone, Debug, PartialEq)]
pub struct PrometheusConfig {
    /// How long a query may take; a request may ask for less.
    pub query_timeout: Duration,
    /// Queries that run at once.
    pub max_concurrent_queries: usize,
    /// What a query may hold. The same again bounds what is gathered for each of its selectors.
    pub limits: Limits,
    /// How far an instant selector looks back where a request doesn't say.
    pub lookback: Duration,
    /// What of the language is switched on.
    pub language: ParseOptions,
    /// Whether start times of samples tell of counter resets, which makes rates of deltas right.
    pub start_timestamps: bool,
    /// Whether names are removed at the end only.
    pub delayed_name_removal: bool,
    /// How OTLP becomes series.
    pub translation: Translation,
}

impl Default for PrometheusConfig {
    fn default() -> Self {
        Self {
            query_timeout: Duration::from_secs(120),
            max_concurrent_queries: 20,
            limits: Limits::default(),
            lookback: Duration::from_secs(300),
            language: ParseOptions::default(),
            start_timestamps: false,
            delayed_name_removal: false,
            translation: Translation::default(),
        }
    }
}
