use std::sync::Arc;
use std::time::Duration;

use icegate_maintain::{MaintainConfig, Maintainer};
use icegate_model::{Clock, IdGenerator, RandomIds, SystemClock};
use icegate_runtime::config::{Config, MIN_ORPHAN_GRACE_SECS, WalCompression};
use icegate_shift::{ShiftConfig, Shifter};
use icegate_storage::{Counted, RequestMetrics};
use icegate_tables::{FileOptions, MIN_ORPHAN_GRACE, Retention, Tables};
use icegate_wal::{Wal, Writer, WriterConfig, WriterTask};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::jobs;
use crate::catalog::open_tables;
use crate::error::ProcessError;
use crate::stores;

/// Attempts of a put that fit into the deadline of a write even where the first ones are not answered.
const PUTS_PER_DEADLINE: u32 = 2;

// The configuration refuses what the tables would not do.
const _: () = assert!(MIN_ORPHAN_GRACE.as_secs() == MIN_ORPHAN_GRACE_SECS);

/// The data: its stores, the WAL and the tables.
pub(crate) struct Lake {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wal: Arc<Wal>,
    pub(super) tables: Arc<Tables>,
    ids: Arc<dyn IdGenerator>,
    requests: RequestMetrics,
}

impl Lake {
    /// Opens what the configuration names; every request to a store is counted.
    pub(crate) async fn open(config: &Config, registry: &mut Registry) -> Result<Self, ProcessError> {
        let requests = RequestMetrics::register(registry);
        let counted = requests.clone();
        let stores = stores::stores(config).with_wrap(move |store| Arc::new(Counted::new(store, counted.clone())));
        let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let wal = Wal::new(stores::open(&stores, stores::QUEUE, &config.queue.common.base_path)?);
        let tables = open_tables(config, &stores, Arc::clone(&clock), Arc::clone(&ids)).await?;
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
            put_timeout: Duration::from_millis(write.deadline_ms) / PUTS_PER_DEADLINE,
            write_deadline: Duration::from_millis(write.deadline_ms),
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

    pub(crate) fn maintainer(&self, config: &Config, registry: &mut Registry) -> Maintainer {
        let maintain = &config.maintain;
        let settings = MaintainConfig {
            interval: Duration::from_secs(maintain.interval_secs),
            retention: Retention {
                time: Duration::from_secs(maintain.snapshot_retention_secs),
                snapshots: maintain.min_snapshots_to_keep,
            },
            orphan_grace: Duration::from_secs(maintain.orphan_grace_secs),
        };
        let metrics = icegate_maintain::Metrics::register(registry);
        Maintainer::new(Arc::clone(&self.tables), Arc::clone(&self.wal), settings, Arc::clone(&self.clock), metrics)
    }

    /// Looks after the tables in the background until `stop`, and then to the end of the table at hand.
    pub(super) fn start_maintainer(&self, config: &Config, registry: &mut Registry, stop: CancellationToken) -> JoinHandle<()> {
        let maintainer = self.maintainer(config, registry);
        tokio::spawn(async move { maintainer.run(stop).await })
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
