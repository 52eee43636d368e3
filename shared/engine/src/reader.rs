use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use icegate_model::ErrorKind;
use icegate_schema::Checksums;
use icegate_storage::Store;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use crate::error::{DamagedFile, DamagedSegment, kind_of};
use crate::footers::Damaged;

/// Makes readers that keep decoded metadata between queries, read only the version that was planned on, and let a vanished
/// object be recognised ([`crate::is_stale`]).
///
/// DataFusion's own caching reader turns errors of the store into text.
pub(crate) struct PinnedReaders {
    store: Store,
    cache: Arc<dyn FileMetadataCache>,
    /// Where damaged objects are remembered, if the objects are segments: scans can do without those.
    segments: Option<Damaged>,
}

impl PinnedReaders {
    pub(crate) fn new(store: Store, cache: Arc<dyn FileMetadataCache>, segments: Option<Damaged>) -> Self {
        Self { store, cache, segments }
    }
}

impl fmt::Debug for PinnedReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedReaders").field("store", &self.store).finish_non_exhaustive()
    }
}

impl ParquetFileReaderFactory for PinnedReaders {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::common::Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(PinnedReader {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            segments: self.segments.clone(),
            checksums: None,
            metrics: ParquetFileMetrics::new(partition_index, file.object_meta.location.as_ref(), metrics),
            object: file.object_meta,
            metadata_size_hint,
        }))
    }
}

/// What the scan knows of an object: its place, size and version.
///
/// The metadata cache tells versions of an object apart by the time of their last change. Listings of segments have an ETag
/// instead, so that its hash stands in.
pub(crate) fn object_meta(location: Path, size: u64, e_tag: Option<String>) -> ObjectMeta {
    let mut hasher = DefaultHasher::new();
    e_tag.hash(&mut hasher);
    // Two bits less than 64 keep the sum within what a SystemTime can hold everywhere.
    let stamp = Duration::from_nanos(hasher.finish() >> 2);
    ObjectMeta { location, last_modified: (SystemTime::UNIX_EPOCH + stamp).into(), size, e_tag, version: None }
}

struct PinnedReader {
    store: Store,
    cache: Arc<dyn FileMetadataCache>,
    metrics: ParquetFileMetrics,
    object: ObjectMeta,
    metadata_size_hint: Option<usize>,
    segments: Option<Damaged>,
    /// Once the metadata is known; a file of another writer has none.
    checksums: Option<Checksums>,
}

impl PinnedReader {
    fn options(&self, range: Range<u64>) -> GetOptions {
        GetOptions { range: Some(GetRange::Bounded(range)), if_match: self.object.e_tag.clone(), ..GetOptions::default() }
    }

    async fn fetch(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        let bytes = self.fetch_once(range.clone()).await?;
        let Some(reason) = self.wrong(&range, &bytes) else { return Ok(bytes) };
        // The network may have cut the bytes short or changed them.
        let bytes = self.fetch_once(range.clone()).await?;
        match self.wrong(&range, &bytes) {
            None => Ok(bytes),
            Some(_) => Err(self.damaged(reason).await),
        }
    }

    async fn fetch_once(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        let got = self.store.get_opts(&self.object.location, self.options(range)).await.map_err(external)?;
        got.bytes().await.map_err(external)
    }

    fn wrong(&self, range: &Range<u64>, bytes: &Bytes) -> Option<String> {
        if bytes.len() as u64 != range.end - range.start {
            return Some(format!("it has {} of the bytes {} to {}", bytes.len(), range.start, range.end));
        }
        self.checksums.as_ref()?.check(range, bytes).err()
    }

    /// The error for bytes that are not those that were written. A segment is left out of later plans.
    async fn damaged(&self, reason: String) -> ParquetError {
        let path = self.object.location.to_string();
        let Some(segments) = &self.segments else {
            return external(DamagedFile { path, source: ParquetError::General(reason) });
        };
        segments.add(&path, self.object.e_tag.as_deref()).await;
        tracing::warn!(segment = path, reason, "segment can't be read, queries answer without it and say so");
        external(DamagedSegment { path, reason })
    }

    async fn metadata(&self, options: Option<&ArrowReaderOptions>) -> Result<Arc<ParquetMetaData>, DataFusionError> {
        DFParquetMetadata::new(&self.store, &self.object)
            .with_file_metadata_cache(Some(Arc::clone(&self.cache)))
            .with_metadata_size_hint(self.metadata_size_hint)
            .with_page_index_policy(options.map(ArrowReaderOptions::column_index_policy))
            .fetch_metadata()
            .await
    }
}

impl AsyncFileReader for PinnedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.metrics.bytes_scanned.add(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        self.fetch(range).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics.bytes_scanned.add(usize::try_from(total).unwrap_or(usize::MAX));
        async move { object_store::coalesce_ranges(&ranges, |range| self.fetch(range), COALESCE_BYTES).await }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let metadata = match self.metadata(options).await {
                Ok(metadata) => metadata,
                // What the store says stays what it is; all else is about the bytes.
                Err(error) if kind_of(&error) != ErrorKind::Corrupt => return Err(external(error)),
                Err(error) => return Err(self.damaged(error.to_string()).await),
            };
            match Checksums::of(&metadata) {
                Ok(checksums) => self.checksums = checksums,
                Err(reason) => return Err(self.damaged(reason).await),
            }
            Ok(metadata)
        }
        .boxed()
    }
}

/// Ranges that are no further apart are fetched with one request.
const COALESCE_BYTES: u64 = 1 << 20;

fn external(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}
