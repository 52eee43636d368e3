use axum::routing::{MethodRouter, any};

use crate::LokiError;

/// Paths of Loki that aren't served, and what is there instead.
pub(crate) const UNSERVED: [(&str, &str); 13] = [
    ("/api/prom/query", "Loki's API before 1.0: use /loki/api/v1/query_range"),
    ("/api/prom/label", "Loki's API before 1.0: use /loki/api/v1/labels"),
    ("/api/prom/label/{name}/values", "Loki's API before 1.0: use /loki/api/v1/label/{name}/values"),
    ("/api/prom/series", "Loki's API before 1.0: use /loki/api/v1/series"),
    ("/api/prom/rules", RULES),
    ("/loki/api/v1/rules", RULES),
    ("/loki/api/v1/rules/{namespace}", RULES),
    ("/loki/api/v1/rules/{namespace}/{group}", RULES),
    ("/prometheus/api/v1/rules", RULES),
    ("/prometheus/api/v1/alerts", RULES),
    ("/loki/api/v1/index/shards", "Loki's own planning of queries: queries are planned without it"),
    ("/loki/api/v1/delete", DELETE),
    ("/loki/api/v1/cache/generation_numbers", DELETE),
];

const RULES: &str = "Loki's ruler: let Grafana evaluate alert rules";
const DELETE: &str = "deletion on demand: lines go when their retention ends";

/// Answers that the path isn't served, and why.
pub(crate) fn unserved<S: Clone + Send + Sync + 'static>(path: &'static str, reason: &'static str) -> MethodRouter<S> {
    any(async move || LokiError::NotServed { path, reason })
}
