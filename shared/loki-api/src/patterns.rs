use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_logql::{Pattern, QueryParams};
use serde::{Serialize, Serializer};

use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::detected_fields::log_query;
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

/// `/loki/api/v1/patterns`: what the lines that a query selects have in common, the most frequent first, with how many there are of
/// each in each step. All lines of the range are looked at, wherever they are stored.
pub(crate) async fn patterns(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let logs = log_query(&call.params)?;
    let range = params::range(&call.params, &state)?;
    let step = params::step_within(&call.params, range)?;
    let asked = Arc::new((logs, QueryParams { step, ..params::over(range, &state) }));
    let found = run(&state, call.tenant, move |rows| {
        let asked = Arc::clone(&asked);
        async move { Ok((icegate_logql::patterns(&asked.0, &asked.1, &*rows).await?, rows.warnings())) }
    });
    let (found, warnings) = found.await?;
    let views: Vec<_> = found.iter().map(View::of).collect();
    Ok(render::json(render::success_with(&views, &warnings, MAX_ANSWER_BYTES)?))
}

#[derive(Serialize)]
struct View<'a> {
    pattern: &'a str,
    level: &'a str,
    samples: Samples<'a>,
}

impl<'a> View<'a> {
    fn of(found: &'a Pattern) -> Self {
        Self { pattern: &found.pattern, level: &found.level, samples: Samples(found) }
    }
}

/// Pairs of Unix seconds and a count.
struct Samples<'a>(&'a Pattern);

impl Serialize for Samples<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |nanos: i64| nanos.div_euclid(1_000_000_000);
        serializer.collect_seq(self.0.samples.iter().map(|(at, count)| (seconds(at.nanos()), count)))
    }
}
