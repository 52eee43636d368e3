use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use icegate_engine::{Engine, ScanReport};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::{Table, TenantId, TimeRange};

/// The logs of one tenant, for one attempt of one query; remembers what was opened.
pub(crate) struct TenantLogs {
    engine: Arc<Engine>,
    tenant: TenantId,
    reports: Mutex<Vec<Arc<ScanReport>>>,
}

impl TenantLogs {
    pub(crate) const fn new(engine: Arc<Engine>, tenant: TenantId) -> Self {
        Self { engine, tenant, reports: Mutex::new(Vec::new()) }
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

#[async_trait]
impl OpenRows for TenantLogs {
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError> {
        let opened =
            self.engine.open(Table::Logs, &self.tenant, range).await.map_err(|error| LogqlError::open(error.kind(), error))?;
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(opened.report);
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}
