//! A store that does something else first, at one chosen request.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use icegate_storage::Store;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

/// Counts the requests to all stores that it is put around, and runs an action before one of them.
#[derive(Clone)]
pub(crate) struct Interrupting(Arc<State>);

struct State {
    at: usize,
    requests: AtomicUsize,
    happened: AtomicBool,
    action: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Interrupting {
    pub(crate) fn at(at: usize, action: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        let (requests, happened) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self(Arc::new(State { at, requests, happened, action: Box::new(action) }))
    }

    pub(crate) fn around(&self, store: &Store) -> Store {
        Arc::new(Interrupted { inner: Arc::clone(store), by: self.clone() })
    }

    pub(crate) fn happened(&self) -> bool {
        self.0.happened.load(Ordering::SeqCst)
    }

    async fn before_request(&self) {
        if self.0.requests.fetch_add(1, Ordering::SeqCst) == self.0.at {
            (self.0.action)().await;
            self.0.happened.store(true, Ordering::SeqCst);
        }
    }
}

struct Interrupted {
    inner: Store,
    by: Interrupting,
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

#[async_trait]
impl ObjectStore for Interrupted {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.by.before_request().await;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.by.before_request().await;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (inner, by, prefix) = (Arc::clone(&self.inner), self.by.clone(), prefix.cloned());
        async move {
            by.before_request().await;
            inner.list(prefix.as_ref())
        }
        .into_stream()
        .flatten()
        .boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let (inner, by, prefix, offset) = (Arc::clone(&self.inner), self.by.clone(), prefix.cloned(), offset.clone());
        stream::once(async move {
            by.before_request().await;
            inner.list_with_offset(prefix.as_ref(), &offset)
        })
        .flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.by.before_request().await;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
