use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use icegate_traceql::ast::{Field, Intrinsic, Scope};
use icegate_traceql::{Facts, Span, TraceId, Value, field_values, parse_field, parse_filter_leniently};
use serde_json::{Value as Json, json};

use crate::call::Call;
use crate::config::MAX_NAMES;
use crate::look::{Asked, Gather, look};
use crate::render::{About, Members};
use crate::run::run;
use crate::spans::Columns;
use crate::state::Shared;
use crate::{TempoError, params};

/// What comes behind the name of a tag, which may have any character.
const BEHIND: &str = "/values";

/// `/api/search/tag/{name}/values`: values of a bare name, of every scope that has it.
pub(crate) async fn v1(State(state): State<Arc<Shared>>, Path(path): Path<String>, call: Call) -> Result<Response, TempoError> {
    let fields = bare(named(&path)?);
    answer(&state, call, fields, |found, limit| {
        let values: BTreeSet<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
        json!(values.into_iter().take(limit).collect::<Vec<_>>())
    })
    .await
}

/// `/api/v2/search/tag/{name}/values`: values with their types, of what TraceQL calls so.
pub(crate) async fn v2(State(state): State<Arc<Shared>>, Path(path): Path<String>, call: Call) -> Result<Response, TempoError> {
    let tag = named(&path)?;
    let field = parse_field(tag).map_err(|source| TempoError::Tag { tag: tag.to_owned(), source })?;
    answer(&state, call, vec![field], |found, limit| {
        let mut values: Vec<_> = found.iter().collect();
        values.sort_unstable();
        values.into_iter().take(limit).map(|(kind, value)| json!({ "type": kind, "value": value })).collect()
    })
    .await
}

fn named(path: &str) -> Result<&str, TempoError> {
    path.strip_suffix(BEHIND).filter(|tag| !tag.is_empty()).ok_or(TempoError::NoSuchPath)
}

/// What a bare name stands for: an intrinsic, under its name or the one that tags had for it, or attributes of every scope.
fn bare(tag: &str) -> Vec<Field> {
    let known = match tag {
        "root.name" => Some(Intrinsic::RootName),
        "root.service.name" => Some(Intrinsic::RootServiceName),
        "status.code" => Some(Intrinsic::Status),
        other => Intrinsic::named(other).map(|(intrinsic, _)| intrinsic),
    };
    match known {
        Some(intrinsic) => vec![Field::Intrinsic(intrinsic, false)],
        None => Scope::ALL.map(|scope| Field::attribute(Some(scope), tag)).to_vec(),
    }
}

async fn answer<F>(state: &Arc<Shared>, call: Call, fields: Vec<Field>, write: F) -> Result<Response, TempoError>
where
    F: Fn(&HashSet<(&'static str, String)>, usize) -> Json + Copy + Send + Sync + 'static,
{
    let params = &call.params;
    let limit = params::names_limit(params)?.unwrap_or(usize::MAX);
    let asked = Arc::new(Asked {
        filter: parse_filter_leniently(params::text(params, &["q"])?.unwrap_or("{}")),
        window: params::seconds(params, state)?,
        reach: state.config.trace_reach,
        columns: Columns::bare(),
        fields,
    });
    run(state, call.tenant, move |spans| {
        let asked = Arc::clone(&asked);
        async move {
            let found = look::<Found>(&spans, &asked).await?;
            let about = About::of(&spans);
            let mut answer = Members::default();
            answer.set("tagValues", write(&found.0, limit));
            answer.set("metrics", about.metrics());
            about.warnings(&mut answer);
            about.json(&answer.into())
        }
    })
    .await
}

/// The values that were found, with their types.
#[derive(Default)]
struct Found(HashSet<(&'static str, String)>);

impl Found {
    fn check(&self) -> Result<(), TempoError> {
        if self.0.len() > MAX_NAMES { Err(TempoError::TooManyNames { max: MAX_NAMES }) } else { Ok(()) }
    }
}

impl Gather for Found {
    fn look(&mut self, asked: &Asked, trace: TraceId, span: &Span, facts: Option<&Facts>) -> Result<(), TempoError> {
        for field in &asked.fields {
            self.0.extend(field_values(field, trace, span, facts).iter().map(typed));
        }
        self.check()
    }

    fn merge(&mut self, other: Self) -> Result<(), TempoError> {
        self.0.extend(other.0);
        self.check()
    }
}

/// The type of a value and how a query writes it, durations in nanoseconds.
fn typed(value: &Value) -> (&'static str, String) {
    match value {
        Value::Int(value) | Value::Duration(value) => ("int", value.to_string()),
        Value::Float(value) => ("float", value.to_string()),
        Value::Bool(value) => ("bool", value.to_string()),
        Value::Text(text) => ("string", text.to_string()),
        Value::Status(status) => ("keyword", status.name().to_owned()),
        Value::Kind(kind) => ("keyword", kind.name().to_owned()),
        other => ("string", other.to_string()),
    }
}
