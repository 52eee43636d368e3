use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::ast::Expr;
use icegate_logql::{LogqlError, parse};

use crate::call::Call;
use crate::{LokiError, LokiState, params, query_range};

/// `/loki/api/v1/query`: a metric query at one point in time.
pub(crate) async fn query(State(state): State<Arc<LokiState>>, call: Call) -> Result<Response, LokiError> {
    let expr = parse(params::query(&call.params)?)?;
    if matches!(expr, Expr::Logs(_)) {
        return Err(LogqlError::InstantLogQuery.into());
    }
    let asked = params::instant_query(&call.params, &state, &expr)?;
    query_range::answer(&state, call, expr, asked).await
}
