use std::sync::Arc;

use arrow::array::RecordBatch;
use icegate_schema::columns::BODY;
use icegate_series::Windows;

use super::drive::Consume;
use crate::plan::Plan;
use crate::rows::{NameCache, RowReader, StreamCache, TextColumn, Times};
use crate::{Limits, LogqlError};

/// Counts rows by all of their labels, or by some that no column decides.
pub(crate) struct Whole {
    plan: Arc<Plan>,
    windows: Windows,
    by: Option<Vec<String>>,
    bytes: bool,
    limits: Limits,
    streams: StreamCache,
    names: NameCache,
}

impl Whole {
    pub(crate) fn new(plan: Arc<Plan>, windows: Windows, by: Option<Vec<String>>, bytes: bool, limits: Limits) -> Self {
        Self { plan, windows, by, bytes, limits, streams: StreamCache::default(), names: NameCache::default() }
    }

    pub(crate) fn into_windows(self) -> Windows {
        self.windows
    }
}

impl Consume for Whole {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let times = Times::of(batch)?;
        let body = TextColumn::of(batch, BODY)?;
        let mut reader = RowReader::new(batch, &mut self.streams, &mut self.names)?;
        for row in 0..batch.num_rows() {
            let at = times.get(row);
            if !self.windows.reaches(at) {
                continue;
            }
            let mut labels = reader.labels(row);
            let line = body.text(row);
            if !self.plan.keeps(line, &mut labels) {
                continue;
            }
            if let Some(error) = labels.error.filter(|_| !labels.error_is_kept) {
                return Err(LogqlError::Pipeline { error: error.to_owned(), series: labels.all().to_string() });
            }
            let key = self.by.as_ref().map_or_else(|| labels.all(), |by| labels.only(by));
            let series = self.windows.series(key);
            self.limits.check(&self.windows)?;
            let amount = if self.bytes { i64::try_from(line.len()).unwrap_or(i64::MAX) } else { 0 };
            self.windows.add(series, at, amount);
        }
        Ok(())
    }
}
