use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_promql::{Answer, EvalOptions, Evaluated, Query, Steps, evaluate, parse};
use serde_json::json;

use crate::call::Call;
use crate::respond::{self, Notes};
use crate::run::run;
use crate::scan::Metrics;
use crate::state::Shared;
use crate::{PrometheusError, params, render};

/// Steps after the first one that a range query may have.
const MAX_POINTS: i64 = 11_000;

/// `/api/v1/query`: an expression at one time.
pub(crate) async fn query(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?;
    let at = params::time(&call.params, "time", Some(state.now()))?;
    answer(&state, call, Steps::Instant(at), limit).await
}

/// `/api/v1/query_range`: an expression at each step.
pub(crate) async fn query_range(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?;
    let start = params::time(&call.params, "start", None)?;
    let end = params::time(&call.params, "end", None)?;
    if end < start {
        return Err(PrometheusError::parameter("end", "end timestamp must not be before start time"));
    }
    let step = params::duration("step", call.params.get("step").unwrap_or_default())?;
    if step <= 0 {
        let reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(PrometheusError::parameter("step", reason));
    }
    if end.saturating_sub(start) / step > MAX_POINTS {
        let reason =
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(PrometheusError::BadData(reason.to_owned()));
    }
    answer(&state, call, Steps::Range { start, end, step }, limit).await
}

async fn answer(state: &Arc<Shared>, call: Call, steps: Steps, limit: Option<usize>) -> Result<Response, PrometheusError> {
    let since = Instant::now();
    let timeout = params::optional_duration(&call.params, "timeout")?;
    let options = options(state, &call.params)?;
    let text = call.params.get("query").unwrap_or_default().to_owned();
    let expr = parse(&text, state.config.language).map_err(PrometheusError::Query)?;
    let with_stats = call.params.get("stats").is_some_and(|stats| !stats.is_empty());
    let limits = state.config.limits;
    let evaluated = run(state, call.tenant, timeout, move |asked, runtime| {
        let storage = Metrics::new(asked, runtime.clone());
        let query = Query { text: &text, expr: &expr, steps, options, limits, is_canceled: Some(asked.is_canceled) };
        let mut evaluated = evaluate(&query, &storage)?;
        evaluated.warnings.extend(storage.warnings());
        Ok((evaluated, storage.samples()))
    });
    let (mut evaluated, samples) = evaluated.await?;
    truncate(&mut evaluated, limit);
    let mut data = format!("{{{}", render::answer(&evaluated.answer));
    if with_stats {
        let seconds = since.elapsed().as_secs_f64();
        let stats = json!({ "timings": { "evalTotalTime": seconds }, "samples": { "samplesRead": samples } });
        data.push_str(&format!(",\"stats\":{stats}"));
    }
    data.push('}');
    respond::raw(&data, Notes { warnings: evaluated.warnings, infos: evaluated.infos })
}

fn options(state: &Shared, params: &Params) -> Result<EvalOptions, PrometheusError> {
    let lookback = params::optional_duration(params, "lookback_delta")?.unwrap_or(state.config.lookback);
    Ok(EvalOptions {
        lookback: i64::try_from(lookback.as_millis()).unwrap_or(i64::MAX / 4),
        start_timestamps: state.config.start_timestamps,
        delayed_name_removal: state.config.delayed_name_removal,
        ..EvalOptions::default()
    })
}

fn truncate(evaluated: &mut Evaluated, limit: Option<usize>) {
    fn cut<T>(all: &mut Vec<T>, limit: usize) -> bool {
        let is_longer = all.len() > limit;
        all.truncate(limit);
        is_longer
    }
    let Some(limit) = limit else { return };
    let is_cut = match &mut evaluated.answer {
        Answer::Vector(samples) => cut(samples, limit),
        Answer::Matrix(series) => cut(series, limit),
        Answer::Scalar { .. } | Answer::String { .. } => false,
    };
    if is_cut {
        evaluated.warnings.push(TRUNCATED.to_owned());
    }
}

/// What a limit that was reached says.
pub(crate) const TRUNCATED: &str = "results truncated due to limit";
