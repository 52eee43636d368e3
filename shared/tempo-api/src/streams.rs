//! Tempo's answers as streams of messages: `tempopb.StreamingQuerier`, for hosts that serve gRPC.
//!
//! A request's message holds the parameters of an HTTP request and is read as these are. Of a search that looks through several slices of
//! time the traces that are found come as they are certain; what comes last is the whole answer, in parts of about a megabyte. Each
//! message says what was read up to then. A client that takes no messages holds no query up but for its last ones.

mod parts;
mod request;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Bytes;
use futures::Stream;
use http::StatusCode;
use icegate_http::Params;
use icegate_model::TenantId;
use prost::Message;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::find::find;
use crate::message::{
    QueryInstantResponse, QueryRangeResponse, SearchResponse, SearchTagValuesResponse, SearchTagValuesV2Response,
    SearchTagsResponse, SearchTagsV2Response,
};
use crate::observe::failed;
use crate::render::{About, messages};
use crate::run::run;
use crate::state::Shared;
use crate::{TempoError, metrics_query, search, tag_values, tags};
use parts::{of_scopes, parts};

/// Messages that wait for a client.
const WAITING: usize = 8;

/// A method of `tempopb.StreamingQuerier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Traces that a query finds.
    Search,
    /// Names of attributes.
    SearchTags,
    /// Names of attributes by scope.
    SearchTagsV2,
    /// Values of an attribute.
    SearchTagValues,
    /// Values of an attribute with their types.
    SearchTagValuesV2,
    /// Series over a range.
    MetricsQueryRange,
    /// Series with one number for the whole range.
    MetricsQueryInstant,
}

impl Method {
    /// The service that has the methods.
    pub const SERVICE: &'static str = "tempopb.StreamingQuerier";
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Search,
        Self::SearchTags,
        Self::SearchTagsV2,
        Self::SearchTagValues,
        Self::SearchTagValuesV2,
        Self::MetricsQueryRange,
        Self::MetricsQueryInstant,
    ];

    /// As a path has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Search => "Search",
            Self::SearchTags => "SearchTags",
            Self::SearchTagsV2 => "SearchTagsV2",
            Self::SearchTagValues => "SearchTagValues",
            Self::SearchTagValuesV2 => "SearchTagValuesV2",
            Self::MetricsQueryRange => "MetricsQueryRange",
            Self::MetricsQueryInstant => "MetricsQueryInstant",
        }
    }

    /// The method of a path, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// The API as streams; shares the bounds of its [`router`](crate::router).
#[derive(Clone)]
pub struct Streams(pub(crate) Arc<Shared>);

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Streams {
    /// The messages that answer a request's message, and an error where there is no whole answer. Has to be called within a runtime.
    #[must_use]
    pub fn answer(&self, method: Method, tenant: TenantId, request: Bytes) -> Messages {
        let (sender, receiver) = channel(WAITING);
        let (shared, mut task) = (Arc::clone(&self.0), JoinSet::new());
        task.spawn(async move {
            let since = Instant::now();
            let ended = serve(&shared, method, tenant, &request, &sender).await;
            let status = ended.as_ref().map_or_else(TempoError::status, |()| StatusCode::OK);
            shared.metrics.answered(method.name(), status, since.elapsed());
            if let Err(error) = ended {
                failed(method.name(), status, &error.to_string());
                // A client that is gone takes no error either.
                let _ = sender.send(Err(error)).await;
            }
        });
        Messages { receiver, _task: task }
    }
}

/// Encoded messages, until an error. What answers them ends when they are dropped.
#[derive(Debug)]
pub struct Messages {
    receiver: Receiver<Result<Bytes, TempoError>>,
    _task: JoinSet<()>,
}

impl Stream for Messages {
    type Item = Result<Bytes, TempoError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context)
    }
}

type Out = Sender<Result<Bytes, TempoError>>;

async fn serve(shared: &Arc<Shared>, method: Method, tenant: TenantId, request: &[u8], out: &Out) -> Result<(), TempoError> {
    let params = request::params(method, request)?;
    match method {
        Method::Search => searched(shared, tenant, &params, out).await,
        Method::SearchTags | Method::SearchTagsV2 => named(shared, tenant, &params, out, method).await,
        Method::SearchTagValues | Method::SearchTagValuesV2 => valued(shared, tenant, &params, out, method).await,
        Method::MetricsQueryRange | Method::MetricsQueryInstant => measured(shared, tenant, &params, out, method).await,
    }
}

async fn searched(shared: &Arc<Shared>, tenant: TenantId, params: &Params, out: &Out) -> Result<(), TempoError> {
    let (asked, shows) = search::asked(params, shared)?;
    let (asked, out) = (Arc::new(asked), out.clone());
    run(shared, tenant, move |spans| {
        let (asked, out) = (Arc::clone(&asked), out.clone());
        async move {
            let mut told = 0;
            let found = find(&spans, &asked, |certain| {
                if certain.len() > told {
                    let traces = certain[told..].iter().map(|found| messages::trace(found, shows)).collect();
                    let metrics = Some(About::of(&spans).unfinished());
                    let so_far = SearchResponse { traces, metrics, warnings: Vec::new() };
                    // What finds no place comes with what is found next.
                    if out.try_send(Ok(so_far.encode_to_vec().into())).is_ok() {
                        told = certain.len();
                    }
                }
            })
            .await?;
            let about = About::of(&spans);
            let (metrics, warnings) = (Some(about.search_metrics()), about.warnings);
            let traces = found.iter().map(|found| messages::trace(found, shows)).collect();
            send(&out, parts(traces), |traces| SearchResponse { traces, metrics, warnings: warnings.clone() }).await;
            Ok(())
        }
    })
    .await
}

async fn named(shared: &Arc<Shared>, tenant: TenantId, params: &Params, out: &Out, method: Method) -> Result<(), TempoError> {
    let (question, out) = (Arc::new(tags::Question::read(params, shared)?), out.clone());
    run(shared, tenant, move |spans| {
        let (question, out) = (Arc::clone(&question), out.clone());
        async move {
            let names = question.names(&spans).await?;
            let about = About::of(&spans);
            let (metrics, warnings) = (Some(about.metadata_metrics()), about.warnings);
            if method == Method::SearchTags {
                let make = |tag_names| SearchTagsResponse { tag_names, metrics, warnings: warnings.clone() };
                send(&out, parts(names.together()), make).await;
            } else {
                let make = |scopes| SearchTagsV2Response { scopes, metrics, warnings: warnings.clone() };
                send(&out, parts(of_scopes(names.by_scope())), make).await;
            }
            Ok(())
        }
    })
    .await
}

async fn valued(shared: &Arc<Shared>, tenant: TenantId, params: &Params, out: &Out, method: Method) -> Result<(), TempoError> {
    let Some(tag) = params.get(request::TAG) else {
        return Err(TempoError::Parameters("please provide a non-empty tagName".to_owned()));
    };
    let question = match method {
        Method::SearchTagValues => tag_values::Question::bare(tag, params, shared)?,
        _ => tag_values::Question::field(tag, params, shared)?,
    };
    let (question, out) = (Arc::new(question), out.clone());
    run(shared, tenant, move |spans| {
        let (question, out) = (Arc::clone(&question), out.clone());
        async move {
            let values = question.values(&spans).await?;
            let about = About::of(&spans);
            let (metrics, warnings) = (Some(about.metadata_metrics()), about.warnings);
            if method == Method::SearchTagValues {
                let make = |tag_values| SearchTagValuesResponse { tag_values, metrics, warnings: warnings.clone() };
                send(&out, parts(values.texts()), make).await;
            } else {
                let make = |tag_values| SearchTagValuesV2Response { tag_values, metrics, warnings: warnings.clone() };
                send(&out, parts(values.typed()), make).await;
            }
            Ok(())
        }
    })
    .await
}

async fn measured(shared: &Arc<Shared>, tenant: TenantId, params: &Params, out: &Out, method: Method) -> Result<(), TempoError> {
    let question = match method {
        Method::MetricsQueryRange => metrics_query::Question::over_time(params, shared)?,
        _ => metrics_query::Question::at_once(params, shared)?,
    };
    let (question, out) = (Arc::new(question), out.clone());
    run(shared, tenant, move |spans| {
        let (question, out) = (Arc::clone(&question), out.clone());
        async move {
            let all = question.series(&spans).await?;
            let about = About::of(&spans);
            let (metrics, (status, text)) = (Some(about.search_metrics()), about.status());
            if method == Method::MetricsQueryRange {
                let make = |series| QueryRangeResponse { series, metrics, status, message: text.clone() };
                send(&out, parts(all.iter().map(messages::over_time).collect()), make).await;
            } else {
                let make = |series| QueryInstantResponse { series, metrics, status, message: text.clone() };
                send(&out, parts(all.iter().map(messages::at_once).collect()), make).await;
            }
            Ok(())
        }
    })
    .await
}

/// Sends a message for each part; a client that is gone gets none.
async fn send<T, M: Message>(out: &Out, parts: Vec<Vec<T>>, make: impl Fn(Vec<T>) -> M) {
    for part in parts {
        if out.send(Ok(make(part).encode_to_vec().into())).await.is_err() {
            return;
        }
    }
}
