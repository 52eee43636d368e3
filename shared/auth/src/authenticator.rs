use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use icegate_model::Clock;
use icegate_runtime::config::{Auth, AuthMode, Document, JwtAuth};

use crate::jwks::Jwks;
use crate::jwt::{Jwt, reader};
use crate::keys::Rejected;
use crate::refreshed::Refreshed;
use crate::{ApiKey, AuthError, FileSource, Grant, Keys, Metrics, Refusal, Scope, Source, credentials, key};

/// Who asks, by API keys and JWTs, as the configuration says.
#[derive(Debug)]
pub struct Authenticator {
    keys: Option<Refreshed<Keys>>,
    jwt: Option<Jwt>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// Makes the source of a document at an address that isn't a file: `https://…`, `arn:…`. `None` where the host has none for it.
pub type Outside<'a> = &'a (dyn Fn(&str) -> Option<Arc<dyn Source>> + Sync);

impl Authenticator {
    /// Reads the documents that the configuration names; each has to be good now, and is read again later.
    ///
    /// # Errors
    /// [`AuthError`], also where the mode isn't one of keys or JWTs.
    pub async fn open(config: &Auth, outside: Outside<'_>, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Self, AuthError> {
        let opening = Opening { outside, clock: &clock, metrics: &metrics };
        let keys = match config.mode {
            AuthMode::ApiKeys => Some(opening.keys(config).await?),
            AuthMode::Jwt => None,
            AuthMode::Header | AuthMode::Authorizer | AuthMode::Iam => {
                return Err(AuthError::Config {
                    key: "auth.mode",
                    message: "only api_keys and jwt look at credentials".to_owned(),
                });
            }
        };
        let jwt = match &config.jwt {
            Some(jwt) => Some(Jwt::new(jwt, opening.jwks(jwt).await?)),
            None => None,
        };
        Ok(Self { keys, jwt, clock, metrics })
    }

    /// What the credentials in the headers allow.
    ///
    /// # Errors
    /// [`Refusal`], mostly [`Refusal::Unauthenticated`]; [`Refusal::Forbidden`] where the caller is known and is granted nothing.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Grant, Refusal> {
        let token = credentials::token(headers)?;
        match (ApiKey::read(&token), &self.keys, &self.jwt) {
            (Some(key), Some(keys), _) => self.of_key(keys, &key).await,
            (None, _, Some(jwt)) if !token.starts_with(key::PREFIX) => jwt.grant(&token, self.clock.now()).await,
            _ => Err(unknown()),
        }
    }

    /// Authenticates and lets through in one: what a host does with every request. Counted.
    ///
    /// # Errors
    /// As [`Authenticator::authenticate`] and [`Grant::admit`]. The credentials are out of the headers then, too.
    pub async fn admit(&self, headers: &mut HeaderMap, need: Scope) -> Result<Grant, Refusal> {
        let granted = self.authenticate(headers).await;
        headers.remove(http::header::AUTHORIZATION);
        let admitted = granted.and_then(|grant| grant.admit(headers, need).map(|()| grant));
        self.metrics.decided(&admitted.as_ref().map(|_| ()).map_err(Clone::clone));
        admitted
    }

    async fn of_key(&self, keys: &Refreshed<Keys>, key: &ApiKey) -> Result<Grant, Refusal> {
        let now = self.clock.now();
        let granted = match keys.current().await.grant(key, now) {
            // It may be newer than the document that is known.
            Err(Rejected::Unknown) => keys.newest().await.grant(key, now),
            granted => granted,
        };
        granted.map_err(|rejected| match rejected {
            Rejected::Unknown => unknown(),
            Rejected::Unusable(refusal) => refusal,
        })
    }
}

fn unknown() -> Refusal {
    Refusal::unauthenticated("the key is not valid")
}

struct Opening<'a> {
    outside: Outside<'a>,
    clock: &'a Arc<dyn Clock>,
    metrics: &'a Metrics,
}

impl Opening<'_> {
    async fn keys(&self, config: &Auth) -> Result<Refreshed<Keys>, AuthError> {
        let every = Duration::from_secs(config.refresh_secs);
        self.open("keys", &config.keys, &config.keys_file.clone().map(FileSource), "auth.keys", every, Keys::parse).await
    }

    async fn jwks(&self, config: &JwtAuth) -> Result<Refreshed<Jwks>, AuthError> {
        let every = Duration::from_secs(config.refresh_secs);
        let at_url = config.jwks_url.clone().map(Document::Text);
        let document = config.jwks.clone().or(at_url);
        let file = config.jwks_file.clone().map(FileSource);
        self.open("jwks", &document, &file, "auth.jwt.jwks", every, reader(&config.algorithms)).await
    }

    async fn open<T>(
        &self,
        name: &'static str,
        document: &Option<Document>,
        file: &Option<FileSource>,
        key: &'static str,
        every: Duration,
        parse: impl Fn(&str) -> Result<T, AuthError> + Send + Sync + 'static,
    ) -> Result<Refreshed<T>, AuthError> {
        let source: Arc<dyn Source> = match (document, file) {
            (Some(document), _) => match document.address() {
                None => {
                    let fixed = Refreshed::fixed(name, document.text("keys"), parse, Arc::clone(self.clock));
                    return fixed.map_err(|error| error.within(key));
                }
                Some(address) => (self.outside)(address)
                    .ok_or_else(|| AuthError::Config { key, message: format!("{address}: this host can't read from there") })?,
            },
            (None, Some(file)) => Arc::new(file.clone()),
            (None, None) => return Err(AuthError::Config { key, message: "it is missing".to_owned() }),
        };
        Refreshed::open(name, source, parse, every, Arc::clone(self.clock), self.metrics.clone()).await
    }
}

#[cfg(test)]
mod tests;
