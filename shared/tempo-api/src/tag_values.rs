use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use icegate_http::Params;
use icegate_traceql::ast::{Field, Intrinsic, Scope};
use icegate_traceql::{Facts, Span, TraceId, Value, field_values, parse_field, parse_filter_leniently};
use prost::Message;
use serde_json::json;

use crate::call::{Call, Format};
use crate::config::MAX_NAMES;
use crate::look::{Asked, Gather, look};
use crate::message::{SearchTagValuesResponse, SearchTagValuesV2Response, TagValue};
use crate::render::About;
use crate::run::run;
use crate::spans::{Columns, TenantSpans};
use crate::state::Shared;
use crate::{TempoError, params};

/// What comes behind the name of a tag, which may have any character.
const BEHIND: &str = "/values";

/// `/api/search/tag/{name}/values`: values of a bare name, of every scope that has it.
pub(crate) async fn v1(State(state): State<Arc<Shared>>, Path(path): Path<String>, call: Call) -> Result<Response, TempoError> {
    let question = Question::bare(named(&path)?, &call.params, &state)?;
    answer(&state, call, question, |values, about, format| {
        let tag_values = values.texts();
        if format == Format::Protobuf {
            let (metrics, warnings) = (Some(about.metadata_metrics()), about.warnings.clone());
            return about.protobuf(SearchTagValuesResponse { tag_values, metrics, warnings }.encode_to_vec());
        }
        about.json(&about.around("tagValues", json!(tag_values)))
    })
    .await
}

/// `/api/v2/search/tag/{name}/values`: values with their types, of what TraceQL calls so.
pub(crate) async fn v2(State(state): State<Arc<Shared>>, Path(path): Path<String>, call: Call) -> Result<Response, TempoError> {
    let question = Question::field(named(&path)?, &call.params, &state)?;
    answer(&state, call, question, |values, about, format| {
        let tag_values = values.typed();
        if format == Format::Protobuf {
            let (metrics, warnings) = (Some(about.metadata_metrics()), about.warnings.clone());
            return about.protobuf(SearchTagValuesV2Response { tag_values, metrics, warnings }.encode_to_vec());
        }
        let typed = tag_values.iter().map(|TagValue { kind, value }| json!({ "type": kind, "value": value }));
        about.json(&about.around("tagValues", typed.collect()))
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

async fn answer<F>(state: &Arc<Shared>, call: Call, question: Question, write: F) -> Result<Response, TempoError>
where
    F: Fn(&Values, &About, Format) -> Result<Response, TempoError> + Copy + Send + Sync + 'static,
{
    let (question, format) = (Arc::new(question), call.format);
    run(state, call.tenant, move |spans| {
        let question = Arc::clone(&question);
        async move {
            let values = question.values(&spans).await?;
            write(&values, &About::of(&spans), format)
        }
    })
    .await
}

/// Whose values are asked for, and how many.
#[derive(Debug)]
pub(crate) struct Question {
    limit: usize,
    asked: Asked,
}

impl Question {
    /// The values of all that has a bare name.
    pub(crate) fn bare(tag: &str, params: &Params, state: &Shared) -> Result<Self, TempoError> {
        Self::read(bare(tag), params, state)
    }

    /// The values of what TraceQL calls so.
    pub(crate) fn field(tag: &str, params: &Params, state: &Shared) -> Result<Self, TempoError> {
        let field = parse_field(tag).map_err(|source| TempoError::Tag { tag: tag.to_owned(), source })?;
        Self::read(vec![field], params, state)
    }

    fn read(fields: Vec<Field>, params: &Params, state: &Shared) -> Result<Self, TempoError> {
        let asked = Asked {
            filter: parse_filter_leniently(params::text(params, &["q"])?.unwrap_or("{}")),
            window: params::seconds(params, state)?,
            reach: state.config.trace_reach,
            columns: Columns::bare(),
            fields,
        };
        Ok(Self { limit: params::names_limit(params)?.unwrap_or(usize::MAX), asked })
    }

    /// The values.
    pub(crate) async fn values(&self, spans: &TenantSpans) -> Result<Values, TempoError> {
        Ok(Values { found: look(spans, &self.asked).await?, limit: self.limit })
    }
}

/// Values that were found.
pub(crate) struct Values {
    found: Found,
    limit: usize,
}

impl Values {
    /// As texts, each once.
    pub(crate) fn texts(&self) -> Vec<String> {
        let all: BTreeSet<&str> = self.found.0.iter().map(|(_, value)| value.as_str()).collect();
        all.into_iter().take(self.limit).map(str::to_owned).collect()
    }

    /// With their types.
    pub(crate) fn typed(&self) -> Vec<TagValue> {
        let mut all: Vec<_> = self.found.0.iter().collect();
        all.sort_unstable();
        all.into_iter()
            .take(self.limit)
            .map(|(kind, value)| TagValue { kind: (*kind).to_owned(), value: value.clone() })
            .collect()
    }
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
