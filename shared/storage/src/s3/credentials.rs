use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use icegate_model::{Clock, Timestamp};
use object_store::aws::AwsCredential;
use object_store::{CredentialProvider, Error, Result};
use tokio::sync::Mutex;

use super::with_sources;

/// Temporary credentials are replaced this long before they expire, or halfway where they live shorter than twice that.
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);
/// How long the chain may take to find credentials.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after credentials could not be replaced while the old ones are still good.
const RETRY_REPLACING: Duration = Duration::from_secs(10);

/// The AWS SDK's credential chain for `object_store`: asked at the first request, and again before what it gave expires.
pub(super) struct Chain {
    provider: SharedCredentialsProvider,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Current>>,
}

struct Current {
    credential: Arc<AwsCredential>,
    replace_at: Timestamp,
    expires: Timestamp,
}

impl Chain {
    pub(super) fn new(provider: SharedCredentialsProvider, clock: Arc<dyn Clock>) -> Self {
        Self { provider, clock, current: Mutex::new(None) }
    }

    async fn load(&self) -> Result<Current> {
        let loading = tokio::time::timeout(LOAD_TIMEOUT, self.provider.provide_credentials());
        let found = loading.await.map_err(|_| failed(format!("no answer within {LOAD_TIMEOUT:?}")))?;
        Ok(current(&found.map_err(failed)?, self.clock.now()))
    }
}

fn current(found: &Credentials, now: Timestamp) -> Current {
    let expires = found.expiry().map_or(Timestamp::MAX, |expiry| {
        let since_epoch = expiry.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    });
    let early = BEFORE_EXPIRY.min(expires.since(now) / 2);
    let credential = AwsCredential {
        key_id: found.access_key_id().to_owned(),
        secret_key: found.secret_access_key().to_owned(),
        token: found.session_token().map(str::to_owned),
    };
    Current { credential: Arc::new(credential), replace_at: expires - early, expires }
}

fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "S3", source: Box::new(NoCredentials { source: source.into() }) }
}

#[derive(Debug, thiserror::Error)]
#[error("no credentials from the AWS chain (environment, profile, web identity, container, instance): {}", with_sources(source.as_ref()))]
struct NoCredentials {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for Chain {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        // Held while loading, so that requests that begin together ask the chain once.
        let mut current = self.current.lock().await;
        let now = self.clock.now();
        if let Some(current) = current.as_ref().filter(|current| now < current.replace_at) {
            return Ok(Arc::clone(&current.credential));
        }
        match (self.load().await, current.as_mut()) {
            (Ok(loaded), _) => {
                let credential = Arc::clone(&loaded.credential);
                *current = Some(loaded);
                Ok(credential)
            }
            (Err(error), Some(old)) if now < old.expires => {
                tracing::warn!(%error, "temporary credentials are not replaced yet, the old ones are used");
                old.replace_at = now + RETRY_REPLACING;
                Ok(Arc::clone(&old.credential))
            }
            (Err(error), _) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use icegate_testkit::ManualClock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// Gives keys numbered by the times it was asked, each good for some seconds by the clock.
    #[derive(Debug)]
    struct Temporary {
        clock: Arc<ManualClock>,
        seconds: u64,
        asked: AtomicU64,
        broken: AtomicBool,
    }

    #[derive(Debug)]
    struct Shared(Arc<Temporary>);

    impl ProvideCredentials for Shared {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            let number = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
            if self.0.broken.load(Ordering::SeqCst) {
                return Provided::ready(Err(CredentialsError::not_loaded("the role is gone")));
            }
            let now = Duration::from_nanos(self.0.clock.now().nanos().unsigned_abs());
            let expiry = UNIX_EPOCH + now + Duration::from_secs(self.0.seconds);
            let token = Some("token".to_owned());
            Provided::ready(Ok(Credentials::new(format!("key-{number}"), "secret", token, Some(expiry), "test")))
        }
    }

    fn chain(seconds: u64) -> (Chain, Arc<Temporary>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
        let (asked, broken) = (AtomicU64::new(0), AtomicBool::new(false));
        let temporary = Arc::new(Temporary { clock: Arc::clone(&clock), seconds, asked, broken });
        let provider = SharedCredentialsProvider::new(Shared(Arc::clone(&temporary)));
        (Chain::new(provider, clock), temporary)
    }

    async fn key(chain: &Chain) -> String {
        chain.get_credential().await.unwrap().key_id.clone()
    }

    #[tokio::test]
    async fn temporary_credentials_are_asked_for_once_and_replaced_before_they_expire() {
        let (chain, temporary) = chain(3_600);
        assert_eq!(temporary.asked.load(Ordering::SeqCst), 0);
        assert_eq!(key(&chain).await, "key-1");
        assert_eq!(chain.get_credential().await.unwrap().token.as_deref(), Some("token"));
        temporary.clock.advance(Duration::from_secs(3_299));
        assert_eq!(key(&chain).await, "key-1");
        temporary.clock.advance(Duration::from_secs(1));
        assert_eq!(key(&chain).await, "key-2");
    }

    #[tokio::test]
    async fn credentials_of_a_short_life_are_replaced_halfway() {
        let (chain, temporary) = chain(60);
        assert_eq!(key(&chain).await, "key-1");
        temporary.clock.advance(Duration::from_secs(29));
        assert_eq!(key(&chain).await, "key-1");
        temporary.clock.advance(Duration::from_secs(1));
        assert_eq!(key(&chain).await, "key-2");
    }

    #[tokio::test]
    async fn credentials_that_cannot_be_replaced_are_used_until_they_expire() {
        let (chain, temporary) = chain(3_600);
        assert_eq!(key(&chain).await, "key-1");
        temporary.broken.store(true, Ordering::SeqCst);
        temporary.clock.advance(Duration::from_secs(3_400));
        assert_eq!(key(&chain).await, "key-1");
        assert_eq!(key(&chain).await, "key-1");
        assert_eq!(temporary.asked.load(Ordering::SeqCst), 2);
        temporary.clock.advance(Duration::from_secs(200));
        let error = chain.get_credential().await.unwrap_err();
        assert_eq!(crate::kind_of(&error), icegate_model::ErrorKind::Unavailable);
        assert!(error.to_string().contains("the role is gone"), "{error}");
    }
}
