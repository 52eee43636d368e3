use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use icegate_schema::{LEVEL_LABELS, SERVICE_LABELS, STREAM_RESOURCE_ATTRIBUTES};
use serde_json::{Value, json};

use crate::config::MAX_VOLUME_SERIES;
use crate::state::Shared;

/// `/loki/api/v1/drilldown-limits`: what Logs Drilldown has to know of the server. 0 says that there is no limit.
pub(crate) async fn drilldown_limits(State(state): State<Arc<Shared>>) -> Json<Value> {
    let config = &state.config;
    Json(json!({
        "limits": {
            "discover_log_levels": true,
            "discover_service_name": SERVICE_LABELS,
            "log_level_fields": LEVEL_LABELS,
            "max_entries_limit_per_query": config.max_entries_limit,
            "max_line_size_truncate": false,
            "max_query_bytes_read": format!("{}B", config.max_query_bytes_read.unwrap_or_default()),
            "max_query_length": seconds(config.max_query_length.unwrap_or_default()),
            "max_query_lookback": "0s",
            "max_query_range": seconds(config.max_query_range.unwrap_or_default()),
            "max_query_series": config.max_query_series,
            "metric_aggregation_enabled": false,
            "otlp_config": {"resource_attributes": {"attributes_config": [
                {"action": "index_label", "attributes": STREAM_RESOURCE_ATTRIBUTES},
            ]}},
            "pattern_persistence_enabled": false,
            "query_timeout": seconds(config.query_timeout),
            "retention_period": "0s",
            "volume_enabled": true,
            "volume_max_series": MAX_VOLUME_SERIES,
        },
        // Patterns are computed from the lines themselves, over any range of time.
        "pattern_ingester_enabled": true,
        "version": state.build.version,
    }))
}

/// A duration as Prometheus writes it.
fn seconds(duration: std::time::Duration) -> String {
    icegate_syntax::duration::print(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}
