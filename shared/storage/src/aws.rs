//! One credential chain and one TLS provider for everything that speaks to AWS.

use std::fmt;
use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// How long S3 may leave a request without a byte where nothing else is said.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Where AWS is and who asks. What is `None` comes from the environment as every AWS tool reads it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsOptions {
    /// The region.
    pub region: Option<String>,
    /// URL of a server that speaks the service's protocol, instead of the region's own. `http://` is allowed, and the bucket is
    /// part of the path.
    pub endpoint: Option<String>,
    /// Key id and secret, instead of the default chain (environment, profile, web identity, container, instance).
    pub credentials: Option<(String, String)>,
    /// How long S3 may leave a request without a byte, upload aside, before it counts as failed: [`REQUEST_TIMEOUT`] where `None`.
    pub request_timeout: Option<Duration>,
}

impl fmt::Debug for AwsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsOptions").field("region", &self.region).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What the SDK's clients are made from.
pub async fn sdk_config(options: &AwsOptions) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some((id, secret)) = &options.credentials {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "icegate configuration"));
    }
    loader.load().await
}
