use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::{parse_selector, series as streams};

use crate::call::Call;
use crate::config::{MAX_ANSWER_BYTES, MAX_SELECTORS};
use crate::labels::ALL_STREAMS;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// `/loki/api/v1/series`: the label sets of the streams that any `match[]` selects, sorted; of all streams without one.
pub(crate) async fn series(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let (range, limits) = (params::range(&call.params, &state)?, state.limits());
    let matches = call.params.all(&["match[]", "match"]).filter(|selector| !selector.is_empty());
    let mut selectors = matches.map(parse_selector).collect::<Result<Vec<_>, _>>()?;
    if selectors.len() > MAX_SELECTORS {
        return Err(LokiError::TooManySelectors { given: selectors.len(), max: MAX_SELECTORS });
    }
    if selectors.is_empty() {
        selectors.push(parse_selector(ALL_STREAMS)?);
    }
    let selectors = Arc::new(selectors);
    let found = run(&state, call.tenant, move |rows| {
        let selectors = Arc::clone(&selectors);
        async move { Ok((streams(range, &selectors, &limits, &*rows).await?, rows.warnings())) }
    });
    let (found, warnings) = found.await?;
    Ok(render::json(render::label_sets(&found, &warnings, MAX_ANSWER_BYTES)?))
}
