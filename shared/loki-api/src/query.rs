use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::ast::Expr;
use icegate_logql::{LogqlError, parse};

use crate::call::Call;
use crate::state::Shared;
use crate::{LokiError, params, query_range};

/// `/loki/api/v1/query`: a metric query at one point in time.
pub(crate) async fn query(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let expr = parse(params::query(&call.params)?)?;
    if matches!(expr, Expr::Logs(_)) {
        return Err(LogqlError::InstantLogQuery.into());
    }
    let asked = params::instant_query(&call.params, &state, &expr)?;
    query_range::answer(&state, call, expr, asked).await
}
