mod line;
pub(super) mod read;
mod slices;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::prelude::col;
use futures::StreamExt;
use icegate_model::TimeRange;
use icegate_schema::columns::{TIMESTAMP, TIMESTAMP_NANOS};
use icegate_series::Labels;

use super::drive::drive;
use crate::ast::LogExpr;
use crate::plan::{Aim, Plan, Trust};
use crate::stage::Wanted;
use crate::{Direction, LogqlError, OpenRows, QueryParams, Source, Stream};

use line::{First, Line};
use read::{Reader, Spaced, Unordered};
use slices::{Held, Slices};

/// The lines of a log query.
pub(crate) async fn answer(logs: &LogExpr, params: &QueryParams, rows: &dyn OpenRows) -> Result<Vec<Stream>, LogqlError> {
    if params.limit == 0 {
        return Err(LogqlError::NoEntries);
    }
    if params.limit > params.limits.entries {
        return Err(LogqlError::TooManyEntries { asked: params.limit, limit: params.limits.entries });
    }
    let source = rows.open(time(params)?).await?;
    if let Some(found) = lines(logs, Trust::Streams, params, &source).await? {
        return Ok(streams(found));
    }
    Ok(lines(logs, Trust::Rows, params, &source).await?.map_or_else(Vec::new, streams))
}

/// What columns decide, and what is left.
pub(crate) fn plan(logs: &LogExpr, params: &QueryParams, trust: Trust) -> Result<Plan, LogqlError> {
    let aim = Aim { range: time(params)?, limits: &params.limits, trust, wanted: Wanted::All, now: params.now.nanos() };
    Plan::new(&logs.selector, &logs.stages, &aim)
}

/// The time that a log query asks for.
pub(crate) fn time(params: &QueryParams) -> Result<TimeRange, LogqlError> {
    TimeRange::new(params.start, params.end).map_err(|error| LogqlError::InvalidRange {
        start: error.start.nanos(),
        end: error.end.nanos(),
        step: 0,
    })
}

/// The scan of a log query: in order where each line depends on the one before.
pub(crate) fn frame(plan: &Plan, params: &QueryParams, source: &Source) -> Result<DataFrame, LogqlError> {
    let frame = plan.scan_columns(source, plan.columns())?;
    if params.interval.is_zero() {
        return Ok(frame);
    }
    let first_is_least = params.direction == Direction::Forward;
    Ok(frame.sort([TIMESTAMP, TIMESTAMP_NANOS].map(|name| col(name).sort(first_is_least, first_is_least)).to_vec())?)
}

/// The first lines in the direction asked for, in order; none where rows have to be trusted and are not.
///
/// Time is read slice by slice until there are enough: what wasn't read then lies behind all that was, so that it isn't needed,
/// whatever it holds.
async fn lines(logs: &LogExpr, trust: Trust, params: &QueryParams, source: &Source) -> Result<Option<Vec<Line>>, LogqlError> {
    let (plan, range) = (&Arc::new(plan(logs, params, trust)?), time(params)?);
    let (limit, direction) = (params.limit, params.direction);
    let mut slices = Slices::new(range, direction, limit, Held::of(source.provider.as_ref()));
    let mut first = First::new(limit, direction);
    let interval = u64::try_from(params.interval.as_nanos()).unwrap_or(u64::MAX);
    let mut spaced = (interval > 0).then(|| Spaced::new(interval, limit, direction));
    while let Some(slice) = slices.next() {
        let frame = plan.within(frame(plan, params, source)?, slice)?;
        let (before, after) = match &mut spaced {
            Some(spaced) => (spaced.len(), read_in_order(plan, frame, spaced).await?),
            None => (first.len(), read_first(plan, frame, &mut first, params).await?),
        };
        if trust == Trust::Streams && plan.is_undecided() {
            return Ok(None);
        }
        if after >= limit {
            break;
        }
        slices.found(after - before, limit - before);
    }
    Ok(Some(spaced.map_or_else(|| first.into_lines(), Spaced::into_lines)))
}

/// Reads all of a slice; how many lines are kept then.
async fn read_first(plan: &Arc<Plan>, frame: DataFrame, first: &mut First, params: &QueryParams) -> Result<usize, LogqlError> {
    let make = || Unordered { reader: Reader::new(plan), first: First::new(params.limit, params.direction) };
    for part in drive(frame, make).await? {
        first.merge(part.first);
    }
    Ok(first.len())
}

/// Reads a slice in order until there are enough lines; how many are kept then.
async fn read_in_order(plan: &Arc<Plan>, frame: DataFrame, spaced: &mut Spaced) -> Result<usize, LogqlError> {
    let mut batches = frame.execute_stream().await?;
    let mut reader = Reader::new(plan);
    while let Some(batch) = batches.next().await {
        spaced.read(&mut reader, &batch?)?;
        if spaced.is_full() {
            break;
        }
    }
    spaced.settle();
    Ok(spaced.len())
}

/// Lines by stream, streams by their labels.
pub(super) fn streams(lines: Vec<Line>) -> Vec<Stream> {
    let mut index: HashMap<Labels, usize> = HashMap::new();
    let mut streams: Vec<Stream> = Vec::new();
    for line in lines {
        let at = *index.entry(line.stream.clone()).or_insert_with(|| {
            streams.push(Stream { labels: line.stream, entries: Vec::new() });
            streams.len() - 1
        });
        streams[at].entries.push(line.entry);
    }
    streams.sort_by(|a, b| a.labels.cmp(&b.labels));
    streams
}
