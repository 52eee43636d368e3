//! Who may ask this process, as it is configured.

use std::sync::Arc;

use icegate_auth::{AuthError, Authenticator, Metrics, Source, UrlSource};
use icegate_model::{Clock, SystemClock};
use icegate_runtime::config::{Auth, AuthMode};
use prometheus_client::registry::Registry;

use crate::error::ProcessError;

/// What looks at credentials; none where the tenant's header is believed.
pub(crate) async fn open(
    config: &Auth,
    clock: &Arc<dyn Clock>,
    registry: &mut Registry,
) -> Result<Option<Authenticator>, ProcessError> {
    if !looks_at_credentials(config)? {
        return Ok(None);
    }
    let metrics = Metrics::register(registry);
    Ok(Some(Authenticator::open(config, &outside, Arc::clone(clock), metrics).await?))
}

/// Whether it could be opened; what lies at a URL isn't asked for.
pub(crate) async fn check(config: &Auth) -> Result<(), ProcessError> {
    let mut here = config.clone();
    here.jwt = here.jwt.filter(|jwt| jwt.jwks_url.is_none());
    if looks_at_credentials(&here)? {
        Authenticator::open(&here, &outside, Arc::new(SystemClock), Metrics::default()).await?;
    }
    Ok(())
}

fn looks_at_credentials(config: &Auth) -> Result<bool, ProcessError> {
    let gateway = "nothing stands before this process that it could believe; it is for functions behind API Gateway, allowed are header, api_keys and jwt";
    match config.mode {
        AuthMode::Header => Ok(false),
        AuthMode::ApiKeys | AuthMode::Jwt => Ok(true),
        mode @ (AuthMode::Authorizer | AuthMode::Iam) => {
            Err(AuthError::Config { key: "auth.mode", message: format!("{}: {gateway}", mode.name()) }.into())
        }
    }
}

fn outside(address: &str) -> Option<Arc<dyn Source>> {
    UrlSource::of(address).map(|url| Arc::new(url) as Arc<dyn Source>)
}
