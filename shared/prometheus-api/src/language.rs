//! What can be said of a query without evaluating it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_promql::{Expr, parse, parse_tree};

use crate::PrometheusError;
use crate::call::Call;
use crate::respond::{self, Notes};
use crate::state::Shared;

/// `/api/v1/format_query`: the query over lines.
pub(crate) async fn format_query(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let text = icegate_promql::format_query(&read(&state, &call)?);
    respond::data(&text.into(), Notes::default())
}

/// `/api/v1/parse_query`: the query as a tree.
pub(crate) async fn parse_query(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let tree = parse_tree(&read(&state, &call)?).map_err(PrometheusError::BadData)?;
    respond::data(&tree, Notes::default())
}

fn read(state: &Shared, call: &Call) -> Result<Expr, PrometheusError> {
    parse(call.params.get("query").unwrap_or_default(), state.config.language).map_err(PrometheusError::Query)
}
