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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::{BuildInfo, Metrics, TempoConfig, TempoState};
    use icegate_engine::{Engine, EngineConfig};
    use icegate_model::{RandomIds, SystemClock};
    use icegate_storage::Root;
    use icegate_tables::Tables;

    fn shared(config: TempoConfig) -> Arc<Shared> {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        let engine = Arc::new(Engine::new(tables, None, EngineConfig::default()).unwrap());
        let (metrics, build) = (Metrics::default(), BuildInfo::default());
        Arc::new(Shared::new(TempoState { engine, clock: Arc::new(SystemClock), config, metrics, build }))
    }

    #[tokio::test]
    async fn a_query_that_panics_is_an_error_and_leaves_its_place() {
        let state = shared(TempoConfig { max_concurrent_queries: 1, ..TempoConfig::default() });
        for _ in 0..2 {
            let result: Result<(), _> = run(&state, TenantId::default_tenant(), async |_| panic!("a defect")).await;
            assert!(matches!(result, Err(TempoError::Panicked)), "{result:?}");
        }
        assert_eq!(state.metrics.running.get(), 0);
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_a_504_that_names_the_bound() {
        let shared = shared(TempoConfig { query_timeout: Duration::from_millis(20), ..TempoConfig::default() });
        let endless = run(&shared, TenantId::default_tenant(), |_| std::future::pending::<Result<(), TempoError>>());
        let error = endless.await.unwrap_err();
        let text = "the query took longer than tempo.query_timeout_secs, which is 0.02s: narrow the time range or the query";
        assert_eq!((error.status().as_u16(), error.to_string().as_str()), (504, text));
    }

    #[tokio::test]
    async fn a_query_whose_client_is_gone_ends_and_leaves_its_place() {
        let state = shared(TempoConfig { max_concurrent_queries: 1, ..TempoConfig::default() });
        let endless = run(&state, TenantId::default_tenant(), |_| std::future::pending::<Result<(), TempoError>>());
        assert!(timeout(Duration::from_millis(20), endless).await.is_err());
        // The task is told to end when its future is dropped, and ends when it is scheduled next.
        tokio::task::yield_now().await;
        assert!(run(&state, TenantId::default_tenant(), |_| std::future::ready(Ok(()))).await.is_ok());
    }
}
