use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::ast::Expr;
use icegate_logql::{QueryParams, evaluate, parse};

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::render::{self, Stats};
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params};

/// `/loki/api/v1/query_range`: lines, or series with a point at each step.
pub(crate) async fn query_range(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let expr = parse(params::query(&call.params)?)?;
    let asked = params::range_query(&call.params, &state, &expr)?;
    answer(&state, call, expr, asked).await
}

/// Evaluates and writes a query's answer.
pub(crate) async fn answer(state: &Arc<Shared>, call: Call, expr: Expr, asked: QueryParams) -> Result<Response, LokiError> {
    let since = Instant::now();
    let Call { tenant, encoding, .. } = call;
    let query = Arc::new((expr, asked, encoding));
    let body = run(state, tenant, move |rows| {
        let query = Arc::clone(&query);
        async move {
            let (expr, asked, encoding) = &*query;
            let answer = evaluate(expr, asked, &*rows).await?;
            let stats = Stats::new(&rows.reports(), since.elapsed(), &answer);
            render::query(answer, asked.end, encoding, &stats, MAX_ANSWER_BYTES)
        }
    });
    Ok(render::json(body.await?))
}
