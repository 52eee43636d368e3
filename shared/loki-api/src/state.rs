use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use icegate_engine::Engine;
use icegate_http::BuildInfo;
use icegate_logql::Limits;
use icegate_model::{Clock, TenantId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::MAX_POINTS;
use crate::places::{Place, Places};
use crate::{LokiConfig, LokiError, Metrics};

/// What a host gives the API.
pub struct LokiState {
    /// Opens the tenants' logs.
    pub engine: Arc<Engine>,
    /// Decides what "now" is in defaults.
    pub clock: Arc<dyn Clock>,
    /// Bounds of queries.
    pub config: LokiConfig,
    /// Counts requests.
    pub metrics: Metrics,
    /// What the API says of itself.
    pub build: BuildInfo,
}

impl fmt::Debug for LokiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LokiState").field("config", &self.config).field("build", &self.build).finish_non_exhaustive()
    }
}

impl LokiState {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            series: self.config.max_query_series,
            points: MAX_POINTS,
            entries: self.config.max_entries_limit,
            find_trace_ids: self.config.trace_id_line_filter,
            ..Limits::default()
        }
    }
}

/// What all requests of a tenant share: the host's state with the tenant's bounds, and the places of what runs.
pub(crate) struct Shared {
    state: LokiState,
    places: Arc<Semaphore>,
    queries: Arc<Places>,
    tails: Arc<Places>,
}

impl Shared {
    pub(crate) fn new(state: LokiState) -> Self {
        let places = Arc::new(Semaphore::new(state.config.max_concurrent_queries.min(Semaphore::MAX_PERMITS)));
        Self { state, places, queries: Arc::default(), tails: Arc::default() }
    }

    /// The same under other bounds.
    pub(crate) fn with(&self, config: LokiConfig) -> Self {
        let LokiState { engine, clock, metrics, build, .. } = &self.state;
        let (engine, clock) = (Arc::clone(engine), Arc::clone(clock));
        let state = LokiState { engine, clock, config, metrics: metrics.clone(), build: build.clone() };
        let (places, queries, tails) = (Arc::clone(&self.places), Arc::clone(&self.queries), Arc::clone(&self.tails));
        Self { state, places, queries, tails }
    }

    /// A place among the running queries of all tenants and of this one, until it is dropped.
    pub(crate) fn place(&self, tenant: &TenantId) -> Result<(OwnedSemaphorePermit, Option<Place>), LokiError> {
        let own = match self.config.max_concurrent_queries_per_tenant {
            Some(max) => Some(self.queries.take(tenant, max).ok_or(LokiError::BusyTenant { max })?),
            None => None,
        };
        let max = self.config.max_concurrent_queries;
        let among_all = Arc::clone(&self.places).try_acquire_owned().map_err(|_| LokiError::Busy { max })?;
        Ok((among_all, own))
    }

    /// A place among the tenant's tails, until it is dropped.
    pub(crate) fn tail_place(&self, tenant: &TenantId) -> Result<Place, LokiError> {
        let max = self.config.max_concurrent_tail_requests;
        self.tails.take(tenant, max).ok_or(LokiError::TooManyTails { max })
    }
}

impl Deref for Shared {
    type Target = LokiState;

    fn deref(&self) -> &LokiState {
        &self.state
    }
}
