use icegate_series::{Grouping, Labels};

use crate::ast::{RangeAggregation, RangeOp};
use crate::rows::RowLabels;
use crate::stage::{Row, Unwrapping};
use crate::{LogqlError, plan};

/// What a row counts for, and for which series.
#[derive(Debug)]
pub(crate) struct Sampler {
    amount: Amount,
    key: Grouping,
}

#[derive(Debug)]
enum Amount {
    Line,
    Bytes,
    Label(Unwrapping),
}

/// Whether lines count by their length.
pub(crate) const fn counts_bytes(op: RangeOp) -> bool {
    matches!(op, RangeOp::BytesRate | RangeOp::BytesOverTime)
}

/// The labels that a series has alone, where that is known: those that the result is summed by, or grouped by.
pub(crate) fn grouped_by<'a>(aggregation: &'a RangeAggregation, by: Option<&'a [String]>) -> Option<&'a [String]> {
    by.or_else(|| aggregation.grouping.as_ref().filter(|grouping| !grouping.without).map(|grouping| grouping.labels.as_slice()))
}

/// The labels that rows are asked for.
pub(crate) fn wanted(aggregation: &RangeAggregation, by: Option<&[String]>) -> crate::stage::Wanted {
    plan::wanted(&aggregation.range, grouped_by(aggregation, by))
}

impl Sampler {
    /// With `by`, for the groups of these labels; else for series with all labels, or grouped as the aggregation says.
    pub(crate) fn new(aggregation: &RangeAggregation, by: Option<&[String]>) -> Result<Self, LogqlError> {
        let amount = match &aggregation.range.unwrap {
            Some(unwrap) => Amount::Label(Unwrapping::new(unwrap)?),
            None if counts_bytes(aggregation.op) => Amount::Bytes,
            None => Amount::Line,
        };
        let key = match (grouped_by(aggregation, by), &aggregation.grouping, &amount) {
            (Some(by), _, _) => Grouping::By(by.to_vec()),
            (None, grouping, amount) => {
                let mut gone = grouping.as_ref().map(|grouping| grouping.labels.clone()).unwrap_or_default();
                // The value isn't a label of the series as well.
                if let Amount::Label(unwrap) = amount {
                    gone.push(unwrap.label.clone());
                }
                Grouping::Without(gone)
            }
        };
        Ok(Self { amount, key })
    }

    /// The value of a row, if it has one.
    #[allow(clippy::cast_precision_loss, reason = "values are floats in the language")]
    pub(crate) fn value(&self, row: &mut Row<'_>) -> Result<Option<f64>, LogqlError> {
        let value = match &self.amount {
            Amount::Line => Some(1.0),
            Amount::Bytes => Some(row.line.len() as f64),
            Amount::Label(unwrap) => unwrap.value(&mut row.labels),
        };
        let labels = &row.labels;
        match labels.error.filter(|_| value.is_some() && !labels.error_is_kept) {
            Some(error) => Err(LogqlError::Pipeline { error: error.to_owned(), series: labels.all(&[]).to_string() }),
            None => Ok(value),
        }
    }

    /// The labels of a row's series.
    pub(crate) fn labels(&self, labels: &RowLabels) -> Labels {
        match &self.key {
            Grouping::By(names) => labels.only(names),
            Grouping::Without(names) => labels.all(names),
        }
    }

    /// Writes what tells a row's series from others; equal texts mean equal labels.
    pub(crate) fn write_key(&self, labels: &RowLabels, into: &mut String) {
        let mut push = |text: &str| {
            into.push_str(text);
            into.push('\u{1}');
            into.push_str(&text.len().to_string());
            into.push('\u{1}');
        };
        match &self.key {
            Grouping::By(names) => names.iter().for_each(|name| push(labels.get(name).unwrap_or_default())),
            Grouping::Without(_) => {
                for label in labels.stream.iter().chain(&labels.metadata).chain(&labels.parsed) {
                    push(&label.name);
                    push(&label.value);
                }
                push(labels.error.unwrap_or_default());
                push(&labels.error_details);
            }
        }
    }
}
