use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use icegate_promql::{Expr, Matcher, parse};

use crate::call::Call;
use crate::render::{labels, quoted, sample, time};
use crate::respond::{self, Notes};
use crate::run::run;
use crate::scan::{self, Exemplar, Exemplars, MAX_MILLIS};
use crate::state::Shared;
use crate::{PrometheusError, params};

/// `/api/v1/query_exemplars`: exemplars of the series that a query selects.
pub(crate) async fn query_exemplars(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let start = params::time(&call.params, "start", Some(-MAX_MILLIS))?;
    let end = params::time(&call.params, "end", Some(MAX_MILLIS))?;
    if end < start {
        return Err(PrometheusError::BadData("end timestamp must not be before start timestamp".to_owned()));
    }
    let text = call.params.get("query").unwrap_or_default();
    let expr = parse(text, state.config.language).map_err(|error| PrometheusError::BadData(error.to_string()))?;
    let mut selectors = Vec::new();
    select(&expr, &mut selectors);
    if selectors.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let found = run(&state, call.tenant, None, move |asked, runtime| {
        let (mut found, mut notes) = (Exemplars::new(), Notes::default());
        for matchers in &selectors {
            runtime.block_on(scan::exemplars(asked, matchers, (start, end), &mut found, &mut notes.warnings))?;
        }
        notes.warnings.dedup();
        Ok((found, notes))
    });
    let (found, notes) = found.await?;
    let series = found.iter().map(|(series, exemplars)| {
        let exemplars: Vec<String> = exemplars.iter().map(render).collect();
        format!(r#"{{"seriesLabels":{},"exemplars":[{}]}}"#, labels(series), exemplars.join(","))
    });
    respond::raw(&format!("[{}]", series.collect::<Vec<_>>().join(",")), notes)
}

fn render(exemplar: &Exemplar) -> String {
    let own: Vec<String> = exemplar.labels.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    let (value, at) = (sample(exemplar.value), time(exemplar.at));
    format!(r#"{{"labels":{{{}}},"value":"{value}","timestamp":{at}}}"#, own.join(","))
}

fn select(expr: &Expr, selectors: &mut Vec<Vec<Matcher>>) {
    match expr {
        Expr::Selector(selector) => selectors.push(selector.matchers.clone()),
        Expr::Matrix(matrix) => selectors.push(matrix.selector.matchers.clone()),
        other => other.children().into_iter().for_each(|child| select(child, selectors)),
    }
}
