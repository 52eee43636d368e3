//! What the server says of itself, and of what it doesn't do: it scrapes no targets and evaluates no rules.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::BuildInfo;
use crate::PrometheusError;
use crate::respond::{self, Notes};
use crate::state::Shared;

/// Paths whose answer is the same at all times.
pub(crate) fn fixed() -> [(&'static str, Value); 9] {
    [
        ("/api/v1/rules", json!({ "groups": [] })),
        ("/api/v1/alerts", json!({ "alerts": [] })),
        ("/api/v1/alertmanagers", json!({ "activeAlertmanagers": [], "droppedAlertmanagers": [] })),
        ("/api/v1/targets", json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} })),
        ("/api/v1/targets/metadata", json!([])),
        ("/api/v1/scrape_pools", json!({ "scrapePools": [] })),
        ("/api/v1/status/flags", json!({})),
        // What is configured may hold credentials.
        ("/api/v1/status/config", json!({ "yaml": "" })),
        ("/api/v1/status/runtimeinfo", json!({ "reloadConfigSuccess": true, "corruptionCount": 0, "storageRetention": "" })),
    ]
}

/// `/api/v1/status/buildinfo`: Prometheus' fields; those that this build doesn't have are empty.
pub(crate) async fn buildinfo(State(state): State<Arc<Shared>>) -> Result<Response, PrometheusError> {
    let BuildInfo { version, revision } = &state.build;
    let data = json!({
        "version": version, "revision": revision, "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
    });
    respond::data(&data, Notes::default())
}
