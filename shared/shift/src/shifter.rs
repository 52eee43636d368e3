use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use icegate_model::{Clock, Table};
use icegate_tables::Tables;
use icegate_wal::Wal;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::aside::Aside;
use crate::generate::Generator;
use crate::pass::Trigger;
use crate::{Jobs, Metrics, ShiftConfig};

/// Longest pause after passes that failed one after the other.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Doublings of the pause until it is longer than [`MAX_PAUSE`] for every allowed interval.
const MAX_DOUBLINGS: u32 = 10;

/// Moves segments of one WAL into one set of tables. Any number of them may run on the same storage.
#[derive(Debug)]
pub struct Shifter {
    pub(crate) tables: Arc<Tables>,
    pub(crate) wal: Arc<Wal>,
    pub(crate) config: ShiftConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) jobs: Option<Jobs>,
    pub(crate) generator: Option<Generator>,
    aside: [Mutex<Aside>; Table::ALL.len()],
}

impl Shifter {
    /// A shifter; it does nothing until [`Shifter::run`] or [`Shifter::pass`].
    #[must_use]
    pub fn new(tables: Arc<Tables>, wal: Arc<Wal>, config: ShiftConfig, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { tables, wal, config, clock, metrics, jobs: None, generator: None, aside: Default::default() }
    }

    /// Takes turns with the other shifters that use the same place, and leaves word of what it did there.
    #[must_use]
    pub fn with_jobs(mut self, jobs: Jobs) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Makes metrics of the spans that it shifts, for the tenants that the options name.
    #[must_use]
    pub fn with_generator(mut self, options: icegate_generator::Options) -> Self {
        self.generator = options.is_on().then(|| Generator::new(options));
        self
    }

    /// Who this shifter is to operators.
    pub(crate) fn holder(&self) -> &str {
        self.jobs.as_ref().map_or("a shifter", |jobs| &jobs.config.holder)
    }

    pub(crate) fn aside(&self, table: Table) -> MutexGuard<'_, Aside> {
        self.aside[table.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shifts all tables again and again until `stop`; a pass that has begun is finished. Failures are logged, counted and
    /// retried after a pause that grows.
    pub async fn run(&self, stop: CancellationToken) {
        let workers = Semaphore::new(self.config.workers.max(1));
        join_all(Table::ALL.map(|table| self.run_table(table, &workers, &stop))).await;
        self.give_back().await;
    }

    /// Gives all tables back that this shifter holds, so that no other one waits for the leases to end. Who calls
    /// [`Shifter::pass`] and then goes away calls this last; [`Shifter::run`] does.
    pub async fn give_back(&self) {
        if let Some(jobs) = &self.jobs {
            join_all(Table::ALL.map(|table| jobs.give_back(table, self.clock.now()))).await;
        }
    }

    async fn run_table(&self, table: Table, workers: &Semaphore, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pass = {
                let Ok(_worker) = workers.acquire().await else { return };
                if stop.is_cancelled() {
                    return;
                }
                self.triggered_pass(table, Trigger::Due).await
            };
            let pause = match pass {
                // There may be more than one pass holds.
                Ok(pass) if pass.committed.or(pass.generated).is_some() && pass.left > 0 => {
                    failures = 0;
                    tokio::task::yield_now().await;
                    continue;
                }
                Ok(_) => {
                    failures = 0;
                    self.config.poll_interval
                }
                Err(error) => {
                    tracing::error!(%table, %error, kind = %error.kind(), "shift failed");
                    self.metrics.failures.get_or_create(&Metrics::labels(table)).inc();
                    failures += 1;
                    (self.config.poll_interval * 2_u32.pow(failures.min(MAX_DOUBLINGS))).min(MAX_PAUSE)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}
