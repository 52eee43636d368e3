//! S3 and what speaks its protocol, over `object_store`'s client, with what it leaves open closed.
//!
//! What `object_store` 0.13 does with answers, as its source says, and what is done about it here:
//!
//! | answer | `object_store` alone | here |
//! |---|---|---|
//! | 409 to `If-None-Match` | `AlreadyExists`, at once | not applied, the same put again ([`conditional`]) |
//! | 409 to `If-Match` | again, then `AlreadyExists` | not applied, the same put again, then unavailable |
//! | 412 to `If-None-Match` | `AlreadyExists` | the same |
//! | 412 or 404 to `If-Match` | `Precondition` | the same |
//! | 5xx or a lost reply to a conditional put | again, so that a 412 may be about the put's own object | an error; never again unless it is sure that nothing was applied |
//! | 429, 5xx, no connection, a lost reply, otherwise | again, within the budget | the same, within [`RETRY_BUDGET`] |
//! | a stalled or broken body of a read | the rest again, if the ETag is the same | the same, and the stall ends after the request timeout ([`connection`]) |
//! | a body that ends early in accord with its own length | a short object | an error ([`exact`]) |
//! | temporary credentials | its own subset of the chain | the AWS SDK's chain ([`credentials`]) |
//!
//! An answer of 404 is `NotFound` for reads also where the bucket itself is missing; its text says `NoSuchBucket`.

mod conditional;
mod connect;
mod connection;
mod credentials;
mod exact;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};
use tokio::sync::OnceCell;

use crate::aws::AwsOptions;

pub(crate) use connect::check_endpoint;

/// A failed request is repeated until this much time has passed since it began. With the last wait and the last attempt, a call
/// ends within this plus [`MAX_BACKOFF`] plus the request timeout, and each later part of a body by the same rule.
pub(crate) const RETRY_BUDGET: Duration = Duration::from_secs(3);
/// Most repetitions of a request.
const MAX_RETRIES: usize = 8;
/// The wait before the first repetition; later ones are drawn up to twice the one before.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// Longest wait between two repetitions.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_millis(500);

/// An error and what lies below it in one line: the SDK and the HTTP client say what is wrong in the last of their sources only.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// One bucket. Connects at the first request; clones share the connection pool.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<Inner>);

struct Inner {
    name: String,
    options: AwsOptions,
    client: OnceCell<AmazonS3>,
}

impl Bucket {
    pub(crate) fn new(name: String, options: AwsOptions) -> Self {
        Self(Arc::new(Inner { name, options, client: OnceCell::new() }))
    }

    async fn client(&self) -> Result<&AmazonS3> {
        self.0.client.get_or_try_init(|| Box::pin(connect::connect(&self.0.name, &self.0.options))).await
    }

    /// A stream of the client's, which is connected when the stream is first asked.
    fn stream<T: Send + 'static>(
        &self,
        of: impl FnOnce(&AmazonS3) -> BoxStream<'static, Result<T>> + Send + 'static,
    ) -> BoxStream<'static, Result<T>> {
        let bucket = self.clone();
        stream::once(async move { bucket.client().await.map(of) }).try_flatten().boxed()
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.0.name).field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.0.name)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.client().await?.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.client().await?.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let result = self.client().await?.get_opts(location, options).await?;
        Ok(if head { result } else { exact::checked(location, result) })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.stream(|client| client.delete_stream(locations))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned();
        self.stream(move |client| client.list(prefix.as_ref()))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, offset) = (prefix.cloned(), offset.clone());
        self.stream(move |client| client.list_with_offset(prefix.as_ref(), &offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.client().await?.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.client().await?.copy_opts(from, to, options).await
    }
}
