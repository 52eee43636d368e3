use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use icegate_model::{Table, TenantId, TimeRange, Timestamp};
use icegate_tables::{Shifted, Snapshot, Tables, TablesError};
use icegate_wal::{Segment, Wal};

use crate::footers::{Damaged, Footers, Known};
use crate::id_index::{IdIndex, IndexedFiles};
use crate::marks::Marks;
use crate::memory::BoundedPool;
use crate::plan::{self, Window};
use crate::provider::TenantRows;
use crate::report::ScanReport;
use crate::schema::read_schema;
use crate::segments::{self, PlannedSegment};
use crate::snapshots::Snapshots;
use crate::sources::{Source, TableSources};
use crate::{EngineConfig, EngineError, Metrics, Reads, is_damaged, is_stale};

/// How often a scan is planned before a vanishing object is given up on.
const PLAN_ATTEMPTS: usize = 3;
/// How often a query is planned without the segments that it found damaged, each time at least one of them.
const MAX_DAMAGED: usize = 16;
/// How far the clocks of writers and shifters may be apart: a ledger may seem this much older than its segments.
const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);

/// Opens tables for tenants. One an engine a process: it holds the memory bound and the caches that queries share.
pub struct Engine {
    tables: Arc<Tables>,
    pub(crate) wal: Option<Arc<Wal>>,
    config: EngineConfig,
    runtime: Arc<RuntimeEnv>,
    table_sources: TableSources,
    wal_source: Option<Source>,
    pub(crate) footers: Footers,
    marks: Marks,
    index: IdIndex,
    snapshots: Snapshots,
    metrics: Metrics,
}

/// One tenant's rows of one table, ready to be queried.
#[derive(Clone)]
pub struct Opened {
    /// Where to run plans over `provider`; of this query alone.
    pub session: SessionContext,
    /// The rows, with [`crate::read_schema`]. May hold rows outside the time range that was asked for, never of other tenants.
    pub provider: Arc<dyn TableProvider>,
    /// What is read and what isn't.
    pub report: Arc<ScanReport>,
    /// Counts what is read.
    pub reads: Reads,
}

/// Where the rows of a table are: in the WAL's segments, and in the snapshot, whose ledgers name the segments that they were in.
pub(crate) struct View {
    /// Segments that can be read, as far as anyone knows.
    pub(crate) listed: Vec<Segment>,
    /// Segments that are set aside because nobody can read them.
    pub(crate) marked: Vec<Segment>,
    snapshot: Option<Arc<Snapshot>>,
}

impl View {
    /// What is in the table; none where there is no table yet.
    pub(crate) fn shifted(&self) -> Option<&Shifted> {
        self.snapshot.as_ref().map(|snapshot| snapshot.shifted())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("provider", &self.provider).field("report", &self.report).finish_non_exhaustive()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).field("wal", &self.wal.is_some()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over `tables` and, unless only what was shifted shall be seen, the WAL.
    ///
    /// # Errors
    /// [`EngineError::Query`] where DataFusion can't be set up.
    pub fn new(tables: Arc<Tables>, wal: Option<Arc<Wal>>, config: EngineConfig) -> Result<Self, EngineError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(BoundedPool::new(config.memory_bytes)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .with_cache_manager(CacheManagerConfig::default().with_metadata_cache_limit(config.metadata_cache_bytes))
            .build_arc()?;
        let damaged = Damaged::default();
        let register = |wal: &Arc<Wal>| Source::register(&runtime, "wal", &wal.root().store, Some(damaged.clone()));
        let wal_source = wal.as_ref().map(register).transpose()?;
        let footers = Footers::new(config.footer_cache_entries, config.footer_read_parallelism, damaged);
        let metrics = Metrics::default();
        let index = IdIndex::new(config.index_cache_bytes, metrics.clone());
        Ok(Self {
            tables,
            wal,
            config,
            table_sources: TableSources::default(),
            wal_source,
            footers,
            marks: Marks::default(),
            index,
            runtime,
            snapshots: Snapshots::default(),
            metrics,
        })
    }

    /// Bytes that all running queries together may hold.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.config.memory_bytes
    }

    /// The engine's counters.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The tenant's rows of `table` that may lie in `range`: every row acknowledged before the call, once (READ-1).
    ///
    /// # Errors
    /// Those of the WAL and the tables, and [`EngineError::TooManyObjects`].
    pub async fn open(&self, table: Table, tenant: &TenantId, range: TimeRange) -> Result<Opened, EngineError> {
        let mut attempt = 1;
        loop {
            match self.plan(table, tenant, range).await {
                Err(error) if attempt < PLAN_ATTEMPTS && is_stale(&error) => self.forget(table),
                Err(error) => return Err(error),
                Ok(opened) => return Ok(opened),
            }
            attempt += 1;
        }
    }

    /// Opens the table and runs `query` over it; where an object vanished meanwhile, does both once more.
    ///
    /// # Errors
    /// Those of [`Engine::open`] and of `query`.
    pub async fn with_replan<T, E, F, Fut>(&self, table: Table, tenant: &TenantId, range: TimeRange, query: F) -> Result<T, E>
    where
        E: Error + From<EngineError> + 'static,
        F: Fn(Opened) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let query = &query;
        self.retry_stale(|| async move { query(self.open(table, tenant, range).await?).await }).await
    }

    /// Runs `query`, which opens what it needs itself, and once more where an object vanished meanwhile, or again without the
    /// segments that it found damaged: those are then in the reports' warnings (READ-2).
    ///
    /// # Errors
    /// Those of `query`.
    pub async fn retry_stale<T, E, F, Fut>(&self, query: F) -> Result<T, E>
    where
        E: Error + 'static,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let (mut vanished, mut damaged) = (0, 0);
        loop {
            let result = query().await;
            match &result {
                Err(error) if is_damaged(error) && damaged < MAX_DAMAGED => damaged += 1,
                Err(error) if !is_damaged(error) && is_stale(error) && vanished == 0 => vanished += 1,
                _ => return result,
            }
            drop(result);
            for table in Table::ALL {
                self.snapshots.forget(table);
            }
            self.metrics.replans.inc();
        }
    }

    fn forget(&self, table: Table) {
        self.metrics.replans.inc();
        self.snapshots.forget(table);
    }

    async fn plan(&self, table: Table, tenant: &TenantId, range: TimeRange) -> Result<Opened, EngineError> {
        match Window::of(range) {
            Some(window) => {
                let view = self.view(table).await?;
                self.plan_view(table, tenant, window, &view).await
            }
            None => {
                let report = ScanReport::new(table, tenant.clone());
                self.metrics.count(&report);
                Ok(self.opened(table, tenant, None, None, report))
            }
        }
    }

    /// Everything that was acknowledged so far, each row in one of two places.
    pub(crate) async fn view(&self, table: Table) -> Result<View, EngineError> {
        // READ-1 rests on this order: what leaves the listing after it was taken is in the snapshot that is loaded after it.
        let (listed, marked) = self.list(table).await?;
        let snapshot = self.snapshot(table, &listed).await?;
        Ok(View { listed, marked, snapshot })
    }

    /// The rows of a view.
    pub(crate) async fn plan_view(
        &self,
        table: Table,
        tenant: &TenantId,
        window: Window,
        view: &View,
    ) -> Result<Opened, EngineError> {
        let mut report = ScanReport::new(table, tenant.clone());
        let nothing_shifted = Shifted::default();
        let shifted = view.shifted().unwrap_or(&nothing_shifted);
        let (mut objects, mut files) = (0, None);
        if let Some(snapshot) = &view.snapshot {
            report.snapshot = snapshot.id();
            let planned = plan::files(snapshot, tenant, window, &mut report)?;
            objects += planned.len();
            let source = self.table_sources.of(&self.runtime, table, &snapshot.root().store)?;
            let index = Some((self.index.clone(), snapshot.root().clone()));
            files = Some((source, IndexedFiles { table, files: planned, index }));
        }
        report.no_table = view.snapshot.is_none();
        let unreadable = view.marked.clone();
        let unreadable = segments::candidates(unreadable, shifted, tenant, window, &mut ScanReport::new(table, tenant.clone()));
        report.unreadable = unreadable.into_iter().map(|segment| segment.name).collect();
        let planned = self.segments(view.listed.clone(), shifted, tenant, window, &mut report).await?;
        self.check_objects(table, objects + planned.len())?;
        self.metrics.count(&report);
        Ok(self.opened(table, tenant, files, Some(planned), report))
    }

    /// Files and segments as a table of the tenant's rows.
    pub(crate) fn opened(
        &self,
        table: Table,
        tenant: &TenantId,
        files: Option<(Source, IndexedFiles)>,
        segments: Option<Vec<PlannedSegment>>,
        report: ScanReport,
    ) -> Opened {
        let reads = Reads::default();
        let provider = TenantRows {
            table,
            tenant: tenant.clone(),
            schema: read_schema(table),
            files,
            segments: self.wal_source.clone().zip(segments),
            wal_metadata_size_hint: self.config.wal_metadata_size_hint,
            batch_size: self.config.batch_size,
            target_partitions: self.config.target_partitions,
            pushdown: self.config.pushdown,
            reads: reads.clone(),
        };
        Opened { session: self.session(), provider: Arc::new(provider), report: Arc::new(report), reads }
    }

    /// The listed segments, and apart from them those that are set aside because nobody can read them.
    async fn list(&self, table: Table) -> Result<(Vec<Segment>, Vec<Segment>), EngineError> {
        let Some(wal) = &self.wal else { return Ok((Vec::new(), Vec::new())) };
        let (listing, marks) = futures::try_join!(wal.list(table), self.marks.of(wal, table))?;
        Ok(listing.segments.into_iter().partition(|segment| !marks.contains(&segment.name)))
    }

    /// The newest snapshot, with the ledgers that can name the listed segments; none where the table doesn't exist yet, so that
    /// nothing was shifted and the WAL holds all there is. Without the WAL there is then no answer.
    async fn snapshot(&self, table: Table, listed: &[Segment]) -> Result<Option<Arc<Snapshot>>, EngineError> {
        let loaded = if self.wal.is_some() {
            let oldest = listed.iter().map(|segment| segment.created).min().unwrap_or(Timestamp::MAX);
            self.tables.snapshot_since(table, oldest - CLOCK_SKEW).await
        } else {
            self.snapshots.within(self.config.max_age, &self.tables, table).await
        };
        match loaded {
            Err(TablesError::NoTable { .. }) if self.wal.is_some() => Ok(None),
            loaded => Ok(Some(loaded?)),
        }
    }

    async fn segments(
        &self,
        listed: Vec<Segment>,
        shifted: &Shifted,
        tenant: &TenantId,
        window: Window,
        report: &mut ScanReport,
    ) -> Result<Vec<PlannedSegment>, EngineError> {
        let Some(wal) = &self.wal else {
            return Ok(Vec::new());
        };
        let candidates = segments::candidates(listed, shifted, tenant, window, report);
        self.check_objects(report.table, candidates.len())?;
        let Known { readable, unreadable } = self.footers.of(wal, candidates).await?;
        report.unreadable.extend(unreadable.into_iter().map(|segment| segment.name));
        Ok(segments::planned(readable, shifted, tenant, window, report))
    }

    pub(crate) fn check_objects(&self, table: Table, objects: usize) -> Result<(), EngineError> {
        let max = self.config.max_scan_objects;
        if objects > max { Err(EngineError::TooManyObjects { table, objects, max }) } else { Ok(()) }
    }

    fn session(&self) -> SessionContext {
        let config = SessionConfig::new()
            .with_batch_size(self.config.batch_size)
            .with_target_partitions(self.config.target_partitions.max(1));
        SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime))
    }
}
