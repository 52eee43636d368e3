//! Rows as in-memory tables, laid out in several ways.

use std::sync::{Arc, LazyLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::TimeRange;
use serde_json::{Map, Value};

use super::rows::batch;

/// How a table is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) batch_rows: usize,
    pub(crate) partitions: usize,
    pub(crate) views: bool,
}

pub(crate) const LAYOUTS: [Layout; 3] = [
    Layout { batch_rows: 1_000, partitions: 1, views: false },
    Layout { batch_rows: 1, partitions: 2, views: false },
    Layout { batch_rows: 3, partitions: 2, views: true },
];

pub(crate) struct Loaded {
    schema: SchemaRef,
    partitions: Vec<Vec<RecordBatch>>,
}

#[async_trait]
impl OpenRows for Loaded {
    async fn open(&self, _: TimeRange) -> Result<Source, LogqlError> {
        let table = MemTable::try_new(Arc::clone(&self.schema), self.partitions.clone())?;
        static SESSION: LazyLock<SessionContext> =
            LazyLock::new(|| SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2)));
        Ok(Source { session: SESSION.clone(), provider: Arc::new(table) })
    }
}

pub(crate) fn load(rows: &[Map<String, Value>], layout: Layout) -> Loaded {
    let whole = batch(rows, layout.views);
    let mut partitions = vec![Vec::new(); layout.partitions];
    let starts = (0..whole.num_rows()).step_by(layout.batch_rows);
    for (index, start) in starts.enumerate() {
        let length = layout.batch_rows.min(whole.num_rows() - start);
        partitions[index % layout.partitions].push(whole.slice(start, length));
    }
    Loaded { schema: whole.schema(), partitions }
}
