use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use icegate_http::Params;
use icegate_model::TimeRange;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use serde_json::json;

use crate::call::{Call, Format};
use crate::render::{About, Members, messages, trace_json};
use crate::run::run;
use crate::spans::TenantSpans;
use crate::state::Shared;
use crate::whole_trace::{trace_id, whole_trace};
use crate::{TempoError, params};

/// `/api/traces/{id}`: a trace, or 404.
pub(crate) async fn v1(State(state): State<Arc<Shared>>, Path(id): Path<String>, call: Call) -> Result<Response, TempoError> {
    answer(&state, &id, call, |resource_spans, about, format| {
        let resource_spans = resource_spans.ok_or(TempoError::NoSuchTrace)?;
        match format {
            Format::Protobuf => about.protobuf(TracesData { resource_spans }.encode_to_vec()),
            Format::Otlp => about.json(&json!({ "resourceSpans": trace_json(&resource_spans, format) })),
            Format::Tempo => about.json(&json!({ "batches": trace_json(&resource_spans, format) })),
        }
    })
    .await
}

/// `/api/v2/traces/{id}`: a trace, empty where there is none, and what was read for it.
pub(crate) async fn v2(State(state): State<Arc<Shared>>, Path(id): Path<String>, call: Call) -> Result<Response, TempoError> {
    refuse_reductions(&call.params)?;
    answer(&state, &id, call, |resource_spans, about, format| {
        let resource_spans = resource_spans.unwrap_or_default();
        if format == Format::Protobuf {
            return about.protobuf(messages::trace_by_id(resource_spans, about).encode_to_vec());
        }
        let (mut trace, mut metrics, mut answer) = (Members::default(), Members::default(), Members::default());
        trace.list("resourceSpans", trace_json(&resource_spans, format));
        metrics.long("inspectedBytes", about.figures.bytes);
        answer.set("trace", trace.into());
        answer.set("metrics", metrics.into());
        about.partial(&mut answer);
        about.json(&answer.into())
    })
    .await
}

/// Parameters that ask for a part of the trace: a whole one would answer another question.
fn refuse_reductions(params: &Params) -> Result<(), TempoError> {
    const REDUCTIONS: [&str; 7] = [
        "q",
        "keep_hierarchy",
        "match_depth",
        "ancestor_depth",
        "span_pruning",
        "span_pruning_threshold",
        "span_pruning_min_spans",
    ];
    match REDUCTIONS.into_iter().find(|name| params.get(name).is_some()) {
        Some(name) => Err(TempoError::NotServed(format!("parameter {name} of /api/v2/traces/{{id}}"))),
        None => Ok(()),
    }
}

async fn answer<F>(state: &Arc<Shared>, id: &str, call: Call, write: F) -> Result<Response, TempoError>
where
    F: Fn(Option<Vec<opentelemetry_proto::tonic::trace::v1::ResourceSpans>>, &About, Format) -> Result<Response, TempoError>
        + Copy
        + Send
        + Sync
        + 'static,
{
    let id = trace_id(id)?;
    let range = match (call.params.get("start"), call.params.get("end")) {
        (None, None) => TimeRange::ALL,
        // They say where to look, and a span may begin some time before or after.
        _ => params::seconds(&call.params, state)?.widened(state.config.trace_reach).range(),
    };
    let (max, format) = (state.config.max_trace_bytes, call.format);
    run(state, call.tenant, move |spans: Arc<TenantSpans>| async move {
        let trace = whole_trace(&spans, id, range, max).await?;
        write(trace, &About::of(&spans), format)
    })
    .await
}
