use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use icegate_auth::{AuthError, Fetched, Source, UrlSource};
use tokio::sync::OnceCell;

use crate::secrets::Reference;

/// Where a document of keys is that a function reads again and again: a secret, a parameter or a URL. `None` for any other address.
#[must_use]
pub fn outside(address: &str) -> Option<Arc<dyn Source>> {
    if let Some(url) = UrlSource::of(address) {
        return Some(Arc::new(url));
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
