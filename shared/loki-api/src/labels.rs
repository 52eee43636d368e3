use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_logql::ast::Selector;
use icegate_logql::{label_names, parse_selector};

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// Selects all streams.
pub(crate) const ALL_STREAMS: &str = "{}";

/// `/loki/api/v1/labels`: the names of stream labels, sorted.
pub(crate) async fn labels(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let (range, limits) = (params::range(&call.params, &state)?, state.limits());
    let selector = Arc::new(selector(&call.params)?);
    let names = run(&state, call.tenant, move |rows| {
        let selector = Arc::clone(&selector);
        async move { Ok((label_names(range, &selector, &limits, &*rows).await?, rows.warnings())) }
    });
    let (names, warnings) = names.await?;
    Ok(render::json(render::names(&names, &warnings, MAX_ANSWER_BYTES)?))
}

/// Whose labels: those of the streams that `query` selects, or of all.
pub(crate) fn selector(params: &Params) -> Result<Selector, LokiError> {
    Ok(parse_selector(params.get("query").unwrap_or(ALL_STREAMS))?)
}
