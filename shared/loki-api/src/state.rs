use std::fmt;
use std::sync::Arc;

use icegate_engine::Engine;
use icegate_logql::Limits;
use icegate_model::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{LokiConfig, LokiError, Metrics};

/// What all requests share.
pub struct LokiState {
    pub(crate) engine: Arc<Engine>,
    pub(crate) config: LokiConfig,
    pub(crate) metrics: Metrics,
    pub(crate) build: Build,
    clock: Arc<dyn Clock>,
    running: Arc<Semaphore>,
}

/// Which build serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Its version.
    pub version: &'static str,
    /// The commit that it was built from; may be empty.
    pub revision: &'static str,
}

impl fmt::Debug for LokiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LokiState").field("config", &self.config).field("build", &self.build).finish_non_exhaustive()
    }
}

impl LokiState {
    /// The API over `engine`; `clock` decides what "now" is in defaults.
    #[must_use]
    pub fn new(engine: Arc<Engine>, clock: Arc<dyn Clock>, config: LokiConfig, metrics: Metrics, build: Build) -> Self {
        let running = Arc::new(Semaphore::new(config.max_concurrent_queries.min(Semaphore::MAX_PERMITS)));
        Self { engine, config, metrics, build, clock, running }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A place among the running queries, until it is dropped.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, LokiError> {
        Arc::clone(&self.running).try_acquire_owned().map_err(|_| LokiError::Busy { max: self.config.max_concurrent_queries })
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            series: self.config.max_query_series,
            points: self.config.max_points,
            entries: self.config.max_entries_limit,
            find_trace_ids: self.config.trace_id_line_filter,
            ..Limits::default()
        }
    }
}
