use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use icegate_model::SystemClock;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, Error, Result, RetryConfig};
use reqwest::Url;

use super::connection::Connection;
use super::credentials::Chain;
use super::{FIRST_BACKOFF, MAX_BACKOFF, MAX_RETRIES, RETRY_BUDGET};
use crate::StorageError;
use crate::aws::{self, AwsOptions};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Unused connections are closed after this, before the server does it under a request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// The region of servers that have none.
const ANY_REGION: &str = "us-east-1";

/// A client of a bucket. Reads the environment, the profile and, for a region that neither has, the instance's metadata.
pub(super) async fn connect(bucket: &str, options: &AwsOptions) -> Result<AmazonS3> {
    let sdk = aws::sdk_config(options).await;
    let endpoint = options.endpoint.clone().or_else(|| configured_endpoint(&sdk));
    if let Some(endpoint) = &endpoint {
        check_endpoint(endpoint).map_err(|error| generic(error.to_string()))?;
    }
    let region = match (sdk.region(), &endpoint) {
        (Some(region), _) => region.to_string(),
        (None, Some(_)) => ANY_REGION.to_owned(),
        (None, None) => return Err(generic("no region is configured: set storage.backend.s3.region or AWS_REGION")),
    };
    let provider = sdk.credentials_provider().ok_or_else(|| generic("no credentials are configured"))?;
    let builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&region)
        .with_credentials(Arc::new(Chain::new(provider, Arc::new(SystemClock))))
        .with_retry(retry())
        .with_http_connector(Connector { silence: options.request_timeout.unwrap_or(aws::REQUEST_TIMEOUT) });
    addressed(builder, bucket, &region, endpoint).build()
}

/// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the profile's `endpoint_url`.
fn configured_endpoint(sdk: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    sdk.service_config()?.load_config(key).filter(|endpoint| !endpoint.is_empty())
}

/// The bucket is part of the path on a server of one's own, which has one name, and part of the host on AWS, except where a dot in
/// it would leave the certificate.
fn addressed(builder: AmazonS3Builder, bucket: &str, region: &str, endpoint: Option<String>) -> AmazonS3Builder {
    // object_store knows the suffix of one partition.
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint).with_virtual_hosted_style_request(false),
        None if bucket.contains('.') => {
            builder.with_endpoint(format!("https://s3.{region}.{suffix}")).with_virtual_hosted_style_request(false)
        }
        None => builder.with_endpoint(format!("https://{bucket}.s3.{region}.{suffix}")).with_virtual_hosted_style_request(true),
    }
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: FIRST_BACKOFF, max_backoff: MAX_BACKOFF, base: 2.0 };
    RetryConfig { backoff, max_retries: MAX_RETRIES, retry_timeout: RETRY_BUDGET }
}

/// Whether a URL is one of a server: a scheme, a host, perhaps a port and a path, nothing else.
pub(crate) fn check_endpoint(endpoint: &str) -> std::result::Result<(), StorageError> {
    let invalid = |reason: String| Err(StorageError::Endpoint { endpoint: endpoint.to_owned(), reason });
    let url = match Url::parse(endpoint) {
        Ok(url) => url,
        Err(error) => return invalid(error.to_string()),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return invalid(format!("scheme {:?}", url.scheme()));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return invalid("it has a query, a fragment or credentials".to_owned());
    }
    Ok(())
}

fn generic(message: impl Into<String>) -> Error {
    Error::Generic { store: "S3", source: message.into().into() }
}

/// Makes the pool of connections of a bucket.
#[derive(Debug)]
struct Connector {
    silence: Duration,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        // Sizes and ranges are of the bytes as they are stored, so that nothing may be decompressed on the way.
        let builder = reqwest::Client::builder().no_gzip().no_brotli().no_zstd().no_deflate();
        let client = builder.connect_timeout(CONNECT_TIMEOUT).pool_idle_timeout(IDLE_TIMEOUT).http1_only().build();
        let client = client.map_err(|error| generic(error.to_string()))?;
        Ok(HttpClient::new(Connection::new(client, self.silence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_a_scheme_and_a_host_and_no_more() {
        for endpoint in ["http://minio:9000", "https://s3.example.com/", "http://127.0.0.1:1", "https://gateway/s3"] {
            assert!(check_endpoint(endpoint).is_ok(), "{endpoint}");
        }
        for endpoint in ["", "minio:9000", "ftp://minio", "http://", "http://a b/", "http://key:secret@minio", "http://m/?x=1"] {
            let error = check_endpoint(endpoint).unwrap_err();
            assert_eq!(error.kind(), icegate_model::ErrorKind::Invalid, "{endpoint}");
            assert!(error.to_string().contains("http://HOST:PORT"), "{endpoint}: {error}");
        }
    }

    #[test]
    fn a_bucket_is_part_of_the_host_on_aws_and_of_the_path_elsewhere() {
        for (bucket, region, endpoint, url) in [
            ("lake", "eu-west-1", None, "https://lake.s3.eu-west-1.amazonaws.com/a"),
            ("my.lake", "eu-west-1", None, "https://s3.eu-west-1.amazonaws.com/my.lake/a"),
            ("lake", "cn-north-1", None, "https://lake.s3.cn-north-1.amazonaws.com.cn/a"),
            ("lake", "us-east-1", Some("http://minio:9000/"), "http://minio:9000/lake/a"),
        ] {
            let builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(region).with_skip_signature(true);
            let builder = addressed(builder, bucket, region, endpoint.map(str::to_owned));
            assert!(format!("{:?}", builder.build().unwrap()).contains(url.trim_end_matches("/a")), "{url}");
        }
    }
}
