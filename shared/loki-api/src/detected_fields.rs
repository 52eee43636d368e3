use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_logql::ast::{Expr, LogExpr};
use icegate_logql::{Field, FieldType, LogqlError, QueryParams, parse};
use serde::Serialize;

use crate::call::Call;
use crate::config::{DEFAULT_LIMIT, MAX_ANSWER_BYTES, MAX_FIELDS};
use crate::run::run;
use crate::state::Shared;
use crate::{LokiError, params, render};

#[derive(Serialize)]
struct Answer {
    fields: Vec<Detected>,
    limit: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detected {
    label: String,
    #[serde(rename = "type")]
    field_type: FieldType,
    cardinality: usize,
    /// `null` for structured metadata.
    parsers: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    json_path: Vec<String>,
}

/// `/loki/api/v1/detected_fields`: the fields of the newest lines that a query selects, sorted by name.
pub(crate) async fn detected_fields(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, LokiError> {
    let sampled = sample(&state, call).await?;
    let detected = |field: Field| Detected {
        field_type: field.field_type(),
        cardinality: field.values.len(),
        label: field.label,
        parsers: field.parsers,
        json_path: field.json_path,
    };
    let Sampled { fields, limit, warnings } = sampled;
    let answer = Answer { fields: fields.into_iter().take(limit).map(detected).collect(), limit, warnings };
    Ok(render::json(render::bare(&answer, MAX_ANSWER_BYTES)?))
}

/// The fields of a sample of lines.
pub(crate) struct Sampled {
    pub(crate) fields: Vec<Field>,
    /// Most fields, or values, that are wanted.
    pub(crate) limit: usize,
    pub(crate) warnings: Vec<String>,
}

/// Reads the newest `line_limit` (100) lines of `query` and finds their fields.
pub(crate) async fn sample(state: &Arc<Shared>, call: Call) -> Result<Sampled, LokiError> {
    let logs = log_query(&call.params)?;
    let asked = Arc::new((lines(&call.params, state)?, logs));
    let limit = params::at_most(&call.params, &["limit", "field_limit"], MAX_FIELDS, MAX_FIELDS)?;
    let found = run(state, call.tenant, move |rows| {
        let asked = Arc::clone(&asked);
        async move {
            let fields = icegate_logql::detected_fields(&asked.1, &asked.0, &*rows).await?;
            Ok((fields, rows.warnings()))
        }
    });
    let (fields, warnings) = found.await?;
    Ok(Sampled { fields, limit, warnings })
}

/// The query, which has to be one for lines.
pub(crate) fn log_query(params: &Params) -> Result<LogExpr, LokiError> {
    match parse(params::query(params)?)? {
        Expr::Logs(logs) => Ok(logs),
        Expr::Metric(_) => Err(LokiError::LogsOnly),
    }
}

fn lines(params: &Params, state: &Shared) -> Result<QueryParams, LokiError> {
    let range = params::range(params, state)?;
    let max = state.config.max_entries_limit;
    let limit = params.read("line_limit", params::integer)?.map_or(Ok(DEFAULT_LIMIT.min(max)), |asked| {
        usize::try_from(asked).ok().filter(|limit| *limit > 0).ok_or(LogqlError::NoEntries)
    })?;
    if limit > max {
        return Err(LogqlError::TooManyEntries { asked: limit, limit: max }.into());
    }
    Ok(QueryParams { limit, ..params::over(range, state) })
}
