use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::LokiState;

/// Loki's fields; those that this build doesn't have are empty.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildInfo {
    version: &'static str,
    revision: &'static str,
    branch: &'static str,
    build_user: &'static str,
    build_date: &'static str,
    go_version: &'static str,
}

/// `/loki/api/v1/status/buildinfo`.
pub(crate) async fn buildinfo(State(state): State<Arc<LokiState>>) -> Json<BuildInfo> {
    let (version, revision) = (state.build.version, state.build.revision);
    Json(BuildInfo { version, revision, branch: "", build_user: "", build_date: "", go_version: "" })
}
