use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use icegate_engine::{Engine, ScanReport};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::{Table, TenantId, TimeRange};

use crate::LokiError;

/// The logs of one tenant, for one attempt of one query; remembers what was opened.
pub(crate) struct TenantLogs {
    engine: Arc<Engine>,
    tenant: TenantId,
    max_bytes: Option<u64>,
    reports: Mutex<Vec<Arc<ScanReport>>>,
}

impl TenantLogs {
    /// Logs of which at most `max_bytes` are read.
    pub(crate) const fn new(engine: Arc<Engine>, tenant: TenantId, max_bytes: Option<u64>) -> Self {
        Self { engine, tenant, max_bytes, reports: Mutex::new(Vec::new()) }
    }

    /// What each scan reads, in the order in which they were opened.
    pub(crate) fn reports(&self) -> Vec<Arc<ScanReport>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What keeps the answer from being whole (READ-2), each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        warnings(&self.reports())
    }
}

/// What the reports warn of, each once.
pub(crate) fn warnings(reports: &[Arc<ScanReport>]) -> Vec<String> {
    let mut warnings: Vec<_> = reports.iter().flat_map(|report| report.warnings()).collect();
    warnings.sort_unstable();
    warnings.dedup();
    warnings
}

/// Whether all scans together read no more than they may.
pub(crate) fn within(max_bytes: Option<u64>, reports: &[Arc<ScanReport>]) -> Result<(), LogqlError> {
    let bytes = reports.iter().map(|report| report.files.bytes + report.segments.bytes).sum();
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
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push(opened.report);
        within(self.max_bytes, &reports)?;
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}
