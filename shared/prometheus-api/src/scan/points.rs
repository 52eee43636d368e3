//! The values of a row as samples of the series that it belongs to.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use icegate_engine::EngineError;
use icegate_promql::{Histogram, STALE_BITS, Value};
use icegate_schema::columns;

use super::columns::{counts, doubles, list, number, value};
use super::histograms::{Exponential, custom, float, stale};
use crate::translate::Kind;

/// The columns that labels of buckets and quantiles come from.
pub(super) const PART_COLUMNS: [&str; 4] = [columns::EXPLICIT_BOUNDS, columns::QUANTILE_VALUES, columns::FLAGS, columns::SUM];
/// The columns that samples come from, beside those.
pub(super) const VALUE_COLUMNS: [&str; 13] = [
    columns::TIMESTAMP,
    columns::START_TIMESTAMP,
    columns::INGESTED_TIMESTAMP,
    columns::VALUE_DOUBLE,
    columns::VALUE_INT,
    columns::COUNT,
    columns::BUCKET_COUNTS,
    columns::SCALE,
    columns::ZERO_COUNT,
    columns::POSITIVE_OFFSET,
    columns::POSITIVE_BUCKET_COUNTS,
    columns::NEGATIVE_OFFSET,
    columns::NEGATIVE_BUCKET_COUNTS,
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
}

impl<'a> PartColumns<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        Ok(Self {
            bounds: list(batch, columns::EXPLICIT_BOUNDS)?,
            quantiles: list(batch, columns::QUANTILE_VALUES)?,
            flags: number(batch, columns::FLAGS)?,
            sum: number(batch, columns::SUM)?,
        })
    }

    /// The series of a row.
    pub(super) fn parts(&self, row: usize, kind: Kind, nhcb: bool) -> Vec<Part> {
        match kind {
            Kind::Histogram if !nhcb => {
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
    double: &'a PrimitiveArray<Float64Type>,
    int: &'a PrimitiveArray<Int64Type>,
    count: &'a PrimitiveArray<Int64Type>,
    counts: &'a ListArray,
    scale: &'a PrimitiveArray<Int32Type>,
    zero_count: &'a PrimitiveArray<Int64Type>,
    positive: (&'a PrimitiveArray<Int32Type>, &'a ListArray),
    negative: (&'a PrimitiveArray<Int32Type>, &'a ListArray),
}

impl<'a> Points<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        Ok(Self {
            parts: PartColumns::of(batch)?,
            at: number(batch, columns::TIMESTAMP)?,
            start: number(batch, columns::START_TIMESTAMP)?,
            ingested: number(batch, columns::INGESTED_TIMESTAMP)?,
            double: number(batch, columns::VALUE_DOUBLE)?,
            int: number(batch, columns::VALUE_INT)?,
            count: number(batch, columns::COUNT)?,
            counts: list(batch, columns::BUCKET_COUNTS)?,
            scale: number(batch, columns::SCALE)?,
            zero_count: number(batch, columns::ZERO_COUNT)?,
            positive: (number(batch, columns::POSITIVE_OFFSET)?, list(batch, columns::POSITIVE_BUCKET_COUNTS)?),
            negative: (number(batch, columns::NEGATIVE_OFFSET)?, list(batch, columns::NEGATIVE_BUCKET_COUNTS)?),
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
        if self.parts.is_stale(row) {
            return self.end(row, kind, shape, put);
        }
        match kind {
            Kind::Gauge | Kind::Sum { .. } => put(Part::Whole, Value::Float(self.number(row))),
            Kind::Histogram if shape.nhcb => {
                let (bounds, counts) = (doubles(self.parts.bounds, row).into(), counts(self.counts, row));
                let sum = self.parts.sum(row).unwrap_or_default();
                put(Part::Whole, histogram(custom(bounds, &counts, self.count(row), sum, shape.is_delta)))
            }
            Kind::Histogram => self.classic(row, put),
            Kind::ExponentialHistogram => {
                let otlp = self.exponential(row);
                let native = otlp.native(shape.is_delta).ok_or(Refused::Scale(otlp.scale))?;
                put(Part::Whole, histogram(native))
            }
            Kind::Summary => {
                put(Part::Sum, Value::Float(self.parts.sum(row).unwrap_or_default()))?;
                put(Part::Count, Value::Float(float(self.count(row))))?;
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
        for part in self.parts.parts(row, kind, shape.nhcb) {
            put(part, if is_native { histogram(stale()) } else { Value::Float(f64::from_bits(STALE_BITS)) })?;
        }
        Ok(())
    }

    fn classic<E>(&self, row: usize, mut put: impl FnMut(Part, Value) -> Result<(), E>) -> Result<(), E> {
        let count = float(self.count(row));
        put(Part::Count, Value::Float(count))?;
        if let Some(sum) = self.parts.sum(row) {
            put(Part::Sum, Value::Float(sum))?;
        }
        let mut below = 0_u64;
        let counts = counts(self.counts, row);
        for (at, bound) in doubles(self.parts.bounds, row).into_iter().enumerate() {
            below = below.saturating_add(counts.get(at).copied().unwrap_or_default());
            put(Part::Bucket(bound.to_bits()), Value::Float(float(below)))?;
        }
        put(Part::Bucket(f64::INFINITY.to_bits()), Value::Float(count))
    }

    fn exponential(&self, row: usize) -> Exponential {
        let side = |(offset, lists): (&PrimitiveArray<Int32Type>, &ListArray)| {
            (value(offset, row).unwrap_or_default(), counts(lists, row))
        };
        Exponential {
            scale: value(self.scale, row).unwrap_or_default(),
            zero_count: value(self.zero_count, row).unwrap_or_default().cast_unsigned(),
            count: self.count(row),
            sum: self.parts.sum(row).unwrap_or_default(),
            positive: side(self.positive),
            negative: side(self.negative),
        }
    }

    fn count(&self, row: usize) -> u64 {
        value(self.count, row).unwrap_or_default().cast_unsigned()
    }

    #[allow(clippy::cast_precision_loss, reason = "Prometheus has doubles alone")]
    fn number(&self, row: usize) -> f64 {
        value(self.double, row).or_else(|| value(self.int, row).map(|int| int as f64)).unwrap_or_default()
    }
}

/// How a row's samples are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Whether histograms with explicit bounds become native ones.
    pub(super) nhcb: bool,
    /// Whether values are differences.
    pub(super) is_delta: bool,
}

fn histogram(histogram: Histogram) -> Value {
    Value::Histogram(Arc::new(histogram))
}
