use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutResult, Result, UploadPart};

/// A multipart upload that gathers its parts in memory and puts them as one object when it completes.
pub(crate) struct BufferedUpload {
    store: Arc<dyn ObjectStore>,
    location: Path,
    parts: Vec<bytes::Bytes>,
    bytes: usize,
    max_bytes: usize,
}

impl BufferedUpload {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, location: Path, max_bytes: usize) -> Self {
        Self { store, location, parts: Vec::new(), bytes: 0, max_bytes }
    }

    fn check_size(&self) -> Result<()> {
        if self.bytes <= self.max_bytes {
            return Ok(());
        }
        let text = format!("{} has {} bytes, multipart uploads are bounded by {}", self.location, self.bytes, self.max_bytes);
        Err(Error::NotSupported { source: text.into() })
    }
}

impl fmt::Debug for BufferedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferedUpload").field("location", &self.location).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for BufferedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.bytes = self.bytes.saturating_add(data.content_length());
        let checked = self.check_size();
        if checked.is_ok() {
            self.parts.extend(data);
        }
        async move { checked }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.check_size()?;
        let parts = std::mem::take(&mut self.parts);
        self.store.put(&self.location, parts.into_iter().collect()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
