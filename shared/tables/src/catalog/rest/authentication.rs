//! The `Authorization` header of a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, Timestamp};
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::client::{Failure, RestError, reply_of};
use super::options::RestAuthentication;

/// What a token is asked for where nothing else is configured.
const SCOPE: &str = "catalog";
/// How long a token lives where its server doesn't say, and at most.
const LIFE: Duration = Duration::from_secs(3600);
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A token is renewed when this share of its life is left.
const LEFT: u32 = 4;

/// Knows how to authenticate; renews tokens before they expire.
pub(super) enum Authentication {
    None,
    Bearer(HeaderValue),
    OAuth2(OAuth2),
}

/// Tokens by client credentials.
pub(super) struct OAuth2 {
    url: String,
    form: Vec<(&'static str, String)>,
    clock: Arc<dyn Clock>,
    /// Held while a token is fetched, so that requests that start together fetch one.
    token: tokio::sync::Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    renew_at: Timestamp,
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Authentication {
    /// `base` is the catalog's URL with `/v1`.
    pub(super) fn new(options: RestAuthentication, base: &str, clock: Arc<dyn Clock>) -> Result<Self, RestError> {
        Ok(match options {
            RestAuthentication::None => Self::None,
            RestAuthentication::Bearer(token) => Self::Bearer(bearer(&token)?),
            RestAuthentication::OAuth2 { credential, server_uri, scope } => {
                let (id, secret) = match credential.split_once(':') {
                    Some((id, secret)) => (Some(id.to_owned()), secret.to_owned()),
                    None => (None, credential),
                };
                let mut form = vec![("grant_type", "client_credentials".to_owned()), ("client_secret", secret)];
                form.extend(id.map(|id| ("client_id", id)));
                form.push(("scope", scope.unwrap_or_else(|| SCOPE.to_owned())));
                let url = server_uri.unwrap_or_else(|| format!("{base}/oauth/tokens"));
                Self::OAuth2(OAuth2 { url, form, clock, token: tokio::sync::Mutex::default() })
            }
        })
    }

    /// The header of the next request.
    pub(super) async fn header(&self, http: &reqwest::Client) -> Result<Option<HeaderValue>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::Bearer(header) => Ok(Some(header.clone())),
            Self::OAuth2(oauth2) => oauth2.header(http).await.map(Some),
        }
    }

    /// Gives up a token that the server refused. `false` where there is no other to be had.
    pub(super) async fn refused(&self, header: &HeaderValue) -> bool {
        let Self::OAuth2(oauth2) = self else { return false };
        let mut token = oauth2.token.lock().await;
        // Another request may have got a new one meanwhile.
        if token.as_ref().is_some_and(|token| token.header == *header) {
            *token = None;
        }
        true
    }
}

impl OAuth2 {
    async fn header(&self, http: &reqwest::Client) -> Result<HeaderValue, Failure> {
        let mut token = self.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = token.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.header.clone());
        }
        let fetched = self.fetch(http).await.map_err(|error| Failure::NotSent(RestError::Token(Box::new(error))))?;
        let header = bearer(&fetched.access_token).map_err(Failure::NotSent)?;
        let life = fetched.expires_in.map_or(LIFE, |seconds| Duration::from_secs(seconds).min(LONGEST_LIFE));
        *token = Some(Token { header: header.clone(), renew_at: now + (life - life / LEFT) });
        Ok(header)
    }

    async fn fetch(&self, http: &reqwest::Client) -> Result<TokenReply, RestError> {
        let reply = reply_of(http.post(&self.url).form(&self.form)).await.map_err(Failure::into_error)?;
        if !reply.status.is_success() {
            return Err(RestError::Refused(reply.status));
        }
        // The library's error could show a part of the token.
        reply.json("oauth2 token").map_err(|_| RestError::reply("oauth2 token", "it holds no access_token"))
    }
}

fn bearer(token: &str) -> Result<HeaderValue, RestError> {
    let refuse = |_| RestError::Header { name: "authorization".to_owned() };
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(refuse)?;
    header.set_sensitive(true);
    Ok(header)
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authentication")
    }
}
