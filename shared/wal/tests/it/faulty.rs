use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use icegate_storage::Root;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Semaphore;

/// A store in memory whose puts wait for a permit, and of which the first ones fail, with or without having stored the object.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: InMemory,
    pub(crate) permits: Semaphore,
    failing: AtomicUsize,
    stores_anyway: bool,
    pub(crate) names: std::sync::Mutex<Vec<Path>>,
}

impl Faulty {
    /// Fails the first `failing` puts, without storing.
    pub(crate) fn failing(failing: usize) -> Arc<Self> {
        Self::new(Semaphore::MAX_PERMITS, failing, false)
    }

    /// Stores what the first `failing` puts bring, and says that it failed.
    pub(crate) fn losing_replies(failing: usize) -> Arc<Self> {
        Self::new(Semaphore::MAX_PERMITS, failing, true)
    }

    /// Lets no put through until a permit is added.
    pub(crate) fn stuck() -> Arc<Self> {
        Self::new(0, 0, false)
    }

    fn new(permits: usize, failing: usize, stores_anyway: bool) -> Arc<Self> {
        let (permits, failing) = (Semaphore::new(permits), AtomicUsize::new(failing));
        Arc::new(Self { inner: InMemory::new(), permits, failing, stores_anyway, names: Default::default() })
    }

    pub(crate) fn root(self: &Arc<Self>) -> Root {
        Root::memory().with_store(Arc::clone(self) as _)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.names.lock().unwrap().push(location.clone());
        self.permits.acquire().await.unwrap().forget();
        let take_one = |left: usize| left.checked_sub(1);
        let fails = self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok();
        if !fails || self.stores_anyway {
            let result = self.inner.put_opts(location, payload, options).await;
            if !fails {
                return result;
            }
        }
        Err(Error::Generic { store: "Faulty", source: "503 Slow Down".into() })
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
