use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use icegate_engine::Engine;
use icegate_http::BuildInfo;
use icegate_model::Clock;
use tokio::sync::Semaphore;

use crate::PrometheusConfig;

/// What a host gives the API.
pub struct PrometheusState {
    /// Opens the tenants' metrics.
    pub engine: Arc<Engine>,
    /// Decides what "now" is in defaults.
    pub clock: Arc<dyn Clock>,
    /// Bounds of queries.
    pub config: PrometheusConfig,
    /// What the API says of itself.
    pub build: BuildInfo,
}

impl fmt::Debug for PrometheusState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusState").field("config", &self.config).field("build", &self.build).finish_non_exhaustive()
    }
}

/// What all requests share.
pub(crate) struct Shared {
    state: PrometheusState,
    pub(crate) places: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(state: PrometheusState) -> Self {
        let places = Arc::new(Semaphore::new(state.config.max_concurrent_queries.min(Semaphore::MAX_PERMITS)));
        Self { state, places }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().millis()
    }
}

impl Deref for Shared {
    type Target = PrometheusState;

    fn deref(&self) -> &PrometheusState {
        &self.state
    }
}
