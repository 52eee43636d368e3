mod field_type;
mod fields;
mod gather;
mod volume;

use std::collections::{BTreeSet, HashSet};

use arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::col;
use icegate_model::TimeRange;
use icegate_schema::columns::{SEVERITY_TEXT, STREAM_LABELS};
use icegate_series::Labels;

use crate::ast::Selector;
use crate::{Limits, LogqlError, OpenRows};

pub use field_type::FieldType;
pub use fields::{Field, detected_fields};
pub use volume::{StreamVolume, Volume, volumes};

use gather::{Gather, gather};

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
    let make = || Distinct { limit: limits.values, found: HashSet::new() };
    let parts = gather(range, selector, limits, rows, make).await?;
    Ok(parts.into_iter().flat_map(|part| part.found).collect())
}

/// Distinct streams.
struct Distinct {
    found: HashSet<Labels>,
    limit: usize,
}

impl Gather for Distinct {
    fn group(&self, frame: DataFrame) -> Result<DataFrame, LogqlError> {
        Ok(frame.aggregate(vec![col(STREAM_LABELS), col(SEVERITY_TEXT)], vec![])?)
    }

    fn take_group(&mut self, stream: Labels, _: &RecordBatch, _: usize) -> Result<(), LogqlError> {
        self.found.insert(stream);
        if self.found.len() > self.limit { Err(LogqlError::TooManySeries { limit: self.limit }) } else { Ok(()) }
    }

    fn take_row(&mut self, stream: Labels, _: i64, _: &str) -> Result<(), LogqlError> {
        self.found.insert(stream);
        if self.found.len() > self.limit { Err(LogqlError::TooManySeries { limit: self.limit }) } else { Ok(()) }
    }
}
