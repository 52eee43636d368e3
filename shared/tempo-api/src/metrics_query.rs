use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_traceql::ast::Query;
use icegate_traceql::{MetricsLimits, MetricsOptions, Value, parse};

use crate::call::Call;
use crate::config::MAX_EXEMPLARS;
use crate::measure::measure;
use crate::render::{self, About};
use crate::run::run;
use crate::state::Shared;
use crate::{TempoError, params};

/// `/api/metrics/query_range`: series with a point at each step.
pub(crate) async fn query_range(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    let (start, end) = params::range(&call.params, &state)?;
    let query = query(&call)?;
    let exemplars = exemplars(&call, &query)?;
    let step = Some(params::step(&call.params, start, end)?);
    answer(&state, call, query, MetricsOptions { start: start.nanos(), end: end.nanos(), step, exemplars, limits: LIMITS }).await
}

/// `/api/metrics/query`: series with one number for the whole range.
pub(crate) async fn query_instant(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    let (start, end) = params::range(&call.params, &state)?;
    let query = query(&call)?;
    answer(
        &state,
        call,
        query,
        MetricsOptions { start: start.nanos(), end: end.nanos(), step: None, exemplars: 0, limits: LIMITS },
    )
    .await
}

const LIMITS: MetricsLimits = MetricsLimits { points: 10_000, series: 100_000, cells: 10_000_000, compared_values: 10_000 };

fn query(call: &Call) -> Result<Query, TempoError> {
    let text = params::text(&call.params, &["q", "query"])?;
    parse(text.unwrap_or_default()).map_err(TempoError::Parse)
}

/// As many as the query's hint or the parameter says; without either, or with 0, as many as there may be.
fn exemplars(call: &Call, query: &Query) -> Result<usize, TempoError> {
    let read = |text: &str| text.parse::<usize>().map_err(|_| "allowed is an integer of 0 or more".to_owned());
    let asked = call.params.read("exemplars", read)?.filter(|asked| *asked > 0).unwrap_or(MAX_EXEMPLARS);
    let hinted = match query.hint("exemplars") {
        Some(Value::Bool(false)) => 0,
        Some(Value::Int(hinted)) => usize::try_from(*hinted).unwrap_or(0),
        _ => asked,
    };
    Ok(hinted.min(MAX_EXEMPLARS))
}

async fn answer(state: &Arc<Shared>, call: Call, query: Query, options: MetricsOptions) -> Result<Response, TempoError> {
    let (query, reach) = (Arc::new(query), state.config.trace_reach);
    run(state, call.tenant, move |spans| {
        let query = Arc::clone(&query);
        async move {
            let series = measure(&spans, &query, &options, reach).await?;
            let about = About::of(&spans);
            let render = if options.step.is_some() { render::range } else { render::instant };
            about.json(&render(&series, &about))
        }
    })
    .await
}
