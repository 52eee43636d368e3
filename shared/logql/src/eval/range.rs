use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use icegate_model::{TimeRange, Timestamp};
use icegate_series::{Block, Grid, Labels, Measure, Row, Windows};

use super::grouped::{self, Grouped, Keys};
use super::metric::Context;
use super::sampler::{self, Sampler};
use super::whole::Whole;
use crate::ast::{LogRange, MatchOp, RangeAggregation, RangeOp};
use crate::plan::{Aim, Plan, Trust};
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

/// What is computed of the rows of a window.
const fn measure(aggregation: &RangeAggregation) -> Measure {
    match aggregation.op {
        RangeOp::Rate if aggregation.range.unwrap.is_some() => Measure::Sum,
        RangeOp::Rate | RangeOp::CountOverTime | RangeOp::AbsentOverTime => Measure::Count,
        RangeOp::BytesRate | RangeOp::BytesOverTime | RangeOp::SumOverTime => Measure::Sum,
        RangeOp::RateCounter => Measure::CounterRate,
        RangeOp::AvgOverTime => Measure::Avg,
        RangeOp::MinOverTime => Measure::Min,
        RangeOp::MaxOverTime => Measure::Max,
        RangeOp::StddevOverTime => Measure::Stddev,
        RangeOp::StdvarOverTime => Measure::Stdvar,
        RangeOp::QuantileOverTime => Measure::Quantile(match aggregation.param {
            Some(quantile) => quantile,
            None => f64::NAN,
        }),
        RangeOp::FirstOverTime => Measure::First,
        RangeOp::LastOverTime => Measure::Last,
    }
}

/// How a range aggregation is planned.
pub(crate) struct Scan {
    pub(crate) plan: Plan,
    /// The columns that decide the groups; none where rows have to be looked at.
    keys: Option<Keys>,
    bytes: bool,
}

impl Scan {
    /// By columns alone where these decide the groups and no row has a say; else by rows.
    pub(crate) fn new(
        aggregation: &RangeAggregation,
        by: Option<&[String]>,
        context: &Context<'_>,
        trust: Trust,
    ) -> Result<Self, LogqlError> {
        let by = if aggregation.op == RangeOp::AbsentOverTime { Some([].as_slice()) } else { by };
        let range = &aggregation.range;
        let bytes = sampler::counts_bytes(aggregation.op);
        let aim = |trust| {
            Ok::<_, LogqlError>(Aim {
                range: reach(range, context.grid)?,
                limits: context.limits,
                trust,
                wanted: sampler::wanted(aggregation, by),
                now: context.now,
            })
        };
        if let Some(by) = by.filter(|_| range.unwrap.is_none() && trust == Trust::Streams) {
            let plan = Plan::new(&range.selector, &range.stages, &aim(Trust::Streams)?)?;
            if let Some(keys) = grouped::keys(&plan, by, bytes) {
                return Ok(Self { plan, keys: Some(keys), bytes });
            }
        }
        let plan = Plan::new(&range.selector, &range.stages, &aim(Trust::Rows)?)?;
        Ok(Self { plan, keys: None, bytes })
    }

    pub(crate) fn frame(&self, source: &Source) -> Result<DataFrame, LogqlError> {
        match &self.keys {
            Some(keys) => grouped::frame(&self.plan, keys, self.bytes, source),
            None => self.plan.scan_columns(source, self.plan.columns()),
        }
    }
}

async fn windows(
    aggregation: &RangeAggregation,
    by: Option<&[String]>,
    source: &Source,
    context: &Context<'_>,
) -> Result<Windows, LogqlError> {
    let range = &aggregation.range;
    let empty = Windows::new(context.grid, range.nanos, range.offset, measure(aggregation));
    let scan = Scan::new(aggregation, by, context, Trust::Streams)?;
    let limits = *context.limits;
    let scan = match &scan.keys {
        None => scan,
        Some(keys) => {
            let make = || Grouped::new(empty.emptied(), keys.clone(), scan.bytes, scan.plan.undecided(), limits);
            let done = super::drive::drive(scan.frame(source)?, make).await?;
            if !scan.plan.is_undecided() {
                return merged(done.into_iter().map(Grouped::into_windows), empty, &limits);
            }
            Scan::new(aggregation, by, context, Trust::Rows)?
        }
    };
    let sampler = Arc::new(Sampler::new(aggregation, by)?);
    let frame = scan.frame(source)?;
    let plan = Arc::new(scan.plan);
    let make = || Whole::new(Arc::clone(&plan), Arc::clone(&sampler), empty.emptied(), limits);
    let done = super::drive::drive(frame, make).await?;
    merged(done.into_iter().map(Whole::into_windows), empty, &limits)
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
        RangeOp::Rate | RangeOp::BytesRate => windows.finish(|value| value / seconds),
        _ => windows.finish(|value| value),
    }
}

/// 1 where nothing is, with the labels that the selector fixes.
fn absences(range: &LogRange, windows: Windows, grid: Grid) -> Block {
    let present = windows.finish(|value| value);
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
