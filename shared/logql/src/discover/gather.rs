use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use icegate_model::TimeRange;
use icegate_schema::columns::{BODY, SEVERITY_TEXT, STREAM_LABELS};
use icegate_series::Labels;

use crate::ast::Selector;
use crate::eval::drive::{Consume, drive};
use crate::plan::{Aim, Plan, Trust};
use crate::rows::{NameCache, Names, RowReader, StreamCache, TextColumn, Times};
use crate::stage::Wanted;
use crate::{Limits, LogqlError, OpenRows};

/// What is gathered of the rows that a selector fits.
pub(super) trait Gather: Send + 'static {
    /// Groups rows by the columns that decide, for plans that need not look at rows. `STREAM_LABELS` and `SEVERITY_TEXT` are among
    /// them.
    fn group(&self, frame: DataFrame) -> Result<DataFrame, LogqlError>;

    /// Takes the group in a row of what [`Gather::group`] gave.
    fn take_group(&mut self, stream: Labels, batch: &RecordBatch, row: usize) -> Result<(), LogqlError>;

    /// Takes a row by itself.
    fn take_row(&mut self, stream: Labels, at: i64, line: &str) -> Result<(), LogqlError>;
}

/// Runs over all rows of a range that a selector fits; the parts together are what was gathered.
pub(super) async fn gather<G: Gather>(
    range: TimeRange,
    selector: &Selector,
    limits: &Limits,
    rows: &dyn OpenRows,
    make: impl Fn() -> G,
) -> Result<Vec<G>, LogqlError> {
    let source = rows.open(range).await?;
    let aim = |trust| Aim { range, limits, trust, wanted: Wanted::Only(HashSet::new()), now: 0 };
    let plan = Plan::new(selector, &[], &aim(Trust::Streams))?;
    if plan.is_exact() {
        let frame = make().group(plan.scan(&source)?)?;
        let found = drive(frame, || Groups { streams: StreamCache::default(), gather: make() }).await?;
        if !plan.is_undecided() {
            return Ok(found.into_iter().map(|part| part.gather).collect());
        }
    }
    let plan = Arc::new(Plan::new(selector, &[], &aim(Trust::Rows))?);
    let frame = plan.scan_columns(&source, plan.columns())?;
    let found = drive(frame, || Rows {
        plan: Arc::clone(&plan),
        columns: plan.names(),
        names: Names::default(),
        streams: StreamCache::default(),
        gather: make(),
    });
    Ok(found.await?.into_iter().map(|part| part.gather).collect())
}

/// Groups that a plan made.
struct Groups<G> {
    streams: StreamCache,
    gather: G,
}

impl<G: Gather> Consume for Groups<G> {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let stream_labels = TextColumn::of(batch, STREAM_LABELS)?;
        let severity = TextColumn::of(batch, SEVERITY_TEXT)?;
        for row in 0..batch.num_rows() {
            let stream = self.streams.get(stream_labels.text(row), severity.text(row));
            self.gather.take_group(stream, batch, row)?;
        }
        Ok(())
    }
}

/// Rows that are looked at one by one.
struct Rows<G> {
    plan: Arc<Plan>,
    columns: NameCache,
    names: Names,
    streams: StreamCache,
    gather: G,
}

impl<G: Gather> Consume for Rows<G> {
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError> {
        let body = TextColumn::of(batch, BODY)?;
        let times = Times::of(batch)?;
        let mut reader = RowReader::new(batch, &mut self.streams, &mut self.columns)?;
        for index in 0..batch.num_rows() {
            let (line, at) = (body.text(index), times.get(index));
            if let Some(row) = self.plan.run(line, at, reader.labels(index), &mut self.names) {
                self.gather.take_row(row.labels.stream, at, line)?;
            }
        }
        Ok(())
    }
}
