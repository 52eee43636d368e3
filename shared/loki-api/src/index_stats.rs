use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::{Volume, volumes};
use serde::Serialize;

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::labels::selector;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// How much a selector selects. Lines and bytes are counted, not estimated.
#[derive(Serialize)]
struct Answer {
    streams: u64,
    /// Table files and segments that hold the time range, the nearest to Loki's chunks.
    chunks: u64,
    /// Of the lines' texts.
    bytes: u64,
    entries: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// `/loki/api/v1/index/stats`: streams, lines and bytes that a selector selects.
pub(crate) async fn index_stats(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let (range, limits) = (params::range(&call.params, &state)?, state.limits());
    call.params.required("query")?;
    let selector = Arc::new(selector(&call.params)?);
    let answer = run(&state, call.tenant, move |rows| {
        let selector = Arc::clone(&selector);
        async move {
            let streams = volumes(range, None, &selector, &limits, &*rows).await?;
            let mut all = Volume::default();
            streams.iter().flat_map(|stream| stream.slots.values()).for_each(|volume| all.add(*volume));
            let chunks = rows.reports().iter().map(|report| report.files.planned + report.segments.planned).sum();
            Ok(Answer { streams: streams.len() as u64, chunks, bytes: all.bytes, entries: all.lines, warnings: rows.warnings() })
        }
    });
    Ok(render::json(render::bare(&answer.await?, MAX_ANSWER_BYTES)?))
}
