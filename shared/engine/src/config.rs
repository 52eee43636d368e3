use std::time::Duration;

/// How the engine reads; the defaults are those of the configuration reference.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Rows of a batch.
    pub batch_size: usize,
    /// Streams that a scan is read with; default: CPUs.
    pub target_partitions: usize,
    /// Bytes that all running queries together may hold in sorts, aggregates and top-k heaps. Nothing spills to disk.
    pub memory_bytes: usize,
    /// Bytes of decoded Parquet footers and page indexes that are kept between queries.
    pub metadata_cache_bytes: usize,
    /// Bytes of the index of trace ids that are kept between queries.
    pub index_cache_bytes: usize,
    /// WAL footers that are kept between queries.
    pub footer_cache_entries: u64,
    /// WAL footers that are read at the same time.
    pub footer_read_parallelism: usize,
    /// Bytes at the end of a WAL segment that are fetched first, in the hope that they hold its Parquet metadata.
    pub wal_metadata_size_hint: usize,
    /// Most table files and WAL segments of one scan; beyond it the scan is refused.
    pub max_scan_objects: usize,
    /// How old a snapshot may be where the WAL isn't read. With the WAL, the newest snapshot is always looked up, since READ-1
    /// subtracts its ledgers from the listing.
    pub max_age: Duration,
    /// Whether filters are evaluated while Parquet is decoded.
    pub pushdown: PredicatePushdown,
}

/// Whether filters are evaluated while Parquet is decoded, so that other columns are decoded only for rows that pass.
///
/// Answers are the same either way; pruning by statistics and bloom filters happens either way too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PredicatePushdown {
    /// Where it pays: some read column isn't in the filters. Off for filters on lists and structs.
    #[default]
    Adaptive,
    /// Everywhere but for filters on lists and structs.
    Always,
    /// Nowhere.
    Never,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            batch_size: 8_192,
            target_partitions: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: 1 << 30,
            metadata_cache_bytes: 64 << 20,
            index_cache_bytes: 32 << 20,
            footer_cache_entries: 2_048,
            footer_read_parallelism: 16,
            wal_metadata_size_hint: 65_536,
            max_scan_objects: 65_536,
            max_age: Duration::from_secs(30),
            pushdown: PredicatePushdown::Adaptive,
        }
    }
}
