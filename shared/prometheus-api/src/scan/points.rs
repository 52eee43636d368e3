//! The values of a row as samples of the series that it belongs to.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use icegate_engine::EngineError;
use icegate_promql::{Histogram, ResetHint, STALE_BITS, Value};
use icegate_schema::columns;

use super::columns::{counts, doubles, list, number, value};
use super::histograms::{Exponential, ZERO_THRESHOLD, custom, float, stale};
use crate::translate::Kind;

/// The columns that labels of buckets and quantiles come from.
pub(super) const PART_COLUMNS: [&str; 5] =
    [columns::EXPLICIT_BOUNDS, columns::QUANTILE_VALUES, columns::FLAGS, columns::SUM, columns::VALUE_DOUBLE];
/// The columns that samples come from, beside those.
pub(super) const VALUE_COLUMNS: [&str; 19] = [
    columns::TIMESTAMP,
    columns::START_TIMESTAMP,
    columns::INGESTED_TIMESTAMP,
    columns::VALUE_INT,
    columns::COUNT,
    columns::BUCKET_COUNTS,
    columns::SCALE,
    columns::ZERO_COUNT,
    columns::POSITIVE_OFFSET,
    columns::POSITIVE_BUCKET_COUNTS,
    columns::NEGATIVE_OFFSET,
    columns::NEGATIVE_BUCKET_COUNTS,
    columns::ZERO_THRESHOLD,
    columns::RESET_HINT,
    columns::COUNT_DOUBLE,
    columns::ZERO_COUNT_DOUBLE,
    columns::BUCKET_COUNTS_DOUBLE,
    columns::POSITIVE_BUCKET_COUNTS_DOUBLE,
    columns::NEGATIVE_BUCKET_COUNTS_DOUBLE,
];

/// OTLP's flag of a point that says that there is no value.
const NO_RECORDED_VALUE: i32 = 1;

/// Which of a point's series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// The one that has the metric's name.
    Whole,
    Sum,
    Count,
    /// Up to this bound, by its bits.
    Bucket(u64),
    /// This quantile, by its bits.
    Quantile(u64),
}

/// A row could not become samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// An exponential histogram that is too coarse.
    Scale(i32),
}

/// When a sample was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    /// Milliseconds since the epoch.
    pub(super) at: i64,
    /// When counting began; zero where that isn't known.
    pub(super) start: i64,
    /// Microseconds: of two samples at one time, that which came first counts.
    pub(super) ingested: i64,
}

/// The columns of labels.
pub(super) struct PartColumns<'a> {
    bounds: &'a ListArray,
    quantiles: &'a ListArray,
    flags: &'a PrimitiveArray<Int32Type>,
    sum: &'a PrimitiveArray<Float64Type>,
    double: &'a PrimitiveArray<Float64Type>,
}

impl<'a> PartColumns<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        Ok(Self {
            bounds: list(batch, columns::EXPLICIT_BOUNDS)?,
            quantiles: list(batch, columns::QUANTILE_VALUES)?,
            flags: number(batch, columns::FLAGS)?,
            sum: number(batch, columns::SUM)?,
            double: number(batch, columns::VALUE_DOUBLE)?,
        })
    }

    /// The series of a row.
    pub(super) fn parts(&self, row: usize, kind: Kind, shape: Shape) -> Vec<Part> {
        if shape.is_written {
            return if self.has_value(row) { vec![Part::Whole] } else { Vec::new() };
        }
        match kind {
            Kind::Histogram if !shape.nhcb => {
                let mut parts = vec![Part::Count];
                parts.extend(self.sum(row).map(|_| Part::Sum));
                parts.extend(
                    doubles(self.bounds, row).into_iter().chain([f64::INFINITY]).map(|bound| Part::Bucket(bound.to_bits())),
                );
                parts
            }
            Kind::Summary => {
                let quantiles = self.quantiles(row).into_iter().map(|(quantile, _)| Part::Quantile(quantile.to_bits()));
                [Part::Sum, Part::Count].into_iter().chain(quantiles).collect()
            }
            Kind::Gauge | Kind::Sum { .. } | Kind::Histogram | Kind::ExponentialHistogram => vec![Part::Whole],
        }
    }

    /// Whether a row of remote write is a sample: others hold exemplars or metadata alone.
    fn has_value(&self, row: usize) -> bool {
        self.double.is_valid(row) || self.sum.is_valid(row)
    }

    fn is_stale(&self, row: usize) -> bool {
        value(self.flags, row).unwrap_or_default() & NO_RECORDED_VALUE != 0
    }

    /// The sum; of a point without a value it may be missing, and its series ends all the same.
    fn sum(&self, row: usize) -> Option<f64> {
        value(self.sum, row).or_else(|| self.is_stale(row).then_some(0.0))
    }

    fn quantiles(&self, row: usize) -> Vec<(f64, f64)> {
        if self.quantiles.is_null(row) {
            return Vec::new();
        }
        let entries = self.quantiles.value(row);
        let Some(entries) = entries.as_struct_opt() else { return Vec::new() };
        let column = |name| entries.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
        let (Some(quantiles), Some(values)) = (column(columns::QUANTILE), column(columns::VALUE)) else { return Vec::new() };
        quantiles.values().iter().copied().zip(values.values().iter().copied()).collect()
    }
}

/// The columns of samples.
pub(super) struct Points<'a> {
    parts: PartColumns<'a>,
    at: &'a PrimitiveArray<TimestampMicrosecondType>,
    start: &'a PrimitiveArray<TimestampMicrosecondType>,
    ingested: &'a PrimitiveArray<TimestampMicrosecondType>,
    int: &'a PrimitiveArray<Int64Type>,
    count: Counted<'a>,
    counts: Counts<'a>,
    scale: &'a PrimitiveArray<Int32Type>,
    zero_count: Counted<'a>,
    zero_threshold: &'a PrimitiveArray<Float64Type>,
    positive: (&'a PrimitiveArray<Int32Type>, Counts<'a>),
    negative: (&'a PrimitiveArray<Int32Type>, Counts<'a>),
    reset_hint: &'a PrimitiveArray<Int32Type>,
}

/// A number of observations, whole or in fractions.
#[derive(Clone, Copy)]
struct Counted<'a>(&'a PrimitiveArray<Int64Type>, &'a PrimitiveArray<Float64Type>);

impl<'a> Counted<'a> {
    fn of(batch: &'a RecordBatch, whole: &str, fractions: &str) -> Result<Self, EngineError> {
        Ok(Self(number(batch, whole)?, number(batch, fractions)?))
    }

    fn at(self, row: usize) -> f64 {
        value(self.1, row).unwrap_or_else(|| float(value(self.0, row).unwrap_or_default().cast_unsigned()))
    }
}

/// Numbers of observations of buckets, whole or in fractions.
#[derive(Clone, Copy)]
struct Counts<'a>(&'a ListArray, &'a ListArray);

impl<'a> Counts<'a> {
    fn of(batch: &'a RecordBatch, whole: &str, fractions: &str) -> Result<Self, EngineError> {
        Ok(Self(list(batch, whole)?, list(batch, fractions)?))
    }

    fn at(self, row: usize) -> Vec<f64> {
        if self.1.is_valid(row) { doubles(self.1, row) } else { counts(self.0, row).into_iter().map(float).collect() }
    }
}

impl<'a> Points<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        Ok(Self {
            parts: PartColumns::of(batch)?,
            at: number(batch, columns::TIMESTAMP)?,
            start: number(batch, columns::START_TIMESTAMP)?,
            ingested: number(batch, columns::INGESTED_TIMESTAMP)?,
            int: number(batch, columns::VALUE_INT)?,
            count: Counted::of(batch, columns::COUNT, columns::COUNT_DOUBLE)?,
            counts: Counts::of(batch, columns::BUCKET_COUNTS, columns::BUCKET_COUNTS_DOUBLE)?,
            scale: number(batch, columns::SCALE)?,
            zero_count: Counted::of(batch, columns::ZERO_COUNT, columns::ZERO_COUNT_DOUBLE)?,
            zero_threshold: number(batch, columns::ZERO_THRESHOLD)?,
            positive: (
                number(batch, columns::POSITIVE_OFFSET)?,
                Counts::of(batch, columns::POSITIVE_BUCKET_COUNTS, columns::POSITIVE_BUCKET_COUNTS_DOUBLE)?,
            ),
            negative: (
                number(batch, columns::NEGATIVE_OFFSET)?,
                Counts::of(batch, columns::NEGATIVE_BUCKET_COUNTS, columns::NEGATIVE_BUCKET_COUNTS_DOUBLE)?,
            ),
            reset_hint: number(batch, columns::RESET_HINT)?,
        })
    }

    pub(super) fn when(&self, row: usize) -> When {
        let start = value(self.start, row).map_or(0, |micros| micros.div_euclid(1_000));
        When { at: self.at.value(row).div_euclid(1_000), start, ingested: self.ingested.value(row) }
    }

    /// Hands each sample of a row to `put`.
    pub(super) fn read<E: From<Refused>>(
        &self,
        row: usize,
        kind: Kind,
        shape: Shape,
        mut put: impl FnMut(Part, Value) -> Result<(), E>,
    ) -> Result<(), E> {
        if shape.is_written && !self.parts.has_value(row) {
            return Ok(());
        }
        if self.parts.is_stale(row) {
            return self.end(row, kind, shape, put);
        }
        match kind {
            Kind::Gauge | Kind::Sum { .. } => put(Part::Whole, Value::Float(self.number(row))),
            Kind::Histogram if shape.nhcb || shape.is_written => {
                let (bounds, counts) = (doubles(self.parts.bounds, row).into(), self.counts.at(row));
                let sum = self.parts.sum(row).unwrap_or_default();
                put(Part::Whole, histogram(custom(bounds, &counts, self.count.at(row), sum, self.hint(row, shape))))
            }
            Kind::Histogram => self.classic(row, put),
            Kind::ExponentialHistogram => {
                let exponential = self.exponential(row, shape);
                let native = exponential.native().ok_or(Refused::Scale(exponential.scale))?;
                put(Part::Whole, histogram(native))
            }
            Kind::Summary => {
                put(Part::Sum, Value::Float(self.parts.sum(row).unwrap_or_default()))?;
                put(Part::Count, Value::Float(self.count.at(row)))?;
                self.parts
                    .quantiles(row)
                    .into_iter()
                    .try_for_each(|(quantile, found)| put(Part::Quantile(quantile.to_bits()), Value::Float(found)))
            }
        }
    }

    /// The marks that end the series of a row.
    fn end<E>(&self, row: usize, kind: Kind, shape: Shape, mut put: impl FnMut(Part, Value) -> Result<(), E>) -> Result<(), E> {
        let is_native = matches!(kind, Kind::ExponentialHistogram) || matches!(kind, Kind::Histogram) && shape.nhcb;
        for part in self.parts.parts(row, kind, shape) {
            put(part, if is_native { histogram(stale()) } else { Value::Float(f64::from_bits(STALE_BITS)) })?;
        }
        Ok(())
    }

    fn classic<E>(&self, row: usize, mut put: impl FnMut(Part, Value) -> Result<(), E>) -> Result<(), E> {
        let count = self.count.at(row);
        put(Part::Count, Value::Float(count))?;
        if let Some(sum) = self.parts.sum(row) {
            put(Part::Sum, Value::Float(sum))?;
        }
        let mut below = 0_u64;
        let counts = counts(self.counts.0, row);
        for (at, bound) in doubles(self.parts.bounds, row).into_iter().enumerate() {
            below = below.saturating_add(counts.get(at).copied().unwrap_or_default());
            put(Part::Bucket(bound.to_bits()), Value::Float(float(below)))?;
        }
        put(Part::Bucket(f64::INFINITY.to_bits()), Value::Float(count))
    }

    fn exponential(&self, row: usize, shape: Shape) -> Exponential {
        let side =
            |(offset, counts): (&PrimitiveArray<Int32Type>, Counts<'_>)| (value(offset, row).unwrap_or_default(), counts.at(row));
        let zero_threshold = value(self.zero_threshold, row).filter(|_| shape.is_written);
        Exponential {
            scale: value(self.scale, row).unwrap_or_default(),
            zero_count: self.zero_count.at(row),
            zero_threshold: zero_threshold.unwrap_or(ZERO_THRESHOLD),
            hint: self.hint(row, shape),
            count: self.count.at(row),
            sum: self.parts.sum(row).unwrap_or_default(),
            positive: side(self.positive),
            negative: side(self.negative),
        }
    }

    fn hint(&self, row: usize, shape: Shape) -> ResetHint {
        if !shape.is_written {
            return if shape.is_delta { ResetHint::Gauge } else { ResetHint::Unknown };
        }
        // That there was no reset holds for the sample before it as it was sent, which needn't be the one before it here.
        match value(self.reset_hint, row) {
            Some(1) => ResetHint::Reset,
            Some(3) => ResetHint::Gauge,
            _ => ResetHint::Unknown,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "Prometheus has doubles alone")]
    fn number(&self, row: usize) -> f64 {
        value(self.parts.double, row).or_else(|| value(self.int, row).map(|int| int as f64)).unwrap_or_default()
    }
}

/// How a row's samples are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Whether histograms with explicit bounds become native ones.
    pub(super) nhcb: bool,
    /// Whether values are differences.
    pub(super) is_delta: bool,
    /// Whether rows came by remote write: each is one series' sample, or none.
    pub(super) is_written: bool,
}

fn histogram(histogram: Histogram) -> Value {
    Value::Histogram(Arc::new(histogram))
}
