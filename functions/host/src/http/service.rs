use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use icegate_auth::Grant;
use icegate_model::{Clock, SystemClock};
use icegate_runtime::config::AuthMode;
use lambda_runtime::{Context, FunctionResponse, LambdaEvent};
use tower::ServiceExt;
use tracing::Instrument;

use super::answer::{self, TooLarge};
use super::compress::takes_gzip;
use super::event::{Event, Payload};
use super::head::head;
use super::reply::Reply;
use super::{Http, body};
use crate::{HostError, Settings, Start};

/// What is left of a function's own time for the answer to reach Lambda, where it has that much.
const MARGIN: Duration = Duration::from_secs(1);

/// Answers the requests in events.
#[derive(Debug)]
pub(crate) struct Service {
    http: Http,
    settings: Settings,
    auth: AuthMode,
    clock: Arc<dyn Clock>,
    warm: AtomicBool,
}

/// What the log says of an invocation.
#[derive(Debug, Default)]
struct Account {
    bytes_in: usize,
    key_id: Option<String>,
}

impl Service {
    pub(crate) fn new(start: &Start, http: Http) -> Self {
        Self::with(http, start.settings.clone(), start.config.auth.mode, Arc::new(SystemClock))
    }

    pub(crate) const fn with(http: Http, settings: Settings, auth: AuthMode, clock: Arc<dyn Clock>) -> Self {
        Self { http, settings, auth, clock, warm: AtomicBool::new(false) }
    }

    /// Answers one event. An error means that it holds no request: there is nobody to answer.
    pub(crate) async fn answer(&self, event: LambdaEvent<Event>) -> Result<FunctionResponse<Reply, BodyDataStream>, HostError> {
        let (event, context) = event.into_parts();
        let span = tracing::info_span!(
            "invocation",
            request_id = context.request_id,
            gateway_request_id = event.gateway_request(),
            method = event.method().unwrap_or_default(),
            path = event.path().unwrap_or_default(),
        );
        self.answer_within(event, &context).instrument(span).await
    }

    async fn answer_within(&self, event: Event, context: &Context) -> Result<FunctionResponse<Reply, BodyDataStream>, HostError> {
        let (began, payload, mut account) = (Instant::now(), event.payload(), Account::default());
        let base_path = self.settings.base_path.as_deref().unwrap_or(self.http.base_path);
        let mut parts = match head(&event, base_path)? {
            Ok(parts) => parts,
            Err(error) => {
                let (parts, ()) = Request::new(()).into_parts();
                let refused = (self.http.refuse)(&parts, StatusCode::BAD_REQUEST, &error.to_string());
                return Ok(self.reply(&parts, payload, refused, began, &account).await);
            }
        };
        let refused = self.admit(&mut parts, &event, &mut account);
        let response = match refused {
            Some(refused) => refused,
            None => self.ask(&parts, event, context, &mut account).await?,
        };
        Ok(self.reply(&parts, payload, response, began, &account).await)
    }

    /// Lets the request through to one tenant, or says why not (TENANT-1).
    fn admit(&self, parts: &mut Parts, event: &Event, account: &mut Account) -> Option<Response> {
        if self.auth == AuthMode::Header {
            return None;
        }
        let admitted = Grant::from_context(|name| event.authorized(name)).and_then(|grant| {
            account.key_id = grant.key_id().map(str::to_owned);
            grant.admit(&mut parts.headers, self.http.need)
        });
        let refusal = admitted.err()?;
        let status = icegate_http::status(refusal.kind());
        tracing::warn!(key_id = account.key_id, status = status.as_u16(), error = %refusal, "request refused");
        let mut response = (self.http.refuse)(parts, status, &refusal.to_string());
        if let Some(challenge) = icegate_http::challenge(status).and_then(|challenge| challenge.parse().ok()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        Some(response)
    }

    /// Asks the router, until the gateway or Lambda would stop waiting.
    async fn ask(&self, parts: &Parts, event: Event, context: &Context, account: &mut Account) -> Result<Response, HostError> {
        let within = self.within(&event, context);
        let body = match body::decode(event)? {
            Ok(body) => body,
            Err(too_large) => return Ok((self.http.refuse)(parts, StatusCode::PAYLOAD_TOO_LARGE, &too_large.to_string())),
        };
        account.bytes_in = body.len();
        let request = Request::from_parts(parts.clone(), Body::from(body));
        let answered = tokio::time::timeout(within, self.http.router.clone().oneshot(request)).await;
        Ok(match answered {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => {
                let message = format!("no answer within {} s, after which nobody waits for it: {}", within.as_secs_f64(), self.http.advice);
                tracing::warn!(within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX), "no answer in time");
                (self.http.refuse)(parts, self.http.late, &message)
            }
        })
    }

    /// How long the router has.
    fn within(&self, event: &Event, context: &Context) -> Duration {
        let now = u64::try_from(self.clock.now().nanos() / 1_000_000).unwrap_or(0);
        let left = Duration::from_millis(context.deadline.saturating_sub(now));
        let own = left.saturating_sub(MARGIN.min(left / 4));
        if event.is_of_function_url() { own } else { own.min(self.settings.answer_within) }
    }

    async fn reply(
        &self,
        parts: &Parts,
        payload: Payload,
        response: Response,
        began: Instant,
        account: &Account,
    ) -> FunctionResponse<Reply, BodyDataStream> {
        let (status, gzip) = (response.status(), takes_gzip(&parts.headers));
        let most = self.settings.answer_bytes();
        let whole = if self.settings.streaming {
            answer::streamed(response, gzip, most).await.map(FunctionResponse::StreamingResponse)
        } else {
            answer::buffered(payload, response, gzip, most).await.map(FunctionResponse::BufferedResponse)
        };
        let cold = !self.warm.swap(true, Ordering::Relaxed);
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = whole.as_ref().err().map_or(status, TooLarge::status);
        tracing::info!(
            status = status.as_u16(),
            took_ms = took,
            bytes_in = account.bytes_in,
            key_id = account.key_id,
            cold_start = cold,
            "answered"
        );
        match whole {
            Ok(answer) => answer,
            Err(error) => self.too_large(parts, payload, &error).await,
        }
    }

    /// The error instead of an answer that can't be sent.
    async fn too_large(&self, parts: &Parts, payload: Payload, error: &TooLarge) -> FunctionResponse<Reply, BodyDataStream> {
        tracing::warn!(%error, "the answer is not sent");
        let refused = (self.http.refuse)(parts, error.status(), &error.to_string());
        answer::small(payload, refused, self.settings.streaming).await
    }
}
