use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::prelude::col;
use icegate_model::TimeRange;
use icegate_schema::columns::{BODY, SEVERITY_TEXT, STREAM_LABELS};
use icegate_series::Labels;

use crate::ast::Selector;
use crate::eval::drive::{Consume, drive};
use crate::plan::{Aim, Plan, Trust};
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn};
use crate::stage::Wanted;
use crate::{Limits, LogqlError, OpenRows};

/// Names of stream labels in a range of time, sorted.
///
/// # Errors
/// As [`crate::evaluate`]; [`LogqlError::TooManySeries`] with more distinct streams than `limits.values`.
pub async fn label_names(
    range: TimeRange,
    selector: &Selector,
    limits: &Limits,
    rows: &dyn OpenRows,
) -> Result<Vec<String>, LogqlError> {
    let found = streams(range, selector, limits, rows).await?;
    let names: BTreeSet<_> = found.iter().flat_map(Labels::iter).map(|label| label.name.to_string()).collect();
    Ok(names.into_iter().collect())
}

/// Values of a stream label in a range of time, sorted; none for structured metadata.
///
/// # Errors
/// As [`label_names`].
pub async fn label_values(
    name: &str,
    range: TimeRange,
    selector: &Selector,
    limits: &Limits,
    rows: &dyn OpenRows,
) -> Result<Vec<String>, LogqlError> {
    let found = streams(range, selector, limits, rows).await?;
    let values: BTreeSet<_> = found.iter().filter_map(|labels| labels.get(name)).map(str::to_owned).collect();
    Ok(values.into_iter().collect())
}

/// Streams that any of the selectors fits, sorted by their labels; without a selector all streams.
///
/// # Errors
/// As [`label_names`].
pub async fn series(
    range: TimeRange,
    selectors: &[Selector],
    limits: &Limits,
    rows: &dyn OpenRows,
) -> Result<Vec<Labels>, LogqlError> {
    let everything = [Selector { matchers: Vec::new(), place: icegate_syntax::Place::default() }];
    let selectors = if selectors.is_empty() { &everything } else { selectors };
    let mut all = BTreeSet::new();
    for selector in selectors {
        all.extend(streams(range, selector, limits, rows).await?);
    }
    Ok(all.into_iter().collect())
}

async fn streams(
    range: TimeRange,
    selector: &Selector,
    limits: &Limits,
    rows: &dyn OpenRows,
) -> Result<BTreeSet<Labels>, LogqlError> {
    let source = rows.open(range).await?;
    let aim = |trust| Aim { range, limits, trust, wanted: Wanted::Only(HashSet::new()), now: 0 };
    let plan = Plan::new(selector, &[], &aim(Trust::Streams))?;
    if plan.is_exact() {
        let frame = plan.scan(&source)?.aggregate(vec![col(STREAM_LABELS), col(SEVERITY_TEXT)], vec![])?;
        let found = drive(frame, || Distinct { limit: limits.values, ..Distinct::default() }).await?;
        if !plan.is_undecided() {
            return Ok(found.into_iter().flat_map(|part| part.found).collect());
        }
    }
    let plan = Arc::new(Plan::new(selector, &[], &aim(Trust::Rows))?);
    let frame = plan.scan_columns(&source, plan.columns())?;
    let found = drive(frame, || Fitting {
        plan: Arc::clone(&plan),
        columns: plan.names(),
        names: Names::default(),
        distinct: Distinct { limit: limits.values, ..Distinct::default() },
    })
    .await?;
    Ok(found.into_iter().flat_map(|part| part.distinct.found).collect())
}

/// Distinct streams.
#[derive(Default)]
struct Distinct {
    found: HashSet<Labels>,
    streams: StreamCache,
    limit: usize,
}

impl Distinct {
    fn insert(&mut self, labels: Labels) -> Result<(), LogqlError> {
        self.found.insert(labels);
        if self.found.len() > self.limit { Err(LogqlError::TooManySeries { limit: self.limit }) } else { Ok(()) }
    }
}

impl Consume for Distinct {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let stream_labels = TextColumn::of(batch, STREAM_LABELS)?;
        let severity = TextColumn::of(batch, SEVERITY_TEXT)?;
        for row in 0..batch.num_rows() {
            let labels = self.streams.get(stream_labels.text(row), severity.text(row));
            self.insert(labels)?;
        }
        Ok(())
    }
}

/// Distinct streams of rows that fit.
struct Fitting {
    plan: Arc<Plan>,
    columns: NameCache,
    names: Names,
    distinct: Distinct,
}

impl Consume for Fitting {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let body = TextColumn::of(batch, BODY)?;
        let mut found = Vec::new();
        let mut reader = RowReader::new(batch, &mut self.distinct.streams, &mut self.columns)?;
        for index in 0..batch.num_rows() {
            if let Some(row) = self.plan.run(body.text(index), 0, reader.labels(index), &mut self.names) {
                found.push(row.labels.stream);
            }
        }
        found.into_iter().try_for_each(|labels| self.distinct.insert(labels))
    }
}
