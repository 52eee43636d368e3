//! What rows of Prometheus' remote write have beside the columns of OTLP's points.

use std::sync::Arc;

use arrow::array::{Float64Builder, Int32Builder, StringBuilder};
use arrow::error::ArrowError;
use icegate_schema::columns;

use crate::batch::Columns;
use crate::point_lists::Doubles;

/// The cells of one row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PrometheusCells<'a> {
    /// The type that the sender says.
    pub(crate) kind: &'static str,
    /// What it says of counter resets.
    pub(crate) reset_hint: Option<i32>,
    /// Of a native histogram that counts in fractions, as all below.
    pub(crate) count: Option<f64>,
    pub(crate) zero_count: Option<f64>,
    pub(crate) buckets: Option<&'a [f64]>,
    pub(crate) positive: Option<&'a [f64]>,
    pub(crate) negative: Option<&'a [f64]>,
}

impl PrometheusCells<'_> {
    /// How many numbers its lists hold.
    pub(crate) fn numbers(&self) -> usize {
        [self.buckets, self.positive, self.negative].into_iter().flatten().map(<[f64]>::len).sum()
    }
}

/// The columns, NULL in rows of OTLP.
pub(crate) struct PrometheusColumns {
    kind: StringBuilder,
    reset_hint: Int32Builder,
    count: Float64Builder,
    zero_count: Float64Builder,
    buckets: Doubles,
    positive: Doubles,
    negative: Doubles,
}

impl PrometheusColumns {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            kind: StringBuilder::with_capacity(rows, 0),
            reset_hint: Int32Builder::with_capacity(rows),
            count: Float64Builder::with_capacity(rows),
            zero_count: Float64Builder::with_capacity(rows),
            buckets: Doubles::new(rows),
            positive: Doubles::new(rows),
            negative: Doubles::new(rows),
        }
    }

    pub(crate) fn append(&mut self, cells: Option<&PrometheusCells<'_>>) {
        self.kind.append_option(cells.map(|cells| cells.kind));
        self.reset_hint.append_option(cells.and_then(|cells| cells.reset_hint));
        self.count.append_option(cells.and_then(|cells| cells.count));
        self.zero_count.append_option(cells.and_then(|cells| cells.zero_count));
        self.buckets.append(cells.and_then(|cells| cells.buckets));
        self.positive.append(cells.and_then(|cells| cells.positive));
        self.negative.append(cells.and_then(|cells| cells.negative));
    }

    pub(crate) fn finish(mut self) -> Result<Columns, ArrowError> {
        Ok(vec![
            (columns::PROMETHEUS_TYPE, Arc::new(self.kind.finish())),
            (columns::RESET_HINT, Arc::new(self.reset_hint.finish())),
            (columns::COUNT_DOUBLE, Arc::new(self.count.finish())),
            (columns::ZERO_COUNT_DOUBLE, Arc::new(self.zero_count.finish())),
            (columns::BUCKET_COUNTS_DOUBLE, self.buckets.finish(columns::BUCKET_COUNTS_DOUBLE)?),
            (columns::POSITIVE_BUCKET_COUNTS_DOUBLE, self.positive.finish(columns::POSITIVE_BUCKET_COUNTS_DOUBLE)?),
            (columns::NEGATIVE_BUCKET_COUNTS_DOUBLE, self.negative.finish(columns::NEGATIVE_BUCKET_COUNTS_DOUBLE)?),
        ])
    }
}
