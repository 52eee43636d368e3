//! Stores as their users meet them: the rules on every store, and S3 behind a server that misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conformance;
mod faults;
mod scripted;

use icegate_storage::Stores;
use icegate_storage::aws::AwsOptions;

/// Stores on an S3 server of a test.
fn stores(endpoint: String) -> Stores {
    Stores::new(options(endpoint))
}

fn options(endpoint: String) -> AwsOptions {
    AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(endpoint),
        credentials: Some(("key".to_owned(), "secret".to_owned())),
        request_timeout: None,
    }
}
