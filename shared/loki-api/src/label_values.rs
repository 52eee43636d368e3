use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use icegate_logql::label_values as values;

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::labels::selector;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// `/loki/api/v1/label/{name}/values`: the values of a stream label, sorted; none for a name that no stream has.
pub(crate) async fn label_values(
    State(state): State<Arc<Shared>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, LokiError> {
    let (range, limits) = (params::range(&call.params, &state)?, state.limits());
    let asked = Arc::new((name, selector(&call.params)?));
    let values = run(&state, call.tenant, move |rows| {
        let asked = Arc::clone(&asked);
        async move { Ok((values(&asked.0, range, &asked.1, &limits, &*rows).await?, rows.warnings())) }
    });
    let (values, warnings) = values.await?;
    Ok(render::json(render::names(&values, &warnings, MAX_ANSWER_BYTES)?))
}
