//! Reads the rows of a selection.

use datafusion::prelude::{DataFrame, Expr};
use futures::StreamExt;
use icegate_engine::{Engine, EngineError};
use icegate_model::{Table, TenantId, TimeRange};
use icegate_promql::{Limits, Matcher, PromqlError};
use icegate_schema::columns;
use icegate_series::Labels;

use super::collect::Collector;
use super::condition::{self, frame, range};
use super::identity::{self, Identities};
use super::metadata::MetricText;
use super::points::{PART_COLUMNS, Part, PartColumns, Points, Refused, Shape, VALUE_COLUMNS, When};
use crate::translate::Translation;

/// Whose metrics are asked for, and how.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) tenant: &'a TenantId,
    pub(crate) translation: &'a Translation,
    pub(crate) limits: Limits,
    /// Asked between two batches whether to give up.
    pub(crate) is_canceled: &'a (dyn Fn() -> bool + Sync),
}

/// Which rows, and whether their samples are wanted.
#[derive(Clone, Copy, Debug)]
struct Selection<'a> {
    matchers: &'a [Matcher],
    range: TimeRange,
    with_samples: bool,
}

/// A row's samples can't be gathered, or a row can't be samples.
enum Stop {
    Failed(PromqlError),
    Refused(Refused),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<PromqlError> for Stop {
    fn from(error: PromqlError) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn storage(error: impl Into<EngineError>) -> PromqlError {
    let error = error.into();
    PromqlError::storage(error.kind(), error)
}

/// The labels of the series that fit and have a sample after `from` up to `to`, in order.
pub(crate) async fn labels(
    asked: Asked<'_>,
    matchers: &[Matcher],
    (from, to): (i64, i64),
    warnings: &mut Vec<String>,
) -> Result<Vec<Labels>, PromqlError> {
    let Some(range) = range(from, to) else { return Ok(Vec::new()) };
    let selection = Selection { matchers, range, with_samples: false };
    Ok(gather(asked, selection, warnings).await?.labels())
}

/// The series that fit, with their samples after `from` up to `to`.
pub(super) async fn samples<'a>(
    asked: Asked<'a>,
    matchers: &'a [Matcher],
    (from, to): (i64, i64),
    warnings: &mut Vec<String>,
) -> Result<Collector<'a>, PromqlError> {
    match range(from, to) {
        Some(range) => gather(asked, Selection { matchers, range, with_samples: true }, warnings).await,
        None => Ok(Collector::new(asked.translation, matchers, asked.limits)),
    }
}

async fn gather<'a>(
    asked: Asked<'a>,
    selection: Selection<'a>,
    warnings: &mut Vec<String>,
) -> Result<Collector<'a>, PromqlError> {
    let opened = asked.engine.open(Table::Metrics, asked.tenant, selection.range).await.map_err(storage)?;
    warnings.extend(opened.report.warnings());
    let mut collector = Collector::new(asked.translation, selection.matchers, asked.limits);
    let services = condition::services(selection.matchers);
    if let Some(condition) = metrics_that_fit(asked, selection, &opened).await? {
        let mut wanted: Vec<&str> = identity::COLUMNS.into_iter().chain(PART_COLUMNS).collect();
        wanted.push(columns::SERVICE_NAME);
        if selection.with_samples {
            wanted.extend(VALUE_COLUMNS);
        } else {
            wanted.push(columns::TIMESTAMP);
        }
        let rows = frame(&opened, selection.range, &wanted).map_err(storage)?;
        let rows = filtered(rows, condition.into_iter().chain(services.clone()))?;
        read(asked, rows, |batch| add(&mut collector, batch, asked.translation, selection.with_samples, warnings)).await?;
    }
    if fits_name(selection.matchers, "target_info") {
        let wanted =
            [identity::COLUMNS.as_slice(), &[columns::SERVICE_NAME, columns::TIMESTAMP, columns::INGESTED_TIMESTAMP]].concat();
        let rows = filtered(frame(&opened, selection.range, &wanted).map_err(storage)?, services)?;
        read(asked, rows, |batch| add_targets(&mut collector, batch, selection.with_samples)).await?;
    }
    Ok(collector)
}

fn filtered(rows: DataFrame, conditions: impl IntoIterator<Item = Expr>) -> Result<DataFrame, PromqlError> {
    conditions.into_iter().try_fold(rows, |rows, condition| rows.filter(condition).map_err(storage))
}

/// A condition on rows for the metrics that can have the name asked for: `None` where there are none, an empty one where all can.
async fn metrics_that_fit(
    asked: Asked<'_>,
    selection: Selection<'_>,
    opened: &icegate_engine::Opened,
) -> Result<Option<Option<Expr>>, PromqlError> {
    if !selection.matchers.iter().any(|matcher| matcher.name == "__name__") {
        return Ok(Some(None));
    }
    let metrics = super::metadata::texts(asked, opened, selection.range, false).await?;
    let mut names: Vec<String> = metrics
        .into_iter()
        .filter(|metric| has_name(asked.translation, metric, selection.matchers))
        .map(|metric| metric.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok((!names.is_empty()).then(|| Some(condition::metrics(names))))
}

fn has_name(translation: &Translation, metric: &MetricText, matchers: &[Matcher]) -> bool {
    let Some(name) = metric.translated(translation) else { return false };
    metric.endings(translation).iter().any(|ending| fits_name(matchers, &format!("{name}{ending}")))
}

fn fits_name(matchers: &[Matcher], name: &str) -> bool {
    matchers.iter().filter(|matcher| matcher.name == "__name__").all(|matcher| matcher.fits(name))
}

/// Hands the rows to `add`, batch by batch.
pub(super) async fn read(
    asked: Asked<'_>,
    rows: DataFrame,
    mut add: impl FnMut(&arrow::array::RecordBatch) -> Result<(), PromqlError>,
) -> Result<(), PromqlError> {
    let mut batches = rows.execute_stream().await.map_err(storage)?;
    while let Some(batch) = batches.next().await {
        if (asked.is_canceled)() {
            return Err(PromqlError::Canceled);
        }
        add(&batch.map_err(storage)?)?;
    }
    Ok(())
}

fn add(
    collector: &mut Collector<'_>,
    batch: &arrow::array::RecordBatch,
    translation: &Translation,
    with_samples: bool,
    warnings: &mut Vec<String>,
) -> Result<(), PromqlError> {
    let rows = Identities::of(batch).map_err(storage)?;
    let nhcb = translation.histograms_to_nhcb;
    let points = if with_samples { Some(Points::of(batch).map_err(storage)?) } else { None };
    let parts = PartColumns::of(batch).map_err(storage)?;
    let mut key = Vec::new();
    for row in 0..batch.num_rows() {
        let Some(metric) = rows.metric(row) else { continue };
        rows.key(row, &mut key);
        let identity = collector.identity(&key, &rows, row)?;
        let shape = Shape { nhcb, is_delta: rows.is_delta(row), is_written: metric.is_written() };
        let Some(points) = &points else {
            for part in parts.parts(row, metric.kind, shape) {
                collector.place(identity, part)?;
            }
            continue;
        };
        let when = points.when(row);
        let put = |part, value| collector.put(identity, part, when, value).map_err(Stop::Failed);
        match points.read(row, metric.kind, shape, put) {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Refused(Refused::Scale(scale))) => {
                let name = metric.name;
                let text = format!(
                    "exponential histograms of {name} have scale {scale}, native histograms have none below -4: they are left out"
                );
                if !warnings.contains(&text) {
                    warnings.push(text);
                }
            }
        }
    }
    Ok(())
}

/// `target_info` has a sample wherever its resource has a point.
fn add_targets(collector: &mut Collector<'_>, batch: &arrow::array::RecordBatch, with_samples: bool) -> Result<(), PromqlError> {
    use arrow::datatypes::TimestampMicrosecondType as Micros;
    let rows = Identities::of(batch).map_err(storage)?;
    let times = super::columns::number::<Micros>(batch, columns::TIMESTAMP).map_err(storage)?;
    let ingested = super::columns::number::<Micros>(batch, columns::INGESTED_TIMESTAMP).map_err(storage)?;
    let mut key = Vec::new();
    let mut last = None;
    for row in 0..batch.num_rows() {
        rows.resource_key(row, &mut key);
        let identity = collector.resource(&key, &rows, row)?;
        let at = times.value(row).div_euclid(1_000);
        // Rows of one request follow each other: most repeat what was just added.
        if last == Some((identity, at)) {
            continue;
        }
        last = Some((identity, at));
        if with_samples {
            let when = When { at, start: 0, ingested: ingested.value(row) };
            collector.put(identity, Part::Whole, when, icegate_promql::Value::Float(1.0))?;
        } else {
            collector.place(identity, Part::Whole)?;
        }
    }
    Ok(())
}
