use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, col};
use datafusion::prelude::SessionContext;
use icegate_engine::{Engine, Reads, ScanReport};
use icegate_model::{Table, TenantId, TimeRange};
use icegate_schema::columns::TRACE_ID;
use icegate_traceql::TraceId;

use super::Columns;
use crate::TempoError;

/// The spans of one tenant, for one attempt of one query; remembers what was opened.
pub(crate) struct TenantSpans {
    engine: Arc<Engine>,
    tenant: TenantId,
    scans: Mutex<Vec<(Arc<ScanReport>, Reads)>>,
}

/// What a query has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Bytes that were fetched, compressed.
    pub(crate) bytes: u64,
    /// Files and segments that were planned.
    pub(crate) objects: u64,
    /// Their bytes.
    pub(crate) object_bytes: u64,
}

impl TenantSpans {
    pub(crate) const fn new(engine: Arc<Engine>, tenant: TenantId) -> Self {
        Self { engine, tenant, scans: Mutex::new(Vec::new()) }
    }

    /// The rows that start within a range, and others; one view of them for all that the scan reads (READ-1).
    pub(crate) async fn open(&self, range: TimeRange) -> Result<Scan, TempoError> {
        let opened = self.engine.open(Table::Spans, &self.tenant, range).await?;
        let pool = &opened.session.runtime_env().memory_pool;
        let held = Held(Mutex::new(MemoryConsumer::new("spans").register(pool)));
        let rows = opened.report.files.rows + opened.report.segments.rows;
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).push((opened.report, opened.reads));
        Ok(Scan { session: opened.session, provider: opened.provider, held: Arc::new(held), rows })
    }

    /// What keeps the answer from being whole (READ-2), each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings: Vec<_> = scans.iter().flat_map(|(report, _)| report.warnings()).collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }

    /// What was read up to now.
    pub(crate) fn figures(&self) -> Figures {
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut figures = Figures::default();
        for (report, reads) in scans.iter() {
            figures.bytes += reads.figures().bytes;
            figures.objects += report.files.planned + report.segments.planned;
            figures.object_bytes += report.files.bytes + report.segments.bytes;
        }
        figures
    }
}

/// Rows that are ready to be read.
pub(crate) struct Scan {
    session: SessionContext,
    provider: Arc<dyn TableProvider>,
    held: Arc<Held>,
    /// How many there are at most.
    pub(crate) rows: u64,
}

impl Scan {
    /// The rows that all of these let through, in these columns.
    pub(crate) fn frame(&self, filters: Vec<Expr>, columns: &Columns) -> Result<DataFrame, TempoError> {
        let mut frame = self.session.read_table(Arc::clone(&self.provider))?;
        if let Some(filter) = filters.into_iter().reduce(Expr::and) {
            frame = frame.filter(filter)?;
        }
        Ok(frame.select(columns.names().map(col).collect::<Vec<_>>())?)
    }

    /// All columns of a trace's rows.
    pub(crate) fn rows_of(&self, id: TraceId) -> Result<DataFrame, TempoError> {
        let frame = self.session.read_table(Arc::clone(&self.provider))?;
        Ok(frame.filter(col(TRACE_ID).eq(super::pushdown::binary(&id.0)))?)
    }

    /// Memory that nothing is in yet.
    pub(crate) fn memory(&self) -> Taken {
        Taken { held: Arc::clone(&self.held), bytes: 0 }
    }
}

/// What a query holds of the memory that all queries share.
struct Held(Mutex<MemoryReservation>);

/// A part of it, until it is dropped.
pub(crate) struct Taken {
    held: Arc<Held>,
    bytes: usize,
}

impl Taken {
    /// Takes more; an error where the bound is reached.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), DataFusionError> {
        self.held.0.lock().unwrap_or_else(PoisonError::into_inner).try_grow(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes over what another holds.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.held.0.lock().unwrap_or_else(PoisonError::into_inner).shrink(self.bytes);
    }
}
