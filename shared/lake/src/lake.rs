use std::sync::Arc;
use std::time::Duration;

use icegate_maintain::{MaintainConfig, Maintainer};
use icegate_model::{Clock, IdGenerator};
use icegate_runtime::config::{Config, MIN_ORPHAN_GRACE_SECS};
use icegate_shift::{ShiftConfig, Shifter};
use icegate_storage::{Counted, RequestMetrics, Root, Store, Stores};
use icegate_tables::{FileOptions, MIN_ORPHAN_GRACE, Retention, Tables};
use icegate_wal::{Wal, Writer, WriterTask};
use prometheus_client::registry::Registry;

use crate::{LakeError, Surroundings, catalog, generator, jobs, places, writer_config};

// The configuration refuses what the tables would not do.
const _: () = assert!(MIN_ORPHAN_GRACE.as_secs() == MIN_ORPHAN_GRACE_SECS);

/// The data that a configuration names, opened.
#[derive(Debug)]
pub struct Lake {
    config: Config,
    surroundings: Surroundings,
    requests: RequestMetrics,
    stores: Stores,
    wal: Arc<Wal>,
}

impl Lake {
    /// Opens what the configuration names. Makes no request.
    ///
    /// # Errors
    /// [`LakeError::Place`] where the WAL's place can't be used.
    pub fn open(config: Config, registry: &mut Registry) -> Result<Self, LakeError> {
        Self::open_in(config, Surroundings::default(), registry)
    }

    /// The same with a host's own clock, names and wrapping of stores.
    ///
    /// # Errors
    /// As [`Lake::open`].
    pub fn open_in(config: Config, surroundings: Surroundings, registry: &mut Registry) -> Result<Self, LakeError> {
        let requests = RequestMetrics::register(registry);
        let wrap = counting(&surroundings, &requests);
        let stores = Stores::new(places::aws_options(&config)).with_wrap(wrap);
        let wal = Wal::new(places::open(&stores, places::QUEUE, &config.queue.common.base_path)?);
        Ok(Self { config, surroundings, requests, stores, wal: Arc::new(wal) })
    }

    /// What was opened.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What time it is.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.surroundings.clock
    }

    /// Names that are never given out twice.
    #[must_use]
    pub const fn ids(&self) -> &Arc<dyn IdGenerator> {
        &self.surroundings.ids
    }

    /// The requests to all stores.
    #[must_use]
    pub const fn requests(&self) -> &RequestMetrics {
        &self.requests
    }

    /// The WAL.
    #[must_use]
    pub const fn wal(&self) -> &Arc<Wal> {
        &self.wal
    }

    /// Opens the tables. Makes no request to their catalog.
    ///
    /// # Errors
    /// [`LakeError`].
    pub fn tables(&self) -> Result<Arc<Tables>, LakeError> {
        let (clock, ids) = (Arc::clone(self.clock()), Arc::clone(self.ids()));
        Ok(Arc::new(catalog::open_tables(&self.config, &self.stores, clock, ids)?))
    }

    /// Starts the tasks that write to the WAL, on the current Tokio runtime.
    #[must_use]
    pub fn start_writer(&self, registry: &mut Registry) -> (Writer, WriterTask) {
        let metrics = icegate_wal::Metrics::register(registry);
        let (clock, ids) = (Arc::clone(self.clock()), Arc::clone(self.ids()));
        Writer::start(Arc::clone(&self.wal), writer_config(&self.config.queue), clock, ids, metrics)
    }

    /// What moves segments to these tables. It takes turns with the shifters of other hosts.
    ///
    /// # Errors
    /// [`LakeError::Place`] where the leases' place can't be used.
    pub fn shifter(&self, tables: &Arc<Tables>, registry: &mut Registry) -> Result<Shifter, LakeError> {
        let jobs =
            jobs::open(&self.config, self.wal.root(), self.ids().as_ref(), || counting(&self.surroundings, &self.requests))?;
        let metrics = icegate_shift::Metrics::register(registry);
        let (tables, wal, clock) = (Arc::clone(tables), Arc::clone(&self.wal), Arc::clone(self.clock()));
        let shifter = Shifter::new(tables, wal, shift_config(&self.config), clock, metrics).with_jobs(jobs);
        Ok(shifter.with_generator(generator::options(&self.config.metrics_generator)))
    }

    /// What looks after these tables.
    #[must_use]
    pub fn maintainer(&self, tables: &Arc<Tables>, registry: &mut Registry) -> Maintainer {
        let maintain = &self.config.maintain;
        let settings = MaintainConfig {
            interval: Duration::from_secs(maintain.interval_secs),
            retention: Retention {
                time: Duration::from_secs(maintain.snapshot_retention_secs),
                snapshots: maintain.min_snapshots_to_keep,
            },
            orphan_grace: Duration::from_secs(maintain.orphan_grace_secs),
        };
        let metrics = icegate_maintain::Metrics::register(registry);
        Maintainer::new(Arc::clone(tables), Arc::clone(&self.wal), settings, Arc::clone(self.clock()), metrics)
    }

    /// Where the segments are.
    #[must_use]
    pub fn queue(&self) -> &Root {
        self.wal.root()
    }
}

fn counting(surroundings: &Surroundings, requests: &RequestMetrics) -> impl Fn(Store) -> Store + Send + Sync + use<> {
    let (wrap, requests) = (surroundings.wrap.clone(), requests.clone());
    move |store| {
        let store = match &wrap {
            Some(wrap) => wrap(store),
            None => store,
        };
        Arc::new(Counted::new(store, requests.clone()))
    }
}

fn shift_config(config: &Config) -> ShiftConfig {
    let (read, write, jobs) = (&config.shift.read, &config.shift.write, &config.shift.jobsmanager);
    ShiftConfig {
        max_input_bytes: read.max_input_bytes_per_task,
        max_row_groups: read.max_record_batches_per_task,
        read_parallelism: read.shift_segment_read_parallelism.min(read.plan_segment_read_parallelism),
        files: FileOptions {
            row_group_rows: write.row_group_size,
            max_file_bytes: write.max_file_size_mb << 20,
            ..FileOptions::default()
        },
        interval: Duration::from_millis(jobs.iteration_interval_millisecs),
        poll_interval: Duration::from_millis(jobs.poll_interval_ms),
        grace: Duration::from_secs(config.shift.grace_secs),
        workers: jobs.worker_count,
    }
}
