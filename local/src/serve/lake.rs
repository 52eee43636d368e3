use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, IdGenerator, RandomIds, SystemClock};
use icegate_runtime::config::{CatalogBackend, Config, WalCompression};
use icegate_shift::{ShiftConfig, Shifter};
use icegate_storage::{Counted, RequestMetrics, Root};
use icegate_tables::{FileOptions, Tables};
use icegate_wal::{Wal, Writer, WriterConfig, WriterTask};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::jobs;
use crate::error::ProcessError;

/// The data: its stores, the WAL and the tables.
pub(super) struct Lake {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wal: Arc<Wal>,
    pub(super) tables: Arc<Tables>,
    ids: Arc<dyn IdGenerator>,
    requests: RequestMetrics,
}

impl Lake {
    /// Opens what the configuration names; every request to a store is counted.
    pub(super) fn open(config: &Config, registry: &mut Registry) -> Result<Self, ProcessError> {
        let requests = RequestMetrics::register(registry);
        let open = |key, url: &str| -> Result<Root, ProcessError> {
            let root = Root::open(url).map_err(|source| ProcessError::Storage { key, source })?;
            let counted = Counted::new(Arc::clone(&root.store), requests.clone());
            Ok(root.with_store(Arc::new(counted)))
        };
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let wal = Wal::new(open("queue.common.base_path", &config.queue.common.base_path)?);
        let warehouse = open("catalog.warehouse", &config.catalog.warehouse)?;
        let tables = match config.catalog.backend {
            CatalogBackend::Memory => Tables::memory(warehouse, Arc::clone(&clock), Arc::clone(&ids)),
            // The others are refused when the configuration is checked.
            _ => Tables::object_store(warehouse, Arc::clone(&clock), Arc::clone(&ids)),
        };
        Ok(Self { clock, wal: Arc::new(wal), tables: Arc::new(tables), ids, requests })
    }

    pub(super) fn start_writer(&self, config: &Config, registry: &mut Registry) -> (Writer, WriterTask) {
        let (common, write) = (&config.queue.common, &config.queue.write);
        let writer = WriterConfig {
            channel_capacity: common.channel_capacity,
            max_row_group_size: common.max_row_group_size,
            write_retries: write.write_retries,
            compression: codec(write.compression),
            records_per_flush_multiplier: write.records_per_flush_multiplier,
            max_bytes_per_flush: write.max_bytes_per_flush,
            flush_interval: Duration::from_millis(write.flush_interval_ms),
            ..WriterConfig::default()
        };
        let metrics = icegate_wal::Metrics::register(registry);
        Writer::start(Arc::clone(&self.wal), writer, Arc::clone(&self.clock), Arc::clone(&self.ids), metrics)
    }

    /// Shifts in the background until `stop`, and then to the end of the pass.
    pub(super) fn start_shifter(
        &self,
        config: &Config,
        registry: &mut Registry,
        stop: CancellationToken,
    ) -> Result<JoinHandle<()>, ProcessError> {
        let (read, write, jobs) = (&config.shift.read, &config.shift.write, &config.shift.jobsmanager);
        let files = FileOptions {
            row_group_rows: write.row_group_size,
            max_file_bytes: write.max_file_size_mb << 20,
            ..FileOptions::default()
        };
        let shift = ShiftConfig {
            max_input_bytes: read.max_input_bytes_per_task,
            max_row_groups: read.max_record_batches_per_task,
            read_parallelism: read.shift_segment_read_parallelism.min(read.plan_segment_read_parallelism),
            files,
            interval: Duration::from_millis(jobs.iteration_interval_millisecs),
            poll_interval: Duration::from_millis(jobs.poll_interval_ms),
            grace: Duration::from_secs(config.shift.grace_secs),
            workers: jobs.worker_count,
        };
        let metrics = icegate_shift::Metrics::register(registry);
        let shifter = Shifter::new(Arc::clone(&self.tables), Arc::clone(&self.wal), shift, Arc::clone(&self.clock), metrics);
        let shifter = shifter.with_jobs(jobs::open(config, self.wal.root(), self.ids.as_ref(), &self.requests)?);
        Ok(tokio::spawn(async move { shifter.run(stop).await }))
    }
}

/// The fastest level of each codec: a segment lives for seconds.
fn codec(compression: WalCompression) -> Compression {
    match compression {
        WalCompression::None => Compression::UNCOMPRESSED,
        WalCompression::Snappy => Compression::SNAPPY,
        WalCompression::Gzip => Compression::GZIP(GzipLevel::default()),
        WalCompression::Brotli => Compression::BROTLI(BrotliLevel::default()),
        WalCompression::Lz4 => Compression::LZ4_RAW,
        // lzo is refused when the configuration is checked.
        WalCompression::Lzo | WalCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
    }
}
