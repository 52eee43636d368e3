//! Requests to a REST catalog: authenticated, bounded in time and size, and what is known when they fail.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use icegate_model::Clock;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::authentication::Authentication;
use super::options::RestOptions;

/// Longest time of one request. A catalog that hangs is one that is down.
const REQUEST: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(3);
/// Most bytes of a reply: metadata with very many snapshots.
const MAX_REPLY: usize = 256 << 20;
/// Characters of a server's message that are passed on.
const MAX_MESSAGE: usize = 500;

/// What went wrong between us and the server.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestError {
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("http status {status}: {message}")]
    Status { status: StatusCode, message: String },
    #[error("no oauth2 token: {0}")]
    Token(Box<RestError>),
    /// Without what the server said: it may repeat what it was sent.
    #[error("http status {0}")]
    Refused(StatusCode),
    #[error("{what}: can't read the reply: {reason}")]
    Reply { what: &'static str, reason: String },
    #[error("the reply is larger than {MAX_REPLY} bytes")]
    TooLarge,
    #[error("header {name} holds what no header may")]
    Header { name: String },
}

impl RestError {
    pub(super) fn reply(what: &'static str, reason: impl ToString) -> Self {
        Self::Reply { what, reason: reason.to_string() }
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Failure {
    /// The request never reached the server.
    NotSent(RestError),
    /// The request may have been served.
    Lost(RestError),
}

impl Failure {
    pub(super) fn into_error(self) -> RestError {
        match self {
            Self::NotSent(error) | Self::Lost(error) => error,
        }
    }
}

/// What the server said.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

#[derive(Deserialize)]
struct ErrorReply {
    error: ErrorModel,
}

#[derive(Deserialize)]
struct ErrorModel {
    #[serde(default)]
    message: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Reply {
    /// The reply as an error, with the server's own message.
    pub(super) fn error(&self) -> RestError {
        let message = match serde_json::from_slice::<ErrorReply>(&self.body) {
            Ok(ErrorReply { error: ErrorModel { message, kind } }) => format!("{kind}: {message}"),
            Err(_) => String::from_utf8_lossy(&self.body).into_owned(),
        };
        RestError::Status { status: self.status, message: message.chars().take(MAX_MESSAGE).collect() }
    }

    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self, what: &'static str) -> Result<T, RestError> {
        serde_json::from_slice(&self.body).map_err(|error| RestError::reply(what, error))
    }
}

/// Asks one catalog.
pub(super) struct Client {
    http: reqwest::Client,
    authentication: Authentication,
}

impl Client {
    /// `base` is the catalog's URL with `/v1`.
    pub(super) fn new(options: &RestOptions, base: &str, clock: Arc<dyn Clock>) -> Result<Self, RestError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let refuse = || RestError::Header { name: name.clone() };
            let key: HeaderName = name.parse().map_err(|_| refuse())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| refuse())?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let authentication = Authentication::new(options.authentication.clone(), base, clock)?;
        Ok(Self { http, authentication })
    }

    /// One request, and once more with a new token where the server refuses the one that it got.
    pub(super) async fn call(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Reply, Failure> {
        let mut repeated = false;
        loop {
            let header = self.authentication.header(&self.http).await?;
            let mut request = self.http.request(method.clone(), url);
            if let Some(header) = &header {
                request = request.header(AUTHORIZATION, header);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let reply = reply_of(request).await?;
            let refused = reply.status == StatusCode::UNAUTHORIZED && !repeated;
            match header {
                Some(header) if refused && self.authentication.refused(&header).await => repeated = true,
                _ => return Ok(reply),
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Sends a request and reads the whole reply.
pub(super) async fn reply_of(request: RequestBuilder) -> Result<Reply, Failure> {
    let mut response = request.send().await.map_err(|error| {
        // URLs may hold what is nobody else's business.
        let error = error.without_url();
        if error.is_connect() || error.is_builder() { Failure::NotSent(error.into()) } else { Failure::Lost(error.into()) }
    })?;
    let status = response.status();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::Lost(error.without_url().into()))? {
        if body.len() + chunk.len() > MAX_REPLY {
            return Err(Failure::Lost(RestError::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body: body.freeze() })
}
