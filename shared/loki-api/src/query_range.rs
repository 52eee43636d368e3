use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::ast::Expr;
use icegate_logql::{Answer, QueryParams, evaluate, parse};

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
pub(crate) async fn answer(state: &Arc<Shared>, call: Call, expr: Expr, mut asked: QueryParams) -> Result<Response, LokiError> {
    let since = Instant::now();
    let Call { tenant, encoding, takes_part, .. } = call;
    let max_series = asked.limits.series;
    if takes_part {
        asked.limits.series = asked.limits.held_series;
    }
    let query = Arc::new((expr, asked, encoding));
    let body = run(state, tenant, move |rows| {
        let query = Arc::clone(&query);
        async move {
            let (expr, asked, encoding) = &*query;
            let mut answer = evaluate(expr, asked, &*rows).await?;
            let left_out = if takes_part { left_out(&mut answer, max_series) } else { 0 };
            let mut stats = Stats::new(&rows.scans(), since.elapsed(), &answer);
            if left_out > 0 {
                stats.warn(format!(
                    "maximum number of series ({max_series}) reached for a single query; {left_out} more are left out"
                ));
            }
            render::query(answer, asked.end, encoding, &stats, MAX_ANSWER_BYTES)
        }
    });
    Ok(render::json(body.await?))
}

/// Leaves only `max` series in an answer, the first ones; how many there were more.
fn left_out(answer: &mut Answer, max: usize) -> usize {
    fn cut<T>(all: &mut Vec<T>, max: usize) -> usize {
        let more = all.len().saturating_sub(max);
        all.truncate(max);
        more
    }
    match answer {
        Answer::Matrix(series) => cut(series, max),
        Answer::Vector(samples) => cut(samples, max),
        Answer::Streams(_) | Answer::Scalar(_) => 0,
    }
}
