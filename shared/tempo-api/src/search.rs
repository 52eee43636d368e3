use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_traceql::parse;
use prost::Message;

use crate::call::{Call, Format};
use crate::find::{Asked, find};
use crate::message::SearchResponse;
use crate::render::{self, About, Shows};
use crate::run::run;
use crate::state::Shared;
use crate::{TempoError, params, tag_search};

/// `/api/search`: the newest traces that TraceQL, or tags, find.
pub(crate) async fn search(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    let (asked, shows) = asked(&call.params, &state)?;
    let (asked, format) = (Arc::new(asked), call.format);
    run(&state, call.tenant, move |spans| {
        let asked = Arc::clone(&asked);
        async move {
            let found = find(&spans, &asked, |_| {}).await?;
            let about = About::of(&spans);
            if format == Format::Protobuf {
                let traces = found.iter().map(|found| render::messages::trace(found, shows)).collect();
                let metrics = Some(about.search_metrics());
                return about.protobuf(SearchResponse { traces, metrics, warnings: about.warnings.clone() }.encode_to_vec());
            }
            about.json(&render::search(&found, shows, &about))
        }
    })
    .await
}

/// What a search's parameters ask for, and what is told of what is found.
pub(crate) fn asked(params: &Params, state: &Shared) -> Result<(Asked, Shows), TempoError> {
    let (text, tags) = (params::text(params, &["q"])?, params::text(params, &["tags"])?);
    let (query, shows) = match (text, tags) {
        (Some(_), Some(_)) => {
            return Err(TempoError::Parameters("invalid request: can't specify tags and q in the same query".to_owned()));
        }
        (Some(text), None) => (parse(text).map_err(TempoError::Parse)?, Shows::Spansets),
        (None, tags) => (tag_search::query(tags.unwrap_or_default())?, Shows::Traces),
    };
    let asked = Asked {
        query,
        window: params::seconds(params, state)?,
        reach: state.config.trace_reach,
        rows_at_once: state.config.rows_at_once,
        limit: params::limit(params)?,
        spans: params::spans_per_spanset(params, state)?,
        durations: params::durations(params)?,
    };
    Ok((asked, shows))
}
