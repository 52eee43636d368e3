use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_traceql::ast::Query;
use icegate_traceql::{MetricSeries, MetricsLimits, MetricsOptions, Value, parse};
use serde_json::Value as Json;

use crate::call::Call;
use crate::config::MAX_EXEMPLARS;
use crate::measure::measure;
use crate::render::{self, About};
use crate::run::run;
use crate::spans::TenantSpans;
use crate::state::Shared;
use crate::{TempoError, params};

/// `/api/metrics/query_range`: series with a point at each step.
pub(crate) async fn query_range(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    let question = Question::over_time(&call.params, &state)?;
    answer(&state, call, question, render::range).await
}

/// `/api/metrics/query`: series with one number for the whole range.
pub(crate) async fn query_instant(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    let question = Question::at_once(&call.params, &state)?;
    answer(&state, call, question, render::instant).await
}

/// A query and what it is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    query: Query,
    options: MetricsOptions,
    reach: Duration,
}

impl Question {
    /// As the parameters of a query over a range say.
    pub(crate) fn over_time(params: &Params, state: &Shared) -> Result<Self, TempoError> {
        let (start, end) = params::range(params, state)?;
        let query = query(params)?;
        let exemplars = exemplars(params, &query)?;
        let step = Some(params::step(params, start, end)?);
        let options = MetricsOptions { start: start.nanos(), end: end.nanos(), step, exemplars, limits: LIMITS };
        Ok(Self { query, options, reach: state.config.trace_reach })
    }

    /// As the parameters of a query for one point say.
    pub(crate) fn at_once(params: &Params, state: &Shared) -> Result<Self, TempoError> {
        let (start, end) = params::range(params, state)?;
        let options = MetricsOptions { start: start.nanos(), end: end.nanos(), step: None, exemplars: 0, limits: LIMITS };
        Ok(Self { query: query(params)?, options, reach: state.config.trace_reach })
    }

    /// The series.
    pub(crate) async fn series(&self, spans: &TenantSpans) -> Result<Vec<MetricSeries>, TempoError> {
        measure(spans, &self.query, &self.options, self.reach).await
    }
}

const LIMITS: MetricsLimits = MetricsLimits { points: 10_000, series: 100_000, cells: 10_000_000, compared_values: 10_000 };

fn query(params: &Params) -> Result<Query, TempoError> {
    let text = params::text(params, &["q", "query"])?;
    parse(text.unwrap_or_default()).map_err(TempoError::Parse)
}

/// As many as the query's hint or the parameter says; without either, or with 0, as many as there may be.
fn exemplars(params: &Params, query: &Query) -> Result<usize, TempoError> {
    let read = |text: &str| text.parse::<usize>().map_err(|_| "allowed is an integer of 0 or more".to_owned());
    let asked = params.read("exemplars", read)?.filter(|asked| *asked > 0).unwrap_or(MAX_EXEMPLARS);
    let hinted = match query.hint("exemplars") {
        Some(Value::Bool(false)) => 0,
        Some(Value::Int(hinted)) => usize::try_from(*hinted).unwrap_or(0),
        _ => asked,
    };
    Ok(hinted.min(MAX_EXEMPLARS))
}

async fn answer<F>(state: &Arc<Shared>, call: Call, question: Question, write: F) -> Result<Response, TempoError>
where
    F: Fn(&[MetricSeries], &About) -> Json + Copy + Send + Sync + 'static,
{
    let question = Arc::new(question);
    run(state, call.tenant, move |spans| {
        let question = Arc::clone(&question);
        async move {
            let series = question.series(&spans).await?;
            let about = About::of(&spans);
            about.json(&write(&series, &about))
        }
    })
    .await
}
