use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::Secret;

/// `catalog`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalog {
    /// Who knows a table's newest metadata.
    pub backend: CatalogBackend,
    /// URL of the tables: `s3://BUCKET/PREFIX/`, `file:///DIRECTORY/` or `memory:///`; a path is a folder.
    pub warehouse: String,
    /// More for the catalog; any of them may be a secret.
    pub properties: BTreeMap<String, Secret>,
    /// Cache of what is read.
    pub cache: Option<Cache>,
}

impl Catalog {
    /// URL below which the process puts tables; `None` where the catalog chooses.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self.backend {
            CatalogBackend::Rest { .. } | CatalogBackend::S3Tables { .. } => None,
            CatalogBackend::ObjectStore | CatalogBackend::Memory | CatalogBackend::Glue { .. } => Some(&self.warehouse),
        }
    }

    /// A property, if it is set.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(Secret::reveal)
    }
}

/// `catalog.backend`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CatalogBackend {
    /// The object storage itself; no server.
    #[default]
    ObjectStore,
    /// Lost when the process ends.
    Memory,
    /// An Iceberg REST catalog.
    Rest {
        /// Its URL.
        uri: String,
    },
    /// AWS Glue.
    Glue {
        /// The AWS account, 12 digits.
        #[serde(default)]
        catalog_id: Option<String>,
    },
    /// AWS S3 Tables.
    #[serde(rename = "s3tables")]
    S3Tables {
        /// The table bucket.
        table_bucket_arn: String,
    },
}

/// `catalog.cache`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// MiB in memory.
    pub memory_size_mb: u64,
    /// Folder on disk.
    pub disk_dir: PathBuf,
    /// MiB on disk.
    pub disk_size_mb: u64,
    /// Seconds that a HEAD is remembered.
    #[serde(default)]
    pub stat_ttl_secs: Option<u64>,
    /// MiB of the largest object that is cached when it is written.
    #[serde(default)]
    pub max_write_cache_size_mb: Option<u64>,
    /// Reading ahead.
    #[serde(default)]
    pub prefetch: Option<Prefetch>,
}

/// `catalog.cache.prefetch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefetch {
    /// Bytes of a column chunk that are fetched ahead.
    pub max_prefetch_bytes: u64,
}

/// `storage`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// Which storage.
    pub backend: StorageBackend,
}

/// `storage.backend`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StorageBackend {
    /// S3 or what speaks its protocol. Region and endpoint are those of every `s3://` place; credentials come from the AWS default
    /// chain.
    S3 {
        /// The bucket of every place that isn't configured.
        bucket: String,
        /// The region.
        region: String,
        /// URL of an S3-compatible server; else `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, else AWS.
        #[serde(default)]
        endpoint: Option<String>,
    },
    /// A folder.
    Filesystem {
        /// The folder; `None` means the data directory.
        #[serde(default)]
        root_path: Option<PathBuf>,
    },
    /// Lost when the process ends.
    Memory,
}

impl Default for StorageBackend {
    fn default() -> Self {
        Self::Filesystem { root_path: None }
    }
}

/// `queue`: the WAL.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// For writing and reading.
    pub common: QueueCommon,
    /// Writing.
    pub write: QueueWrite,
    /// Reading.
    pub read: QueueRead,
}

/// `queue.common`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueCommon {
    /// URL of the segments: `s3://BUCKET/PREFIX/`, `file:///DIRECTORY/` or `memory:///`; a path is a folder.
    pub base_path: String,
    /// Requests that may wait.
    pub channel_capacity: usize,
    /// Rows of a row group.
    pub max_row_group_size: usize,
}

impl Default for QueueCommon {
    fn default() -> Self {
        Self { base_path: String::new(), channel_capacity: 1024, max_row_group_size: 8192 }
    }
}

/// `queue.write`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueWrite {
    /// Repeats of a failed write.
    pub write_retries: u32,
    /// Codec.
    pub compression: WalCompression,
    /// Row groups that are gathered before a segment is written.
    pub records_per_flush_multiplier: usize,
    /// Bytes that are gathered before a segment is written.
    pub max_bytes_per_flush: usize,
    /// Milliseconds that rows are gathered.
    pub flush_interval_ms: u64,
    /// Milliseconds that writing what was gathered may take, repeats included; then its requests fail. Together with
    /// `flush_interval_ms` it stays below the 10 s after which OTLP's exporters stop waiting.
    pub deadline_ms: u64,
}

impl Default for QueueWrite {
    fn default() -> Self {
        Self {
            write_retries: 5,
            compression: WalCompression::Zstd,
            records_per_flush_multiplier: 1,
            max_bytes_per_flush: 64 << 20,
            flush_interval_ms: 200,
            deadline_ms: 8500,
        }
    }
}

/// `queue.write.compression`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the codecs' own names")]
pub enum WalCompression {
    None,
    Snappy,
    Gzip,
    Lzo,
    Brotli,
    Lz4,
    Zstd,
}

/// `queue.read`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueRead {
    /// Footers that are kept.
    pub metadata_entries_cache_capacity: u64,
}

impl Default for QueueRead {
    fn default() -> Self {
        Self { metadata_entries_cache_capacity: 2048 }
    }
}

/// `shift`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shift {
    /// Whether `ingest run` also shifts; `shift run` always does.
    pub enabled: bool,
    /// Taking segments.
    pub read: ShiftRead,
    /// Writing data files.
    pub write: ShiftWrite,
    /// When and how many.
    pub jobsmanager: JobsManager,
    /// Seconds that a segment stays after it was shifted; longer than a query may take.
    pub grace_secs: u64,
}

impl Default for Shift {
    fn default() -> Self {
        Self {
            enabled: true,
            read: ShiftRead::default(),
            write: ShiftWrite::default(),
            jobsmanager: JobsManager::default(),
            grace_secs: 600,
        }
    }
}

/// `shift.read`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShiftRead {
    /// Row groups of a pass.
    pub max_record_batches_per_task: usize,
    /// Bytes of rows in memory of a pass.
    pub max_input_bytes_per_task: usize,
    /// Segments whose footers are read at once.
    pub plan_segment_read_parallelism: usize,
    /// Segments that are read at once.
    pub shift_segment_read_parallelism: usize,
}

impl Default for ShiftRead {
    fn default() -> Self {
        Self {
            max_record_batches_per_task: 1024,
            max_input_bytes_per_task: 64 << 20,
            plan_segment_read_parallelism: 8,
            shift_segment_read_parallelism: 8,
        }
    }
}

/// `shift.write`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShiftWrite {
    /// Rows of a row group.
    pub row_group_size: usize,
    /// MiB of a data file.
    pub max_file_size_mb: usize,
    /// Seconds that table metadata may be cached. A shift always asserts the newest, so nothing depends on it.
    pub table_cache_ttl_secs: u64,
}

impl Default for ShiftWrite {
    fn default() -> Self {
        Self { row_group_size: 8192, max_file_size_mb: 64, table_cache_ttl_secs: 60 }
    }
}

/// `shift.jobsmanager`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsManager {
    /// Tables that are shifted at once; default: half of the CPUs.
    pub worker_count: usize,
    /// Milliseconds between two looks at the WAL.
    pub poll_interval_ms: u64,
    /// Milliseconds after which a segment is shifted at the latest.
    pub iteration_interval_millisecs: u64,
    /// Seconds after which another process takes over a table from one that died.
    pub lease_secs: u64,
    /// Where leases and job state live; default: below the queue, at `jobs/`.
    pub storage: Option<JobStorage>,
}

impl Default for JobsManager {
    fn default() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            worker_count: (cpus / 2).max(1),
            poll_interval_ms: 1000,
            iteration_interval_millisecs: 30_000,
            lease_secs: 60,
            storage: None,
        }
    }
}

/// `shift.jobsmanager.storage`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobStorage {
    /// Host and port, or URL, of an S3-compatible server; AWS itself without one.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// Prefix of the keys.
    #[serde(default = "JobStorage::default_prefix")]
    pub prefix: String,
    /// The region.
    #[serde(default = "JobStorage::default_region")]
    pub region: String,
    /// Whether an endpoint without `http://` or `https://` speaks TLS.
    #[serde(default)]
    pub use_ssl: bool,
    /// How job state is written.
    #[serde(default)]
    pub job_state_codec: JobStateCodec,
    /// Seconds of one request.
    #[serde(default = "JobStorage::default_request_timeout_secs")]
    pub request_timeout_secs: u64,
    /// Falls back to the AWS credential chain.
    #[serde(default)]
    pub access_key_id: Option<Secret>,
    /// Falls back to the AWS credential chain.
    #[serde(default)]
    pub secret_access_key: Option<Secret>,
}

impl JobStorage {
    fn default_prefix() -> String {
        "shifter".to_owned()
    }

    fn default_region() -> String {
        "us-east-1".to_owned()
    }

    const fn default_request_timeout_secs() -> u64 {
        5
    }

    /// Where the objects lie.
    #[must_use]
    pub fn url(&self) -> String {
        let prefix = self.prefix.trim_matches('/');
        if prefix.is_empty() { format!("s3://{}/", self.bucket) } else { format!("s3://{}/{prefix}/", self.bucket) }
    }

    /// The server's URL; none for AWS itself.
    #[must_use]
    pub fn endpoint_url(&self) -> Option<String> {
        let endpoint = self.endpoint.as_ref()?;
        let scheme = if self.use_ssl { "https" } else { "http" };
        Some(if endpoint.contains("://") { endpoint.clone() } else { format!("{scheme}://{endpoint}") })
    }
}

/// `shift.jobsmanager.storage.job_state_codec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the formats' own names")]
pub enum JobStateCodec {
    #[default]
    Json,
    Cbor,
}

/// `engine`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// Rows of a batch.
    pub batch_size: usize,
    /// Streams of a scan; default: CPUs.
    pub target_partitions: usize,
    /// Name of the catalog.
    pub catalog_name: String,
    /// Seconds between refreshes of cached metadata.
    pub refresh_interval_secs: u64,
    /// Seconds that cached metadata may be used.
    pub max_age_secs: u64,
    /// Whether queries read the WAL.
    pub wal_query_enabled: bool,
    /// Bytes of a segment's end that are fetched first; `null` means the default.
    pub wal_metadata_size_hint: Option<usize>,
    /// MiB that all running queries may hold together.
    pub memory_size_mb: usize,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            batch_size: 8192,
            target_partitions: std::thread::available_parallelism().map_or(1, usize::from),
            catalog_name: "iceberg".to_owned(),
            refresh_interval_secs: 15,
            max_age_secs: 30,
            wal_query_enabled: true,
            wal_metadata_size_hint: Some(65_536),
            memory_size_mb: 1024,
        }
    }
}
