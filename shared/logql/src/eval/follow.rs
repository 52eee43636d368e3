use std::sync::Arc;

use futures::{Stream as Async, StreamExt};
use icegate_model::{TimeRange, Timestamp};

use super::logs::read::Reader;
use super::logs::streams;
use crate::ast::LogExpr;
use crate::plan::{Aim, Plan, Trust};
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
    let plan = Arc::new(Plan::new(&logs.selector, &logs.stages, &aim)?);
    let batches = plan.scan_columns(source, plan.columns())?.execute_stream().await?;
    let mut reader = Reader::new(&plan);
    Ok(batches.map(move |batch| {
        let mut lines = Vec::new();
        reader.read(&batch?, &mut lines)?;
        Ok(streams(lines))
    }))
}
