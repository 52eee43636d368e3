use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use icegate_engine::{Engine, ReadFigures, Reads, ScanReport};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::{Table, TenantId, TimeRange};

/// The logs of one tenant, for one attempt of one query; remembers what was opened.
pub(crate) struct TenantLogs {
    engine: Arc<Engine>,
    tenant: TenantId,
    scans: Mutex<Vec<(Arc<ScanReport>, Reads)>>,
}

impl TenantLogs {
    pub(crate) const fn new(engine: Arc<Engine>, tenant: TenantId) -> Self {
        Self { engine, tenant, scans: Mutex::new(Vec::new()) }
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

#[async_trait]
impl OpenRows for TenantLogs {
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError> {
        let opened =
            self.engine.open(Table::Logs, &self.tenant, range).await.map_err(|error| LogqlError::open(error.kind(), error))?;
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).push((opened.report, opened.reads));
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}
