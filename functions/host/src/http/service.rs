use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use icegate_model::{Clock, SystemClock};
use lambda_runtime::{Context, FunctionResponse, LambdaEvent};
use tower::ServiceExt;
use tracing::Instrument;

use super::admission::Admission;
use super::answer::{self, TooLarge};
use super::compress::takes_gzip;
use super::event::{Event, Payload};
use super::head::head;
use super::reply::Reply;
use super::{Http, body};
use crate::emf::{Emf, Measured};
use crate::events::Deadline;
use crate::{HostError, Settings, Start};

/// What Lambda is given for a request.
pub(crate) type Answer = FunctionResponse<Reply, BodyDataStream>;

/// What is left of a function's own time for the answer to reach Lambda, where it has that much.
const MARGIN: Duration = Duration::from_secs(1);

/// Answers the requests in events.
#[derive(Debug)]
pub(crate) struct Service {
    http: Http,
    settings: Settings,
    admission: Admission,
    clock: Arc<dyn Clock>,
    emf: Emf,
    /// How long it took until the first event could be taken.
    init: Duration,
    warm: AtomicBool,
}

/// What the log says of an invocation.
#[derive(Debug)]
struct Account {
    began: Instant,
    bytes_in: usize,
    key_id: Option<String>,
}

impl Service {
    pub(crate) fn new(start: &Start, http: Http, admission: Admission, emf: Emf) -> Self {
        Self {
            http,
            settings: start.settings.clone(),
            admission,
            clock: Arc::new(SystemClock),
            emf,
            init: start.elapsed(),
            warm: AtomicBool::new(false),
        }
    }

    #[cfg(test)]
    pub(crate) fn at(http: Http, settings: Settings, admission: Admission, clock: Arc<dyn Clock>) -> Self {
        let (emf, init) = (Emf::new("tests", "tests", prometheus_client::registry::Registry::default()), Duration::ZERO);
        Self { http, settings, admission, clock, emf, init, warm: AtomicBool::new(false) }
    }

    /// Answers one event. An error means that it holds no request: there is nobody to answer.
    pub(crate) async fn answer(&self, event: LambdaEvent<Event>) -> Result<Answer, HostError> {
        let (began, cold) = (Instant::now(), !self.warm.swap(true, Ordering::Relaxed));
        let (event, context) = event.into_parts();
        let span = tracing::info_span!(
            "invocation",
            request_id = context.request_id,
            gateway_request_id = event.gateway_request(),
            method = event.method().unwrap_or_default(),
            path = event.path().unwrap_or_default(),
        );
        let answered = self.answer_to(event, &context, began).instrument(span).await;
        self.emf.write(&Measured {
            at: self.clock.now(),
            request_id: &context.request_id,
            millis: began.elapsed().as_secs_f64() * 1_000.0,
            failed: answered.is_err(),
            init_millis: cold.then_some(self.init.as_secs_f64() * 1_000.0),
        });
        answered
    }

    async fn answer_to(&self, event: Event, context: &Context, began: Instant) -> Result<Answer, HostError> {
        let (payload, mut account) = (event.payload(), Account { began, bytes_in: 0, key_id: None });
        let base_path = self.settings.base_path.as_deref().unwrap_or(self.http.base_path);
        let (parts, response) = match head(&event, base_path)? {
            Ok(mut parts) => match self.admit(&mut parts, &event, &mut account).await {
                Some(refused) => (parts, refused),
                None => {
                    let response = self.ask(&parts, event, context, &mut account).await?;
                    (parts, response)
                }
            },
            Err(error) => {
                let (parts, _) = Request::new(()).into_parts();
                let refused = (self.http.refuse)(&parts, StatusCode::BAD_REQUEST, &error.to_string());
                (parts, refused)
            }
        };
        Ok(self.reply(&parts, payload, response, &account).await)
    }

    /// Lets the request through to one tenant, or says why not (TENANT-1).
    async fn admit(&self, parts: &mut Parts, event: &Event, account: &mut Account) -> Option<Response> {
        let refusal = match self.admission.admit(event, &mut parts.headers, self.http.need).await {
            Ok(key_id) => {
                account.key_id = key_id;
                return None;
            }
            Err(refusal) => refusal,
        };
        let status = icegate_http::status(refusal.kind());
        tracing::warn!(status = status.as_u16(), error = %refusal, "request refused");
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
                let message =
                    format!("no answer within {} s, after which nobody waits for it: {}", within.as_secs_f64(), self.http.advice);
                tracing::warn!(within_ms = millis(within), "no answer in time");
                (self.http.refuse)(parts, self.http.late, &message)
            }
        })
    }

    /// How long the router has.
    fn within(&self, event: &Event, context: &Context) -> Duration {
        let left = Deadline::given(context.deadline, self.clock.as_ref()).left(self.clock.as_ref());
        let own = left.saturating_sub(MARGIN.min(left / 4));
        if event.is_of_function_url() { own } else { own.min(self.settings.answer_within) }
    }

    /// The response in the form that Lambda passes on, or the error instead of one that it wouldn't.
    async fn reply(&self, parts: &Parts, payload: Payload, response: Response, account: &Account) -> Answer {
        let (status, gzip, most) = (response.status(), takes_gzip(&parts.headers), self.settings.answer_bytes());
        let whole = if self.settings.streaming {
            answer::streamed(response, gzip, most).await.map(FunctionResponse::StreamingResponse)
        } else {
            answer::buffered(payload, response, gzip, most).await.map(FunctionResponse::BufferedResponse)
        };
        let status = whole.as_ref().err().map_or(status, TooLarge::status);
        tracing::info!(
            status = status.as_u16(),
            took_ms = millis(account.began.elapsed()),
            bytes_in = account.bytes_in,
            key_id = account.key_id,
            "answered"
        );
        match whole {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "the answer is not sent");
                let refused = (self.http.refuse)(parts, error.status(), &error.to_string());
                answer::small(payload, refused, self.settings.streaming).await
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
