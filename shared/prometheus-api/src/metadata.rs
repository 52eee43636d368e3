use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::call::Call;
use crate::respond::{self, Notes};
use crate::run::run;
use crate::state::Shared;
use crate::{PrometheusError, params, scan};

/// `/api/v1/metadata`: type, description and unit of metrics, as whoever sent them said.
pub(crate) async fn metadata(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, PrometheusError> {
    let limit = params::limit(&call.params, "limit")?.unwrap_or(usize::MAX);
    let per_metric = params::limit(&call.params, "limit_per_metric")?.unwrap_or(usize::MAX);
    let wanted = call.params.get("metric").filter(|metric| !metric.is_empty()).map(str::to_owned);
    let found = run(&state, call.tenant, None, move |asked, runtime| {
        let mut notes = Notes::default();
        let metrics = runtime.block_on(scan::metadata(asked, &mut notes.warnings))?;
        let mut found: BTreeMap<String, BTreeSet<(String, String, String)>> = BTreeMap::new();
        for metric in metrics {
            let Some((name, kind, unit)) = metric.family(asked.translation) else { continue };
            if wanted.as_ref().is_none_or(|wanted| *wanted == name) {
                found.entry(name).or_default().insert((kind, metric.description, unit));
            }
        }
        Ok((found, notes))
    });
    let (found, notes) = found.await?;
    let entries = found.into_iter().take(limit).map(|(name, texts)| {
        let texts = texts.into_iter().take(per_metric);
        let texts: Vec<_> = texts.map(|(kind, help, unit)| json!({ "type": kind, "help": help, "unit": unit })).collect();
        (name, texts.into())
    });
    respond::data(&serde_json::Value::Object(entries.collect()), notes)
}
