//! A store whose next creations fail, before or after they happened.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use icegate_storage::Store;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

/// Passes everything on; the next few `PutMode::Create` are answered with an error.
#[derive(Debug)]
pub(crate) struct LosingReplies {
    pub(crate) store: Store,
    /// Creations that happen although they are answered with an error.
    pub(crate) lost_replies: AtomicU32,
    /// Creations that don't happen and are answered with the same error.
    pub(crate) lost_requests: AtomicU32,
}

impl LosingReplies {
    pub(crate) fn new(store: Store, lost_replies: u32, lost_requests: u32) -> Arc<Self> {
        Arc::new(Self { store, lost_replies: lost_replies.into(), lost_requests: lost_requests.into() })
    }
}

impl fmt::Display for LosingReplies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LosingReplies({})", self.store)
    }
}

fn take(count: &AtomicU32) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn lost() -> Error {
    Error::Generic { store: "losing replies", source: "connection reset".into() }
}

#[async_trait]
impl ObjectStore for LosingReplies {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let creates = matches!(options.mode, PutMode::Create);
        if creates && take(&self.lost_requests) {
            return Err(lost());
        }
        let put = self.store.put_opts(location, payload, options).await?;
        if creates && take(&self.lost_replies) { Err(lost()) } else { Ok(put) }
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.store.rename_opts(from, to, options).await
    }
}
