use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::detected_fields::sample;
use crate::state::Shared;
use crate::{LokiError, render};

#[derive(Serialize)]
struct Answer {
    values: Vec<String>,
    limit: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// `/loki/api/v1/detected_field/{name}/values`: the values of a field in the lines that `detected_fields` looks at, sorted; none
/// for a field that they don't have.
pub(crate) async fn detected_field_values(
    State(state): State<Arc<Shared>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, LokiError> {
    let sampled = sample(&state, call).await?;
    let field = sampled.fields.into_iter().find(|field| field.label == name);
    let values = field.into_iter().flat_map(|field| field.values).take(sampled.limit).collect();
    let answer = Answer { values, limit: sampled.limit, warnings: sampled.warnings };
    Ok(render::json(render::bare(&answer, MAX_ANSWER_BYTES)?))
}
