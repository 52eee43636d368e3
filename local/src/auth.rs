//! Who may ask this process, as it is configured.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use icegate_auth::{AuthError, Authenticator, Fetched, Metrics, Source};
use icegate_model::{Clock, SystemClock};
use icegate_runtime::config::{Auth, AuthMode};
use prometheus_client::registry::Registry;

use crate::error::ProcessError;

/// How long a URL may take to answer.
const URL_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of a document at a URL.
const MAX_URL_BYTES: usize = 1 << 20;

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
    let is_url = address.starts_with("https://") || address.starts_with("http://");
    is_url.then(|| Arc::new(UrlSource { url: address.to_owned() }) as Arc<dyn Source>)
}

/// A document at a URL.
#[derive(Debug)]
struct UrlSource {
    url: String,
}

impl UrlSource {
    async fn text(&self) -> Result<String, String> {
        // Where the configuration says, and not where an answer says.
        let client = reqwest::Client::builder().timeout(URL_TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let readable = |error: reqwest::Error| error.without_url().to_string();
        let answer = client.build().map_err(readable)?.get(&self.url).send().await.map_err(readable)?;
        if !answer.status().is_success() {
            return Err(format!("the answer is {}", answer.status()));
        }
        let (mut answer, mut body) = (answer, Vec::new());
        while let Some(piece) = answer.chunk().await.map_err(readable)? {
            body.extend_from_slice(&piece);
            if body.len() > MAX_URL_BYTES {
                return Err(format!("it has more than {MAX_URL_BYTES} bytes"));
            }
        }
        String::from_utf8(body).map_err(|_| "it isn't UTF-8".to_owned())
    }
}

#[async_trait]
impl Source for UrlSource {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        let text = self.text().await.map_err(|message| AuthError::Unreadable { place: self.place(), message })?;
        Ok(Fetched { text, version: None })
    }

    fn place(&self) -> String {
        self.url.clone()
    }
}
