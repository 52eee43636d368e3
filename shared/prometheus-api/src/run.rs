use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use icegate_model::TenantId;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::PrometheusError;
use crate::scan::Asked;
use crate::state::Shared;

/// Runs `work` over the tenant's metrics within the bounds on time and number, and once more where an object vanished meanwhile.
///
/// It runs on a thread of its own that may wait, since evaluating is synchronous: the runtime's threads read beside it. It ends soon
/// after the future that waits for it, so that nothing is computed for a client that is gone.
#[tracing::instrument(name = "query", skip_all, fields(%tenant))]
pub(crate) async fn run<T, F>(
    state: &Arc<Shared>,
    tenant: TenantId,
    asked: Option<Duration>,
    work: F,
) -> Result<T, PrometheusError>
where
    T: Send + 'static,
    F: Fn(Asked<'_>, &Handle) -> Result<T, PrometheusError> + Send + Sync + 'static,
{
    let max = state.config.max_concurrent_queries;
    let place = Arc::clone(&state.places).try_acquire_owned().map_err(|_| PrometheusError::Busy { max })?;
    let max = asked.map_or(state.config.query_timeout, |asked| asked.min(state.config.query_timeout));
    let guard = Guard(Arc::default());
    let job = Arc::new((work, tenant, Arc::clone(&guard.0), place));
    let running = state.engine.retry_stale(|| {
        let (state, job, runtime) = (Arc::clone(state), Arc::clone(&job), Handle::current());
        let thread = spawn_blocking(move || {
            let (work, tenant, canceled, _place) = &*job;
            let asked = Asked {
                engine: &state.engine,
                tenant,
                translation: &state.config.translation,
                limits: state.config.limits,
                is_canceled: &|| canceled.load(Ordering::Relaxed),
            };
            work(asked, &runtime)
        });
        async move { thread.await.unwrap_or(Err(PrometheusError::Panicked)) }
    });
    timeout(max, running).await.unwrap_or(Err(PrometheusError::Timeout { max }))
}

/// Tells the work to end when nobody waits for it any more.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use icegate_engine::{Engine, EngineConfig};
    use icegate_model::{RandomIds, SystemClock};
    use icegate_storage::Root;
    use icegate_tables::Tables;

    use crate::{BuildInfo, PrometheusConfig, PrometheusState};

    fn shared(config: PrometheusConfig) -> Arc<Shared> {
        let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
        let engine = Arc::new(Engine::new(tables, None, EngineConfig::default()).unwrap());
        Arc::new(Shared::new(PrometheusState { engine, clock: Arc::new(SystemClock), config, build: BuildInfo::default() }))
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error_and_leaves_its_place() {
        let state = shared(PrometheusConfig { max_concurrent_queries: 1, ..PrometheusConfig::default() });
        for _ in 0..2 {
            let result: Result<(), _> = run(&state, TenantId::default_tenant(), None, |_, _| panic!("a defect")).await;
            assert!(matches!(result, Err(PrometheusError::Panicked)), "{result:?}");
        }
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_told_to_end_and_keeps_its_place_until_then() {
        let state = shared(PrometheusConfig { max_concurrent_queries: 1, ..PrometheusConfig::default() });
        let endless = |asked: Asked<'_>, _: &Handle| {
            while !(asked.is_canceled)() {
                std::thread::yield_now();
            }
            Ok(())
        };
        let late = run(&state, TenantId::default_tenant(), Some(Duration::from_millis(20)), endless).await;
        assert!(matches!(late, Err(PrometheusError::Timeout { .. })), "{late:?}");
        // The place is free again once the thread has seen that it shall end.
        let _place = state.places.acquire().await.unwrap();
        let busy = run(&state, TenantId::default_tenant(), None, |_, _| Ok(())).await;
        assert!(matches!(busy, Err(PrometheusError::Busy { max: 1 })), "{busy:?}");
    }
}
