//! What Glue and S3 Tables share.

use std::time::Duration;

use aws_sdk_glue::config::http::HttpResponse;
use aws_sdk_glue::config::timeout::TimeoutConfig;
use aws_sdk_glue::error::SdkError;
use icegate_storage::aws::{AwsOptions, SdkConfig, sdk_config};
use tokio::sync::OnceCell;

/// Longest time of one try of a request, and of a request with its repeats.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(3);

/// A service's client, made when it is first needed: a function that starts for an event without work never asks the catalog.
#[derive(Debug)]
pub(super) struct Lazy<C> {
    options: AwsOptions,
    make: fn(&SdkConfig) -> C,
    client: OnceCell<C>,
}

impl<C> Lazy<C> {
    pub(super) fn new(options: AwsOptions, make: fn(&SdkConfig) -> C) -> Self {
        Self { options, make, client: OnceCell::new() }
    }

    pub(super) async fn get(&self) -> &C {
        self.client.get_or_init(|| async { (self.make)(&sdk_config(&self.options).await) }).await
    }
}

/// A catalog that hangs is one that is down.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build()
}

/// Whether a failed write may have happened: no reply came, one that can't be read, or one that says that the service broke.
pub(super) fn is_unknown<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(service) => {
            let status = service.raw().status();
            status.is_success() || (status.is_server_error() && status.as_u16() != 503)
        }
        _ => true,
    }
}
