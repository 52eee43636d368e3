use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::state::Shared;

/// Loki's fields; those that this build doesn't have are empty.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    version: String,
    revision: String,
    branch: &'static str,
    build_user: &'static str,
    build_date: &'static str,
    go_version: &'static str,
}

/// `/loki/api/v1/status/buildinfo`.
pub(crate) async fn buildinfo(State(state): State<Arc<Shared>>) -> Json<Answer> {
    let (version, revision) = (state.build.version.clone(), state.build.revision.clone());
    Json(Answer { version, revision, branch: "", build_user: "", build_date: "", go_version: "" })
}
