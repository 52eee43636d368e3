use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use icegate_engine::ScanReport;
use icegate_logql::ast::Expr;
use icegate_logql::{Explained, explain as explained, parse};
use serde::Serialize;

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::render::{self, Read};
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params};

#[derive(Serialize)]
struct Explanation<'a> {
    #[serde(flatten)]
    explained: &'a Explained,
    /// Files and segments of each scan.
    reads: Vec<Read>,
    text: String,
}

/// `/loki/api/v1/explain`: how a query would be answered, what it would read and what not, and why; takes the parameters of
/// `query_range`, or with `time` those of `query`. As text where `format=text` or `Accept` asks for it, else as JSON with the text
/// inside.
pub(crate) async fn explain(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let expr = parse(params::query(&call.params)?)?;
    let wants_text = call.params.read("format", is_text)?.unwrap_or(call.wants_text);
    let is_instant = call.params.get("time").is_some() && matches!(expr, Expr::Metric(_));
    let read = if is_instant { params::instant_query } else { params::range_query };
    let query = Arc::new((read(&call.params, &state, &expr)?, expr));
    let work = run(&state, call.tenant, move |rows| {
        let query = Arc::clone(&query);
        async move { Ok((explained(&query.1, &query.0, &*rows).await?, rows.reports())) }
    });
    let (explained, reports) = work.await?;
    let text = text(&explained, &reports);
    if wants_text {
        return Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    let reads = reports.iter().map(|report| Read::of(report)).collect();
    let explanation = Explanation { explained: &explained, reads, text };
    Ok(render::json(render::success(&explanation, MAX_ANSWER_BYTES)?))
}

fn is_text(format: &str) -> Result<bool, String> {
    match format {
        "text" => Ok(true),
        "json" => Ok(false),
        _ => Err("allowed are text and json".to_owned()),
    }
}

fn text(explained: &Explained, reports: &[Arc<ScanReport>]) -> String {
    let mut text = explained.to_string();
    for report in reports {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{report}");
    }
    text
}
