use std::sync::Arc;

use http::HeaderMap;
use icegate_auth::{AuthError, Authenticator, Grant, Iam, Metrics, Refusal, Scope};
use icegate_model::Clock;
use icegate_runtime::config::{Auth, AuthMode};

use super::event::Event;
use crate::outside;

/// Who says for which tenants a request may act (TENANT-1).
#[derive(Debug)]
pub(crate) enum Admission {
    /// The client, by `X-Scope-OrgID`.
    Header,
    /// The gateway's authorizer, by its context.
    Authorizer,
    /// Keys and JWTs, looked at here: for a function URL, before which no authorizer stands.
    Keys(Box<Authenticator>),
    /// The gateway's IAM authorization, by the caller's ARN.
    Iam(Iam),
}

impl Admission {
    /// As it is configured.
    pub(crate) async fn open(config: &Auth, clock: &Arc<dyn Clock>, metrics: Metrics) -> Result<Self, AuthError> {
        Ok(match config.mode {
            AuthMode::Header => Self::Header,
            AuthMode::Authorizer => Self::Authorizer,
            AuthMode::ApiKeys | AuthMode::Jwt => {
                Self::Keys(Box::new(Authenticator::open(config, &outside, Arc::clone(clock), metrics).await?))
            }
            AuthMode::Iam => Self::Iam(callers(config).await?),
        })
    }

    /// Lets a request through to one tenant: who holds the grant, for the log.
    pub(crate) async fn admit(&self, event: &Event, headers: &mut HeaderMap, need: Scope) -> Result<Option<String>, Refusal> {
        let grant = match self {
            Self::Header => return Ok(None),
            Self::Keys(keys) => keys.admit(headers, need).await?,
            Self::Authorizer => admitted(Grant::from_context(|name| event.authorized(name))?, headers, need)?,
            Self::Iam(iam) => admitted(iam.grant(event.caller().unwrap_or_default())?, headers, need)?,
        };
        Ok(grant.key_id().map(str::to_owned))
    }
}

fn admitted(grant: Grant, headers: &mut HeaderMap, need: Scope) -> Result<Grant, Refusal> {
    grant.admit(headers, need).map(|()| grant)
}

async fn callers(config: &Auth) -> Result<Iam, AuthError> {
    const KEY: &str = "auth.callers";
    let document = config.callers.as_ref().ok_or_else(|| AuthError::Config { key: KEY, message: "it is missing".to_owned() })?;
    let Some(address) = document.address() else { return Iam::parse(&document.text("callers")) };
    let unknown = || AuthError::Config { key: KEY, message: format!("{address}: a function can't read from there") };
    Iam::parse(&outside(address).ok_or_else(unknown)?.fetch().await?.text)
}
