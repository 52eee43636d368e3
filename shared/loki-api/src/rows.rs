use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use icegate_engine::{Engine, ReadFigures, Reads, ScanReport};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::{Table, TenantId, TimeRange};

use crate::LokiError;

/// The logs of one tenant, for one attempt of one query; remembers what was opened.
pub(crate) struct TenantLogs {
    engine: Arc<Engine>,
    tenant: TenantId,
    max_bytes: Option<u64>,
    scans: Mutex<Vec<(Arc<ScanReport>, Reads)>>,
}

impl TenantLogs {
    /// Logs of which at most `max_bytes` are read.
    pub(crate) const fn new(engine: Arc<Engine>, tenant: TenantId, max_bytes: Option<u64>) -> Self {
        Self { engine, tenant, max_bytes, scans: Mutex::new(Vec::new()) }
    }

    /// What each scan reads, in the order in which they were opened.
    pub(crate) fn reports(&self) -> Vec<Arc<ScanReport>> {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(report, _)| Arc::clone(report)).collect()
    }

    /// The same with what each scan has read up to now.
    pub(crate) fn scans(&self) -> Vec<(Arc<ScanReport>, ReadFigures)> {
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        scans.iter().map(|(report, reads)| (Arc::clone(report), reads.figures())).collect()
    }

    /// What keeps the answer from being whole (READ-2), each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        warnings(&self.reports())
    }
}

/// What the reports warn of, each once.
pub(crate) fn warnings<'a>(reports: impl IntoIterator<Item = &'a Arc<ScanReport>>) -> Vec<String> {
    let mut warnings: Vec<_> = reports.into_iter().flat_map(|report| report.warnings()).collect();
    warnings.sort_unstable();
    warnings.dedup();
    warnings
}

/// Whether all scans together read no more than they may.
pub(crate) fn within<'a>(
    max_bytes: Option<u64>,
    reports: impl IntoIterator<Item = &'a Arc<ScanReport>>,
) -> Result<(), LogqlError> {
    let bytes = reports.into_iter().map(|report| report.files.bytes + report.segments.bytes).sum();
    match max_bytes {
        Some(max) if bytes > max => {
            let error = LokiError::TooManyBytes { bytes, max };
            Err(LogqlError::open(error.kind(), error))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl OpenRows for TenantLogs {
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError> {
        let opened =
            self.engine.open(Table::Logs, &self.tenant, range).await.map_err(|error| LogqlError::open(error.kind(), error))?;
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        scans.push((opened.report, opened.reads));
        within(self.max_bytes, scans.iter().map(|(report, _)| report))?;
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}
