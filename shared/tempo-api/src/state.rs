use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use icegate_engine::Engine;
use icegate_http::BuildInfo;
use icegate_model::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Metrics, TempoConfig, TempoError};

/// What a host gives the API.
pub struct TempoState {
    /// Opens the tenants' spans.
    pub engine: Arc<Engine>,
    /// Decides what "now" is in defaults.
    pub clock: Arc<dyn Clock>,
    /// Bounds of queries.
    pub config: TempoConfig,
    /// Counts requests.
    pub metrics: Metrics,
    /// What the API says of itself.
    pub build: BuildInfo,
}

impl fmt::Debug for TempoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempoState").field("config", &self.config).field("build", &self.build).finish_non_exhaustive()
    }
}

impl TempoState {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What all requests share: the host's state, and the places of what runs.
pub(crate) struct Shared {
    state: TempoState,
    places: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(state: TempoState) -> Self {
        let places = Arc::new(Semaphore::new(state.config.max_concurrent_queries.min(Semaphore::MAX_PERMITS)));
        Self { state, places }
    }

    /// A place among the running queries, until it is dropped.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, TempoError> {
        let max = self.config.max_concurrent_queries;
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| TempoError::Busy { max })
    }
}

impl Deref for Shared {
    type Target = TempoState;

    fn deref(&self) -> &TempoState {
        &self.state
    }
}
