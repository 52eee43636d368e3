use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::prelude::col;
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::{BODY, TIMESTAMP, TIMESTAMP_NANOS};
use icegate_series::{Block, Grid, Labels, Row, Windows};

use super::grouped::{self, Grouped};
use super::metric::Context;
use super::whole::Whole;
use crate::ast::{LogRange, MatchOp, RangeAggregation, RangeOp};
use crate::plan::{Plan, Trust};
use crate::rows::LABEL_COLUMNS;
use crate::{Limits, LogqlError, Source};

/// The column that holds the length of each line.
pub(super) const OCTETS: &str = "octets";

/// Values of a range aggregation; with `by`, summed over the groups of these labels.
pub(crate) async fn evaluate(
    aggregation: &RangeAggregation,
    by: Option<&[String]>,
    context: &Context<'_>,
) -> Result<Block, LogqlError> {
    let absent = aggregation.op == RangeOp::AbsentOverTime;
    let by = if absent { Some([].as_slice()) } else { by };
    let range = &aggregation.range;
    let source = context.rows.open(reach(range, context.grid)?).await?;
    let windows = windows(aggregation, by, &source, context).await?;
    Ok(if absent { absences(range, windows, context.grid) } else { values(aggregation, windows) })
}

/// All times that a window can hold.
pub(crate) fn reach(range: &LogRange, grid: Grid) -> Result<TimeRange, LogqlError> {
    let start = grid.first().saturating_sub(range.offset).saturating_sub(range.nanos).saturating_add(1);
    let end = grid.last().saturating_sub(range.offset).saturating_add(1);
    let invalid = |_| LogqlError::InvalidRange { start, end, step: 0 };
    TimeRange::new(Timestamp::from_nanos(start), Timestamp::from_nanos(end)).map_err(invalid)
}

/// Whether lines count by their length.
const fn counts_bytes(op: RangeOp) -> bool {
    matches!(op, RangeOp::BytesRate | RangeOp::BytesOverTime)
}

async fn windows(
    aggregation: &RangeAggregation,
    by: Option<&[String]>,
    source: &Source,
    context: &Context<'_>,
) -> Result<Windows, LogqlError> {
    let range = &aggregation.range;
    let bytes = counts_bytes(aggregation.op);
    let empty = || Windows::new(context.grid, range.nanos, range.offset);
    let time = reach(range, context.grid)?;
    if let Some(by) = by {
        let plan = Plan::new(&range.selector, &range.stages, time, context.limits, Trust::Streams)?;
        if let Some(keys) = grouped::keys(&plan, by) {
            let frame = grouped::frame(&plan, &keys, bytes, source)?;
            let make = || Grouped::new(empty(), keys.clone(), bytes, plan.undecided(), *context.limits);
            let done = super::drive::drive(frame, make).await?;
            if !plan.is_undecided() {
                return merged(done.into_iter().map(Grouped::into_windows), empty(), context.limits);
            }
        }
    }
    let plan = Arc::new(Plan::new(&range.selector, &range.stages, time, context.limits, Trust::Rows)?);
    let frame = plan.scan(source)?.select(whole_columns().into_iter().map(col).collect::<Vec<_>>())?;
    let make = || Whole::new(Arc::clone(&plan), empty(), by.map(<[String]>::to_vec), bytes, *context.limits);
    let done = super::drive::drive(frame, make).await?;
    merged(done.into_iter().map(Whole::into_windows), empty(), context.limits)
}

/// The scan that counts by columns; `None` where rows have to be looked at.
pub(crate) fn grouped_frame(
    plan: &Plan,
    by: Option<&[String]>,
    aggregation: &RangeAggregation,
    source: &Source,
) -> Result<Option<DataFrame>, LogqlError> {
    let by = if aggregation.op == RangeOp::AbsentOverTime { Some([].as_slice()) } else { by };
    let keys = by.and_then(|by| grouped::keys(plan, by));
    keys.map(|keys| grouped::frame(plan, &keys, counts_bytes(aggregation.op), source)).transpose()
}

/// Columns that whole rows are read with.
pub(crate) fn whole_columns() -> Vec<&'static str> {
    [TIMESTAMP, TIMESTAMP_NANOS, BODY].into_iter().chain(LABEL_COLUMNS).collect()
}

fn merged(parts: impl Iterator<Item = Windows>, mut into: Windows, limits: &Limits) -> Result<Windows, LogqlError> {
    for part in parts {
        into.merge(part);
        limits.check(&into)?;
    }
    Ok(into)
}

#[allow(clippy::cast_precision_loss, reason = "values are floats in the language")]
fn values(aggregation: &RangeAggregation, windows: Windows) -> Block {
    let seconds = aggregation.range.nanos as f64 / 1e9;
    match aggregation.op {
        RangeOp::Rate => windows.finish(|count, _| count as f64 / seconds),
        RangeOp::BytesRate => windows.finish(|_, bytes| bytes as f64 / seconds),
        RangeOp::BytesOverTime => windows.finish(|_, bytes| bytes as f64),
        _ => windows.finish(|count, _| count as f64),
    }
}

/// 1 where nothing is, with the labels that the selector fixes.
fn absences(range: &LogRange, windows: Windows, grid: Grid) -> Block {
    let present = windows.finish(|_, _| 1.0);
    let values = (0..grid.len()).map(|step| {
        let found = present.series.iter().any(|row| row.values.get(step).is_some_and(Option::is_some));
        (!found).then_some(1.0)
    });
    let matchers = &range.selector.matchers;
    let fixed = matchers
        .iter()
        .filter(|one| one.op == MatchOp::Equal && matchers.iter().filter(|other| other.name == one.name).count() == 1)
        .map(|matcher| (matcher.name.as_str(), matcher.value.as_str()));
    Block { grid, series: vec![Row { labels: Labels::from_pairs(fixed), values: values.collect() }] }
}
