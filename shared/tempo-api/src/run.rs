use std::sync::Arc;

use icegate_model::TenantId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::TempoError;
use crate::spans::TenantSpans;
use crate::state::Shared;

/// Runs `work` over the tenant's spans within the bounds on time and number, and once more where an object vanished meanwhile.
///
/// It runs as a task of its own, so that a panic ends the query and not the connection, and ends with the future that waits for
/// it, so that nothing is computed for a client that is gone.
#[tracing::instrument(name = "query", skip_all, fields(%tenant))]
pub(crate) async fn run<T, F, Fut>(state: &Arc<Shared>, tenant: TenantId, work: F) -> Result<T, TempoError>
where
    T: Send + 'static,
    F: Fn(Arc<TenantSpans>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, TempoError>> + Send,
{
    let place = state.place()?;
    let shared = Arc::clone(state);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (_place, _running) = (place, Running::new(&shared));
        let engine = &shared.engine;
        engine.retry_stale(|| work(Arc::new(TenantSpans::new(Arc::clone(engine), tenant.clone())))).await
    });
    let max = state.config.query_timeout;
    match timeout(max, tasks.join_next()).await {
        Ok(Some(Ok(result))) => result.map_err(|error| error.named(&state.engine)),
        Ok(Some(Err(_)) | None) => Err(TempoError::Panicked),
        Err(_) => Err(TempoError::Timeout { max }),
    }
}

/// Counts a query as running until it is dropped.
struct Running(prometheus_client::metrics::gauge::Gauge);

impl Running {
    fn new(state: &Shared) -> Self {
        let running = state.metrics.running.clone();
        running.inc();
        Self(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
