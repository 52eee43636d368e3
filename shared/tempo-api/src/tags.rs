use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_http::Params;
use icegate_traceql::ast::{Intrinsic, Scope};
use icegate_traceql::{Facts, Span, TraceId, attribute_names, parse_filter_leniently};
use prost::Message;
use serde_json::json;

use crate::call::{Call, Format};
use crate::config::MAX_NAMES;
use crate::look::{Asked, Gather, look};
use crate::message::{SearchTagsResponse, SearchTagsV2Response, SearchTagsV2Scope};
use crate::render::About;
use crate::run::run;
use crate::spans::{Columns, TenantSpans};
use crate::state::Shared;
use crate::{TempoError, params};

/// The intrinsics, as a scope beside those of attributes.
const INTRINSIC: &str = "intrinsic";

/// Whose names are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scopes {
    All,
    Intrinsic,
    One(Scope),
}

impl Scopes {
    fn read(text: Option<&str>) -> Result<Self, TempoError> {
        match text {
            None | Some("none") => Ok(Self::All),
            Some(INTRINSIC) => Ok(Self::Intrinsic),
            Some(name) => match Scope::ALL.into_iter().find(|scope| scope.name() == name) {
                Some(scope) => Ok(Self::One(scope)),
                None => Err(TempoError::Parameters(format!("invalid scope: {name}"))),
            },
        }
    }

    fn of_attributes(self) -> Vec<Scope> {
        match self {
            Self::All => Scope::ALL.to_vec(),
            Self::Intrinsic => Vec::new(),
            Self::One(scope) => vec![scope],
        }
    }
}

/// `/api/search/tags`: names of attributes of all scopes together.
pub(crate) async fn v1(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    answer(&state, call, |names, about, format| {
        if format == Format::Protobuf {
            let (tag_names, metrics) = (names.together(), Some(about.metadata_metrics()));
            return about.protobuf(SearchTagsResponse { tag_names, metrics, warnings: about.warnings.clone() }.encode_to_vec());
        }
        about.json(&about.around("tagNames", json!(names.together())))
    })
    .await
}

/// `/api/v2/search/tags`: names of attributes by scope, and the intrinsics.
pub(crate) async fn v2(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    answer(&state, call, |names, about, format| {
        let scopes = names.by_scope();
        if format == Format::Protobuf {
            let (scopes, metrics) = (scopes.into_iter().map(scope).collect(), Some(about.metadata_metrics()));
            return about.protobuf(SearchTagsV2Response { scopes, metrics, warnings: about.warnings.clone() }.encode_to_vec());
        }
        about.json(&about.around("scopes", scopes.iter().map(|(name, tags)| json!({ "name": name, "tags": tags })).collect()))
    })
    .await
}

/// A scope as a message.
pub(crate) fn scope((name, tags): (&str, Vec<String>)) -> SearchTagsV2Scope {
    SearchTagsV2Scope { name: name.to_owned(), tags }
}

async fn answer<F>(state: &Arc<Shared>, call: Call, write: F) -> Result<Response, TempoError>
where
    F: Fn(&Names, &About, Format) -> Result<Response, TempoError> + Copy + Send + Sync + 'static,
{
    let (question, format) = (Arc::new(Question::read(&call.params, state)?), call.format);
    run(state, call.tenant, move |spans| {
        let question = Arc::clone(&question);
        async move {
            let names = question.names(&spans).await?;
            write(&names, &About::of(&spans), format)
        }
    })
    .await
}

/// Whose names are asked for, and how many.
#[derive(Debug)]
pub(crate) struct Question {
    scopes: Scopes,
    limit: usize,
    asked: Asked,
}

impl Question {
    /// As parameters say.
    pub(crate) fn read(params: &Params, state: &Shared) -> Result<Self, TempoError> {
        let scopes = Scopes::read(params.get("scope"))?;
        let columns = scopes.of_attributes().iter().fold(Columns::bare(), |columns, scope| columns.and_scope(*scope));
        let asked = Asked {
            filter: parse_filter_leniently(params::text(params, &["q"])?.unwrap_or("{}")),
            window: params::seconds(params, state)?,
            reach: state.config.trace_reach,
            columns,
            fields: Vec::new(),
        };
        Ok(Self { scopes, limit: params::names_limit(params)?.unwrap_or(usize::MAX), asked })
    }

    /// The names.
    pub(crate) async fn names(&self, spans: &TenantSpans) -> Result<Names, TempoError> {
        let of = self.scopes.of_attributes();
        let found = if of.is_empty() { Found::default() } else { look::<Found>(spans, &self.asked).await? };
        let attributes = of.into_iter().map(|scope| (scope.name(), found.of(scope))).collect();
        Ok(Names { attributes, intrinsics: matches!(self.scopes, Scopes::All | Scopes::Intrinsic), limit: self.limit })
    }
}

/// Names that were found, sorted.
#[derive(Debug)]
pub(crate) struct Names {
    attributes: Vec<(&'static str, Vec<Arc<str>>)>,
    intrinsics: bool,
    limit: usize,
}

impl Names {
    /// Those of attributes, each once.
    pub(crate) fn together(&self) -> Vec<String> {
        let all: BTreeSet<&Arc<str>> = self.attributes.iter().flat_map(|(_, names)| names).collect();
        all.into_iter().take(self.limit).map(|name| name.to_string()).collect()
    }

    /// Those of each scope, and the intrinsics.
    pub(crate) fn by_scope(&self) -> Vec<(&'static str, Vec<String>)> {
        let named = self.attributes.iter().filter(|(_, names)| !names.is_empty());
        let mut scopes: Vec<(&str, Vec<String>)> =
            named.map(|(scope, names)| (*scope, names.iter().take(self.limit).map(|name| name.to_string()).collect())).collect();
        if self.intrinsics {
            let listed: BTreeSet<&str> = Intrinsic::listed().collect();
            scopes.push((INTRINSIC, listed.into_iter().take(self.limit).map(str::to_owned).collect()));
        }
        scopes
    }
}

/// The names that were found.
#[derive(Default)]
struct Found(HashSet<(Scope, Arc<str>)>);

impl Found {
    fn of(&self, scope: Scope) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.0.iter().filter(|(of, _)| *of == scope).map(|(_, name)| Arc::clone(name)).collect();
        names.sort_unstable();
        names
    }

    fn check(&self) -> Result<(), TempoError> {
        if self.0.len() > MAX_NAMES { Err(TempoError::TooManyNames { max: MAX_NAMES }) } else { Ok(()) }
    }
}

impl Gather for Found {
    fn look(&mut self, _: &Asked, _: TraceId, span: &Span, _: Option<&Facts>) -> Result<(), TempoError> {
        for (scope, name) in attribute_names(span) {
            let found = (scope, Arc::clone(name));
            if !self.0.contains(&found) {
                self.0.insert(found);
            }
        }
        self.check()
    }

    fn merge(&mut self, other: Self) -> Result<(), TempoError> {
        self.0.extend(other.0);
        self.check()
    }
}
