use arrow::array::RecordBatch;
use futures::{Stream as Async, StreamExt, TryStreamExt};
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::BODY;

use super::logs::{Line, streams};
use crate::ast::LogExpr;
use crate::plan::{Aim, Plan, Trust};
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::stage::Wanted;
use crate::{Limits, LogqlError, Source, Stream};

/// All lines of `source` that a log query keeps, whatever their time: a part at a time, in no order, so that as much is held as one
/// batch of rows makes. `now` is the time of the query, for templates.
///
/// # Errors
/// As [`crate::evaluate`], at once or with any part.
pub async fn lines(
    logs: &LogExpr,
    now: Timestamp,
    limits: &Limits,
    source: &Source,
) -> Result<impl Async<Item = Result<Vec<Stream>, LogqlError>> + Send + use<>, LogqlError> {
    let aim = Aim { range: TimeRange::ALL, limits, trust: Trust::Rows, wanted: Wanted::All, now: now.nanos() };
    let plan = Plan::new(&logs.selector, &logs.stages, &aim)?;
    let batches = plan.scan_columns(source, plan.columns())?.execute_stream().await?;
    let mut reader = Reader { streams: StreamCache::default(), columns: plan.names(), names: Names::default(), plan };
    Ok(batches.map_err(LogqlError::from).map(move |batch| reader.read(&batch?)))
}

/// What is kept from batch to batch.
struct Reader {
    plan: Plan,
    streams: StreamCache,
    columns: NameCache,
    names: Names,
}

impl Reader {
    fn read(&mut self, batch: &RecordBatch) -> Result<Vec<Stream>, LogqlError> {
        let times = Times::of(batch)?;
        let body = TextColumn::of(batch, BODY)?;
        let mut rows = RowReader::new(batch, &mut self.streams, &mut self.columns)?;
        let mut lines = Vec::new();
        for index in 0..batch.num_rows() {
            let at = times.get(index);
            if let Some(row) = self.plan.run(body.text(index), at, rows.labels(index), &mut self.names) {
                lines.push(Line::of(row, at));
            }
        }
        Ok(streams(lines))
    }
}
