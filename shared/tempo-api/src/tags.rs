use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use icegate_traceql::ast::{Intrinsic, Scope};
use icegate_traceql::{Facts, Span, TraceId, attribute_names, parse_filter_leniently};
use serde_json::{Value as Json, json};

use crate::call::Call;
use crate::config::MAX_NAMES;
use crate::look::{Asked, Gather, look};
use crate::render::{About, Members};
use crate::run::run;
use crate::spans::Columns;
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
    answer(&state, call, |_, names, limit| {
        let all: BTreeSet<&str> = names.iter().flat_map(|(_, names)| names.iter().map(|name| &**name)).collect();
        let names: Vec<&str> = all.into_iter().take(limit).collect();
        ("tagNames", json!(names))
    })
    .await
}

/// `/api/v2/search/tags`: names of attributes by scope, and the intrinsics.
pub(crate) async fn v2(State(state): State<Arc<Shared>>, call: Call) -> Result<Response, TempoError> {
    answer(&state, call, |asked, names, limit| {
        let scope = |name: &str, tags: &[&str]| json!({ "name": name, "tags": tags.iter().take(limit).collect::<Vec<_>>() });
        let mut scopes: Vec<Json> = Vec::new();
        for (of, names) in names.iter().filter(|(_, names)| !names.is_empty()) {
            scopes.push(scope(of.name(), &names.iter().map(|name| &**name).collect::<Vec<_>>()));
        }
        if matches!(asked, Scopes::All | Scopes::Intrinsic) {
            let listed: BTreeSet<&str> = Intrinsic::listed().collect();
            scopes.push(scope(INTRINSIC, &listed.into_iter().collect::<Vec<_>>()));
        }
        ("scopes", Json::Array(scopes))
    })
    .await
}

/// Names by scope, sorted.
type Names = [(Scope, Vec<Arc<str>>)];

async fn answer<F>(state: &Arc<Shared>, call: Call, write: F) -> Result<Response, TempoError>
where
    F: Fn(Scopes, &Names, usize) -> (&'static str, Json) + Copy + Send + Sync + 'static,
{
    let params = &call.params;
    let scopes = Scopes::read(params.get("scope"))?;
    let limit = params::names_limit(params)?.unwrap_or(usize::MAX);
    let of_attributes = scopes.of_attributes();
    let asked = Arc::new(Asked {
        filter: parse_filter_leniently(params::text(params, &["q"])?.unwrap_or("{}")),
        window: params::seconds(params, state)?,
        reach: state.config.trace_reach,
        columns: of_attributes.iter().fold(Columns::bare(), |columns, scope| columns.and_scope(*scope)),
        fields: Vec::new(),
    });
    run(state, call.tenant, move |spans| {
        let (asked, of_attributes) = (Arc::clone(&asked), of_attributes.clone());
        async move {
            let found = if of_attributes.is_empty() { Found::default() } else { look::<Found>(&spans, &asked).await? };
            let names: Vec<_> = of_attributes.iter().map(|scope| (*scope, found.of(*scope))).collect();
            let about = About::of(&spans);
            let (name, matter) = write(scopes, &names, limit);
            let mut answer = Members::default();
            answer.set(name, matter);
            answer.set("metrics", about.metrics());
            about.warnings(&mut answer);
            about.json(&answer.into())
        }
    })
    .await
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
