use icegate_model::TimeRange;
use icegate_series::Labels;

use crate::ast::Selector;
use crate::{Limits, LogqlError, OpenRows};

/// Names of stream labels.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn label_names(range: TimeRange, selector: &Selector, limits: &Limits, rows: &dyn OpenRows) -> Result<Vec<String>, LogqlError> {
    let _ = (range, selector, limits, rows);
    Ok(Vec::new())
}

/// Values of a stream label.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn label_values(
    name: &str, range: TimeRange, selector: &Selector, limits: &Limits, rows: &dyn OpenRows,
) -> Result<Vec<String>, LogqlError> {
    let _ = (name, range, selector, limits, rows);
    Ok(Vec::new())
}

/// Streams.
///
/// # Errors
/// As [`crate::evaluate`].
pub async fn series(range: TimeRange, selectors: &[Selector], limits: &Limits, rows: &dyn OpenRows) -> Result<Vec<Labels>, LogqlError> {
    let _ = (range, selectors, limits, rows);
    Ok(Vec::new())
}
