use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use icegate_auth::{AuthError, Fetched, Source};
use tokio::sync::OnceCell;

use crate::secrets::Reference;

/// How long a URL may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of a document at a URL.
const MAX_BYTES: usize = 1 << 20;

/// Where a document of keys is that a function reads again and again: a secret, a parameter or a URL. `None` for any other address.
#[must_use]
pub fn outside(address: &str) -> Option<Arc<dyn Source>> {
    if address.starts_with("https://") || address.starts_with("http://") {
        return Some(Arc::new(UrlSource { url: address.to_owned(), client: OnceCell::new() }));
    }
    let reference = Reference::of(address)?;
    Some(Arc::new(AwsSource { arn: address.to_owned(), reference, config: OnceCell::new() }))
}

/// A secret or a parameter of AWS.
#[derive(Debug)]
struct AwsSource {
    arn: String,
    reference: Reference,
    config: OnceCell<SdkConfig>,
}

#[async_trait]
impl Source for AwsSource {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        let config = self.config.get_or_init(|| self.reference.config()).await;
        let read = self.reference.read(config).await;
        let (text, version) = read.map_err(|message| AuthError::Unreadable { place: self.place(), message })?;
        Ok(Fetched { text, version })
    }

    fn place(&self) -> String {
        self.arn.clone()
    }
}

/// A document at a URL.
#[derive(Debug)]
struct UrlSource {
    url: String,
    client: OnceCell<reqwest::Client>,
}

impl UrlSource {
    async fn text(&self) -> Result<String, reqwest::Error> {
        let client = self.client.get_or_try_init(async || reqwest::Client::builder().timeout(TIMEOUT).build()).await?;
        let mut answer = client.get(&self.url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await?
            && body.len() <= MAX_BYTES
        {
            body.extend_from_slice(&piece);
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

#[async_trait]
impl Source for UrlSource {
    async fn fetch(&self) -> Result<Fetched, AuthError> {
        let unreadable = |message| AuthError::Unreadable { place: self.place(), message };
        let text = self.text().await.map_err(|error| unreadable(error.without_url().to_string()))?;
        if text.len() > MAX_BYTES {
            return Err(unreadable(format!("it has more than {MAX_BYTES} bytes")));
        }
        Ok(Fetched { text, version: None })
    }

    fn place(&self) -> String {
        self.url.clone()
    }
}
