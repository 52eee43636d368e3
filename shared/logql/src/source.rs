use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;
use icegate_model::TimeRange;

use crate::LogqlError;

/// Rows ready to be read.
#[derive(Clone)]
pub struct Source {
    /// Where plans run.
    pub session: SessionContext,
    /// The rows: columns as `icegate_schema::arrow_schema(Table::Logs)`, texts as `Utf8` or `Utf8View`.
    pub provider: Arc<dyn TableProvider>,
}

/// Opens the rows of one tenant.
#[async_trait]
pub trait OpenRows: Send + Sync {
    /// Rows that hold at least all rows of `range`; a metric query asks for more than its points, by its range and offset.
    ///
    /// # Errors
    /// [`LogqlError::Open`].
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError>;
}
