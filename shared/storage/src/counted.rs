use std::fmt;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::Store;

/// How many requests were made of a store since its [`RequestMetrics`] were made, and how many bytes they carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Reads of an object or of one range of it.
    pub get: u64,
    /// Reads of an object's size and tag only.
    pub head: u64,
    /// Writes, a multipart upload counting once.
    pub put: u64,
    /// Listings, whatever their number of pages.
    pub list: u64,
    /// Deleted objects.
    pub delete: u64,
    /// Copies and renames.
    pub copy: u64,
    /// Bytes that reads asked for and the store promised.
    pub bytes_read: u64,
    /// Bytes of successful puts.
    pub bytes_written: u64,
    /// Requests that failed. That an object is missing, exists or has changed is an answer, not a failure.
    pub errors: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, Default)]
struct Operation {
    requests: Counter,
    errors: Counter,
}

/// Counters of a store's requests. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct RequestMetrics {
    get: Operation,
    head: Operation,
    put: Operation,
    list: Operation,
    delete: Operation,
    copy: Operation,
    bytes_read: Counter,
    bytes_written: Counter,
}

impl RequestMetrics {
    /// Counters that no registry shows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counters that `registry` shows as `storage_*`.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::<OperationLabel, Counter>::default();
        let errors = Family::<OperationLabel, Counter>::default();
        let operation = |operation| {
            let label = OperationLabel { operation };
            Operation { requests: requests.get_or_create_owned(&label), errors: errors.get_or_create_owned(&label) }
        };
        let metrics = Self {
            get: operation("get"),
            head: operation("head"),
            put: operation("put"),
            list: operation("list"),
            delete: operation("delete"),
            copy: operation("copy"),
            bytes_read: Counter::default(),
            bytes_written: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("storage");
        registry.register("requests", "Requests to object storage", requests);
        registry.register("errors", "Failed requests to object storage", errors);
        registry.register("read_bytes", "Bytes read from object storage", metrics.bytes_read.clone());
        registry.register("written_bytes", "Bytes written to object storage", metrics.bytes_written.clone());
        metrics
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> RequestCounts {
        let operations = [&self.get, &self.head, &self.put, &self.list, &self.delete, &self.copy];
        RequestCounts {
            get: self.get.requests.get(),
            head: self.head.requests.get(),
            put: self.put.requests.get(),
            list: self.list.requests.get(),
            delete: self.delete.requests.get(),
            copy: self.copy.requests.get(),
            bytes_read: self.bytes_read.get(),
            bytes_written: self.bytes_written.get(),
            errors: operations.iter().map(|operation| operation.errors.get()).sum(),
        }
    }
}

impl Operation {
    fn count<T>(&self, result: Result<T>) -> Result<T> {
        self.requests.inc();
        self.count_error(result)
    }

    fn count_error<T>(&self, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_)
            | Err(
                Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. },
            ) => {}
            Err(_) => {
                self.errors.inc();
            }
        }
        result
    }
}

/// A store that counts what is asked of another one.
///
/// Reads of several ranges are joined and counted as the requests that a remote store would get.
#[derive(Clone)]
pub struct Counted {
    inner: Store,
    metrics: RequestMetrics,
}

impl Counted {
    /// Counts the requests to `inner` in `metrics`.
    #[must_use]
    pub fn new(inner: Store, metrics: RequestMetrics) -> Self {
        Self { inner, metrics }
    }

    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> RequestCounts {
        self.metrics.counts()
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counted").field(&self.inner).finish()
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counted({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Counted {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let bytes = payload.content_length() as u64;
        let result = self.metrics.put.count(self.inner.put_opts(location, payload, options).await);
        if result.is_ok() {
            self.metrics.bytes_written.inc_by(bytes);
        }
        result
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.metrics.put.count(self.inner.put_multipart_opts(location, options).await)?;
        Ok(Box::new(CountedUpload { inner, metrics: self.metrics.clone(), bytes: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let result = self.inner.get_opts(location, options).await;
        if head {
            return self.metrics.head.count(result);
        }
        let result = self.metrics.get.count(result)?;
        self.metrics.bytes_read.inc_by(result.range.end.saturating_sub(result.range.start));
        Ok(result)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let metrics = self.metrics.delete.clone();
        self.inner.delete_stream(locations).map(move |result| metrics.count(result)).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.metrics.list.requests.inc();
        let metrics = self.metrics.list.clone();
        self.inner.list(prefix).map(move |result| metrics.count_error(result)).boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.metrics.list.requests.inc();
        let metrics = self.metrics.list.clone();
        self.inner.list_with_offset(prefix, offset).map(move |result| metrics.count_error(result)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.metrics.list.count(self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.metrics.copy.count(self.inner.copy_opts(from, to, options).await)
    }
}

#[derive(Debug)]
struct CountedUpload {
    inner: Box<dyn MultipartUpload>,
    metrics: RequestMetrics,
    bytes: u64,
}

#[async_trait]
impl MultipartUpload for CountedUpload {
    fn put_part(&mut self, data: PutPayload) -> object_store::UploadPart {
        self.bytes += data.content_length() as u64;
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.metrics.put.count_error(self.inner.complete().await)?;
        self.metrics.bytes_written.inc_by(self.bytes);
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn each_request_is_counted_under_its_kind() {
        let mut registry = Registry::default();
        let store = Counted::new(Arc::new(InMemory::new()), RequestMetrics::register(&mut registry));
        let path = Path::from("a");
        store.put(&path, "12345".into()).await.unwrap();
        store.get(&path).await.unwrap();
        store.get_range(&path, 1..3).await.unwrap();
        store.head(&path).await.unwrap();
        store.head(&Path::from("missing")).await.unwrap_err();
        assert_eq!(store.list(None).count().await, 1);
        store.copy(&path, &Path::from("b")).await.unwrap();
        store.delete(&path).await.unwrap();
        let expected = RequestCounts {
            get: 2,
            head: 2,
            put: 1,
            list: 1,
            delete: 1,
            copy: 1,
            bytes_read: 5 + 2,
            bytes_written: 5,
            errors: 0,
        };
        assert_eq!(store.counts(), expected);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("storage_requests_total{operation=\"get\"} 2"), "{text}");
        assert!(text.contains("storage_read_bytes_total 7"), "{text}");
    }
}
