use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::dataframe::DataFrame;
use datafusion::functions::string::expr_fn::octet_length;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, cast as cast_to, lit, when};
use datafusion::prelude::col;
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::{BODY, SEVERITY_TEXT, STREAM_LABELS, TIMESTAMP, TIMESTAMP_NANOS};
use icegate_series::Labels;

use super::gather::{Gather, gather};
use crate::ast::Selector;
use crate::rows::column;
use crate::{Limits, LogqlError, OpenRows};

const SLOT: &str = "slot";
const LINES: &str = "lines";
const BYTES: &str = "bytes";

/// How much there is of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Lines.
    pub lines: u64,
    /// Bytes of their texts.
    pub bytes: u64,
}

impl Volume {
    /// Adds another one.
    pub const fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamVolume {
    /// The stream.
    pub labels: Labels,
    /// By the start of a slot of time: a multiple of the slots' length, the range's start where that lies in the slot. Slots without lines are absent.
    pub slots: BTreeMap<Timestamp, Volume>,
}

/// Lines and bytes of each stream that the selector fits, sorted by labels, in slots of this length; without a length, in one.
///
/// # Errors
/// As [`crate::evaluate`]; [`LogqlError::TooManySeries`] with more distinct streams than `limits.values`,
/// [`LogqlError::TooManyCells`] with more streams times slots than `limits.cells`.
pub async fn volumes(
    range: TimeRange,
    slot: Option<Duration>,
    selector: &Selector,
    limits: &Limits,
    rows: &dyn OpenRows,
) -> Result<Vec<StreamVolume>, LogqlError> {
    let slots = Slots { start: range.start(), length: slot.and_then(|slot| i64::try_from(slot.as_nanos()).ok()) };
    let make = || Volumes { slots, limits: *limits, held: 0, found: HashMap::new() };
    let mut all = make();
    for part in gather(range, selector, limits, rows, make).await? {
        for (stream, slots) in part.found {
            slots.into_iter().try_for_each(|(slot, volume)| all.add(stream.clone(), slot, volume))?;
        }
    }
    let mut found: Vec<_> =
        all.found.into_iter().map(|(labels, held)| StreamVolume { labels, slots: slots.named(held) }).collect();
    found.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
    Ok(found)
}

/// Parts of a range, numbered from the epoch; without a length the range is one part.
#[derive(Clone, Copy)]
struct Slots {
    start: Timestamp,
    length: Option<i64>,
}

impl Slots {
    fn of(self, at: i64) -> i64 {
        self.length.map_or(0, |length| at.div_euclid(length.max(1)))
    }

    /// The same of a row's columns. Division cuts towards zero, so times before the epoch are moved down first.
    fn expr(self) -> Expr {
        let Some(length) = self.length else { return lit(0_i64) };
        let nanos = when(col(TIMESTAMP_NANOS).is_null(), lit(0_i64)).otherwise(cast_to(col(TIMESTAMP_NANOS), DataType::Int64));
        let micros = cast_to(col(TIMESTAMP), DataType::Int64) * lit(1_000_i64);
        let at = micros + nanos.unwrap_or_else(|_| lit(0_i64));
        let length = length.max(1);
        when(at.clone().gt_eq(lit(0_i64)), at.clone() / lit(length))
            .otherwise((at + lit(1_i64)) / lit(length) - lit(1_i64))
            .unwrap_or_else(|_| lit(0_i64))
    }

    fn named(self, held: BTreeMap<i64, Volume>) -> BTreeMap<Timestamp, Volume> {
        let start = |slot: i64| Timestamp::from_nanos(slot.saturating_mul(self.length.unwrap_or(0))).max(self.start);
        held.into_iter().map(|(slot, volume)| (if self.length.is_some() { start(slot) } else { self.start }, volume)).collect()
    }
}

struct Volumes {
    slots: Slots,
    limits: Limits,
    held: usize,
    found: HashMap<Labels, BTreeMap<i64, Volume>>,
}

impl Volumes {
    fn add(&mut self, stream: Labels, slot: i64, volume: Volume) -> Result<(), LogqlError> {
        let slots = self.found.entry(stream).or_default();
        let before = slots.len();
        slots.entry(slot).or_default().add(volume);
        self.held += slots.len() - before;
        if self.found.len() > self.limits.values {
            return Err(LogqlError::TooManySeries { limit: self.limits.values });
        }
        if self.held > self.limits.cells { Err(LogqlError::TooManyCells { limit: self.limits.cells }) } else { Ok(()) }
    }
}

impl Gather for Volumes {
    fn group(&self, frame: DataFrame) -> Result<DataFrame, LogqlError> {
        let bytes = cast_to(octet_length(col(BODY)), DataType::Int64);
        let read = vec![col(STREAM_LABELS), col(SEVERITY_TEXT), self.slots.expr().alias(SLOT), bytes.alias(BYTES)];
        let keys = vec![col(STREAM_LABELS), col(SEVERITY_TEXT), col(SLOT)];
        let sums = vec![count(lit(1_i64)).alias(LINES), sum(col(BYTES)).alias(BYTES)];
        Ok(frame.select(read)?.aggregate(keys, sums)?)
    }

    fn take_group(&mut self, stream: Labels, batch: &RecordBatch, row: usize) -> Result<(), LogqlError> {
        let volume =
            Volume { lines: number(batch, LINES, row)?.unsigned_abs(), bytes: number(batch, BYTES, row)?.unsigned_abs() };
        self.add(stream, number(batch, SLOT, row)?, volume)
    }

    fn take_row(&mut self, stream: Labels, at: i64, line: &str) -> Result<(), LogqlError> {
        self.add(stream, self.slots.of(at), Volume { lines: 1, bytes: line.len() as u64 })
    }
}

/// A number of a group; 0 for NULL, the sum over lines that all are NULL.
fn number(batch: &RecordBatch, name: &'static str, row: usize) -> Result<i64, LogqlError> {
    let column = column(batch, name)?;
    let Some(numbers) = column.as_primitive_opt::<Int64Type>() else {
        return Err(LogqlError::Column { column: name, found: column.data_type().to_string() });
    };
    Ok(if numbers.is_valid(row) { numbers.value(row) } else { 0 })
}
