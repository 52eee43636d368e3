use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, Table};
use icegate_tables::{InWal, Tables, segment_of};
use icegate_wal::{Listing, Wal};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{MaintainConfig, MaintainError, Metrics, Report};

/// Longest time before the first run of a schedule: a process that starts has more urgent things to do.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// Unknown objects that are named in one run's log.
const NAMED: usize = 100;

/// Looks after one set of tables and its WAL. Any number of them may run on the same storage.
#[derive(Debug)]
pub struct Maintainer {
    tables: Arc<Tables>,
    wal: Arc<Wal>,
    config: MaintainConfig,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Maintainer {
    /// A maintainer; it does nothing until [`Maintainer::run`], [`Maintainer::run_once`] or [`Maintainer::maintain`].
    #[must_use]
    pub fn new(tables: Arc<Tables>, wal: Arc<Wal>, config: MaintainConfig, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self { tables, wal, config, clock, metrics }
    }

    /// Looks after one table. With `dry_run` nothing is changed.
    ///
    /// # Errors
    /// [`MaintainError`]; repeating is safe. That some object could not be removed is no error: the report counts it.
    pub async fn maintain(&self, table: Table, dry_run: bool) -> Result<Report, MaintainError> {
        let began = self.clock.now();
        let labels = Metrics::labels(table);
        self.metrics.runs.get_or_create(&labels).inc();
        let report = self.look_after(table, dry_run).await;
        self.metrics.duration.get_or_create(&labels).observe(self.clock.now().since(began).as_secs_f64());
        match &report {
            Ok(report) => self.count(table, report),
            Err(_) => drop(self.metrics.failures.get_or_create(&labels).inc()),
        }
        report
    }

    /// Looks after all tables, also after a failure.
    pub async fn run_once(&self, dry_run: bool) -> Vec<(Table, Result<Report, MaintainError>)> {
        let mut reports = Vec::new();
        for table in Table::ALL {
            reports.push((table, self.maintain(table, dry_run).await));
        }
        reports
    }

    /// Looks after all tables, but for those that have to wait because time is up: `None` for a table that was not finished by
    /// `until`. What was done for it stays done. The first table is another one each time, so that no table always waits.
    pub async fn run_until(&self, until: Instant) -> Vec<(Table, Option<Result<Report, MaintainError>>)> {
        let period = self.config.interval.max(Duration::from_secs(1)).as_secs();
        let turn = u64::try_from(self.clock.now().millis() / 1000).unwrap_or(0) / period;
        let first = usize::try_from(turn % Table::ALL.len() as u64).unwrap_or(0);
        let mut reports = Vec::new();
        for table in Table::ALL.into_iter().cycle().skip(first).take(Table::ALL.len()) {
            let done = if Instant::now() < until { timeout_at(until, self.maintain(table, false)).await.ok() } else { None };
            reports.push((table, done));
        }
        reports
    }

    /// Looks after all tables again and again until `stop`; what has begun for a table is finished. Failures are logged and counted,
    /// the next run tries again.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = self.config.interval.min(FIRST_PAUSE);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = self.config.interval;
            for table in Table::ALL {
                if stop.is_cancelled() {
                    return;
                }
                match self.maintain(table, false).await {
                    Ok(report) => tracing::info!(%table, %report, "maintained"),
                    Err(error) => tracing::error!(%table, %error, kind = %error.kind(), "maintenance failed"),
                }
            }
        }
    }

    async fn look_after(&self, table: Table, dry_run: bool) -> Result<Report, MaintainError> {
        // Before the listing and before the metadata: the order is what the expiry's argument rests on.
        let managed = self.tables.is_managed();
        let at = if dry_run || managed { self.clock.now() } else { self.tables.ask_time(table).await? };
        let Listing { segments, unknown, .. } = self.wal.list(table).await?;
        for path in unknown.iter().take(NAMED) {
            tracing::warn!(%table, object = %path, "unknown object in the write-ahead log, it stays");
        }
        let mut report = Report { segments: segments.len(), unknown, dry_run, ..Report::default() };
        if managed {
            report.managed = true;
            return Ok(report);
        }
        let mut in_wal = InWal { at, segments: segments.into_iter().map(|segment| (segment.name, segment.created)).collect() };
        for &other in derived_from(table) {
            let segments = self.wal.list(other).await?.segments;
            in_wal.segments.extend(segments.into_iter().map(|segment| (segment_of(other, &segment.name), segment.created)));
        }
        report.expired = self.tables.expire(table, self.config.retention, &in_wal, dry_run).await?;
        report.swept = self.tables.sweep(table, self.config.retention, self.config.orphan_grace, &in_wal, dry_run).await?;
        // Last, since it is only for speed: nothing waits for it or fails with it.
        if !dry_run {
            report.index = self.tables.merge_index(table).await?;
        }
        Ok(report)
    }

    fn count(&self, table: Table, report: &Report) {
        let (metrics, labels) = (&self.metrics, Metrics::labels(table));
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.unknown.get_or_create(&labels).set(gauge(report.unknown.len()));
        if report.dry_run || report.managed {
            return;
        }
        metrics.snapshots.get_or_create(&labels).set(gauge(report.expired.kept));
        metrics.expired_snapshots.get_or_create(&labels).inc_by(report.expired.removed as u64);
        metrics.removed_objects.get_or_create(&labels).inc_by(report.swept.removed as u64);
        metrics.removed_bytes.get_or_create(&labels).inc_by(report.swept.removed_bytes);
        metrics.indexed_files.get_or_create(&labels).inc_by(report.index.files as u64);
        metrics.failed_removals.get_or_create(&labels).inc_by(report.swept.failed as u64);
    }
}

/// The tables from whose segments rows of this one may be derived: its ledgers have to remember those, too.
fn derived_from(table: Table) -> &'static [Table] {
    match table {
        Table::Metrics => &[Table::Spans],
        Table::Logs | Table::Spans | Table::Events => &[],
    }
}
