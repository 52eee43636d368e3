//! Native histograms: from spans to buckets one beside the other, as OTLP has them.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;

use super::wire::{Field, Fields, WireError};
use crate::Limits;
use crate::cells::{Cells, NUMBER_BYTES};
use crate::check::Cause;
use crate::metrics::{EXPONENTIAL_HISTOGRAM, HISTOGRAM};
use crate::prometheus_columns::PrometheusCells;

/// The schema of histograms whose buckets have bounds of their own.
const CUSTOM: i64 = -53;
/// All others, of which those above 8 are reserved for finer buckets.
const EXPONENTIAL: std::ops::RangeInclusive<i64> = -4..=52;
/// The number of what isn't a counter, of three hints.
const GAUGE_HINT: i32 = 3;
/// The bits of the sum that marks the end of a series.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// A histogram as its message has it.
#[derive(Debug, Default)]
pub(super) struct Native {
    pub(super) at: i64,
    pub(super) start: i64,
    count: Number,
    sum: f64,
    schema: i64,
    zero_threshold: f64,
    zero_count: Number,
    negative: Side,
    positive: Side,
    hint: Option<i32>,
    bounds: Vec<f64>,
}

/// A number of observations.
#[derive(Clone, Copy, Debug)]
enum Number {
    Int(u64),
    Float(f64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Int(0)
    }
}

/// The buckets of one side of zero.
#[derive(Debug, Default)]
struct Side {
    /// How far each begins behind the one before, and how many buckets it has.
    spans: Vec<(i64, u64)>,
    /// Each compared with the one before.
    deltas: Vec<i64>,
    /// Each as it is, of a histogram that counts in fractions.
    counts: Vec<f64>,
}

impl Side {
    const fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.deltas.is_empty() && self.counts.is_empty()
    }
}

/// A histogram as a row has it.
#[derive(Debug)]
pub(super) struct Row {
    native: Native,
    hint: Option<i32>,
    positive: Counts,
    negative: Counts,
}

/// Buckets one beside the other.
#[derive(Debug, Default)]
struct Counts {
    buckets: Option<Buckets>,
    doubles: Option<Vec<f64>>,
}

impl Native {
    /// Reads a message that is no longer than a record may be.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut native = Self::default();
        for field in Fields::of("Histogram", bytes) {
            let field = field?;
            match field.number {
                1 => native.count = Number::Int(field.uint()?),
                2 => native.count = Number::Float(field.double()?),
                3 => native.sum = field.double()?,
                4 => native.schema = field.sint()?,
                5 => native.zero_threshold = field.double()?,
                6 => native.zero_count = Number::Int(field.uint()?),
                7 => native.zero_count = Number::Float(field.double()?),
                8 => native.negative.spans.push(span(&field)?),
                9 => field.each_sint(|delta| native.negative.deltas.push(delta))?,
                10 => field.each_double(|count| native.negative.counts.push(count))?,
                11 => native.positive.spans.push(span(&field)?),
                12 => field.each_sint(|delta| native.positive.deltas.push(delta))?,
                13 => field.each_double(|count| native.positive.counts.push(count))?,
                // Hints of later protocols mean that nothing is known.
                14 => native.hint = i32::try_from(field.uint()?).ok().filter(|hint| (1..=GAUGE_HINT).contains(hint)),
                15 => native.at = field.int()?,
                16 => field.each_double(|bound| native.bounds.push(bound))?,
                17 => native.start = field.int()?,
                _ => {}
            }
        }
        Ok(native)
    }

    /// As a row.
    pub(super) fn row(self, limits: &Limits) -> Result<Row, Cause> {
        let is_custom = self.schema == CUSTOM;
        if !is_custom && !EXPONENTIAL.contains(&self.schema) {
            return Err(Cause::Schema { schema: self.schema });
        }
        self.check_bounds(is_custom)?;
        let is_float = matches!(self.count, Number::Float(_));
        let (positive, negative) = (self.side(&self.positive, is_float, limits)?, self.side(&self.negative, is_float, limits)?);
        let row = Row { hint: self.hint, positive, negative, native: self };
        row.check_observations()?;
        Ok(row)
    }

    fn check_bounds(&self, is_custom: bool) -> Result<(), Cause> {
        let refused = |what| Err(Cause::Histogram { what });
        if !is_custom {
            return if self.bounds.is_empty() { Ok(()) } else { refused("bounds are of its own, which only schema -53 has") };
        }
        if !self.bounds.is_sorted_by(|a, b| a < b) || self.bounds.iter().any(|bound| bound.is_nan()) {
            return refused("bounds don't ascend");
        }
        if self.bounds.last().is_some_and(|bound| *bound == f64::INFINITY) {
            return refused("last bound is +Inf, which is always there");
        }
        let has_zero = match self.zero_count {
            Number::Int(count) => count != 0,
            Number::Float(count) => count != 0.0,
        };
        if has_zero || self.zero_threshold != 0.0 || !self.negative.is_empty() {
            return refused("bounds are of its own, so that it has no zero bucket and none below zero");
        }
        Ok(())
    }

    fn side(&self, side: &Side, is_float: bool, limits: &Limits) -> Result<Counts, Cause> {
        let behind = Cause::Histogram { what: "buckets go beyond its bounds" };
        let far = Cause::Histogram { what: "buckets lie too far from each other" };
        let counts = if is_float {
            Dense::of(&side.spans, floats(&side.counts)?, limits)?
                .map(|Dense { first, counts }| (first, Vec::new(), Some(counts)))
        } else {
            Dense::of(&side.spans, ints(&side.deltas)?, limits)?.map(|Dense { first, counts }| (first, counts, None))
        };
        if self.schema == CUSTOM {
            let room = self.bounds.len() + 1;
            let (first, mut ints, mut doubles) = counts.unwrap_or((0, Vec::new(), is_float.then(Vec::new)));
            let first = usize::try_from(first).map_err(|_| behind.clone())?;
            if first.saturating_add(ints.len().max(doubles.as_ref().map_or(0, Vec::len))) > room {
                return Err(behind);
            }
            match &mut doubles {
                Some(doubles) => whole(doubles, first, room),
                None => whole(&mut ints, first, room),
            }
            return Ok(Counts { buckets: Some(Buckets { offset: 0, bucket_counts: ints }), doubles });
        }
        let Some((first, bucket_counts, doubles)) = counts else { return Ok(Counts::default()) };
        // OTLP numbers buckets by their lower bounds, Prometheus by their upper ones.
        let offset = first.checked_sub(1).and_then(|offset| i32::try_from(offset).ok()).ok_or(far)?;
        Ok(Counts { buckets: Some(Buckets { offset, bucket_counts }), doubles })
    }
}

/// Zeros before and behind, so that there is a bucket for each bound and one more.
fn whole<T: Copy + Default>(counts: &mut Vec<T>, first: usize, room: usize) {
    counts.splice(0..0, std::iter::repeat_n(T::default(), first));
    counts.resize(room, T::default());
}

impl Row {
    /// The buckets of a histogram that counts whole observations have as many as it says; of one whose sum is no number, at most.
    fn check_observations(&self) -> Result<(), Cause> {
        let native = &self.native;
        let (Number::Int(said), sum) = (native.count, native.sum) else {
            let Number::Float(count) = native.count else { return Ok(()) };
            let zero = if let Number::Float(zero) = native.zero_count { zero } else { 0.0 };
            let what = "numbers of observations are less than zero";
            return if count < 0.0 || zero < 0.0 { Err(Cause::Histogram { what }) } else { Ok(()) };
        };
        if sum.to_bits() == STALE_BITS {
            return Ok(());
        }
        let zero = if let Number::Int(zero) = native.zero_count { zero } else { 0 };
        let buckets = [&self.positive, &self.negative].into_iter().filter_map(|counts| counts.buckets.as_ref());
        let found = buckets.flat_map(|buckets| &buckets.bucket_counts).fold(zero, |sum, count| sum.saturating_add(*count));
        if found == said || sum.is_nan() && found < said { Ok(()) } else { Err(Cause::Observations { found, said }) }
    }

    /// As in `metric_type`.
    pub(super) const fn metric_type(&self) -> &'static str {
        if self.native.schema == CUSTOM { HISTOGRAM } else { EXPONENTIAL_HISTOGRAM }
    }

    /// Whether its sender says that it is no counter.
    pub(super) fn is_gauge(&self) -> bool {
        self.hint == Some(GAUGE_HINT)
    }

    /// The cells that are its own.
    pub(super) fn cells(&self, kind: &'static str) -> Cells<'_> {
        let native = &self.native;
        let (count, count_double) = split(native.count);
        let (zero_count, zero_count_double) = split(native.zero_count);
        let positive = self.positive.doubles.as_deref();
        let own = PrometheusCells { kind, reset_hint: self.hint, count: count_double, ..PrometheusCells::default() };
        let cells = Cells { count, sum: Some(native.sum), ..Cells::default() };
        if native.schema == CUSTOM {
            let buckets = self.positive.buckets.as_ref().map(|buckets| buckets.bucket_counts.as_slice());
            return Cells {
                bucket_counts: buckets.filter(|_| positive.is_none()),
                explicit_bounds: Some(&native.bounds),
                prometheus: Some(PrometheusCells { buckets: positive, ..own }),
                ..cells
            };
        }
        let negative = self.negative.doubles.as_deref();
        Cells {
            scale: i32::try_from(native.schema).ok(),
            zero_count,
            zero_threshold: Some(native.zero_threshold),
            positive: self.positive.buckets.as_ref(),
            negative: self.negative.buckets.as_ref(),
            prometheus: Some(PrometheusCells { zero_count: zero_count_double, positive, negative, ..own }),
            ..cells
        }
    }
}

const fn split(number: Number) -> (Option<u64>, Option<f64>) {
    match number {
        Number::Int(count) => (Some(count), None),
        Number::Float(count) => (None, Some(count)),
    }
}

fn span(field: &Field<'_>) -> Result<(i64, u64), WireError> {
    let (mut offset, mut length) = (0, 0);
    for field in Fields::of("BucketSpan", field.bytes()?) {
        let field = field?;
        match field.number {
            1 => offset = field.sint()?,
            2 => length = field.uint()?,
            _ => {}
        }
    }
    Ok((offset, length))
}

fn ints(deltas: &[i64]) -> Result<Vec<u64>, Cause> {
    let mut count = 0_i64;
    let next = |delta: &i64| {
        count = count.checked_add(*delta)?;
        u64::try_from(count).ok()
    };
    let counts: Option<Vec<u64>> = deltas.iter().map(next).collect();
    counts.ok_or(Cause::Histogram { what: "buckets have numbers of observations below zero or beyond 63 bits" })
}

fn floats(counts: &[f64]) -> Result<Vec<f64>, Cause> {
    if counts.iter().any(|count| *count < 0.0) {
        return Err(Cause::Histogram { what: "buckets have less than no observation" });
    }
    Ok(counts.to_vec())
}

/// The buckets of all spans, and what lies between them.
struct Dense<T> {
    first: i64,
    counts: Vec<T>,
}

impl<T: Copy + Default> Dense<T> {
    /// `None` where there is no bucket. Looks at how many there would be before it makes them.
    fn of(spans: &[(i64, u64)], counts: Vec<T>, limits: &Limits) -> Result<Option<Self>, Cause> {
        let far = || Cause::Histogram { what: "buckets lie too far from each other" };
        let named = spans.iter().try_fold(0_u64, |sum, (_, length)| sum.checked_add(*length));
        if named != u64::try_from(counts.len()).ok() {
            return Err(Cause::Histogram { what: "spans name another number of buckets than it has" });
        }
        if spans.iter().skip(1).any(|(offset, _)| *offset < 0) {
            return Err(Cause::Histogram { what: "spans overlap" });
        }
        let (mut next, mut dense, mut counts) = (0_i64, None::<Self>, counts.into_iter());
        for (offset, length) in spans {
            next = next.checked_add(*offset).ok_or_else(far)?;
            if *length == 0 {
                continue;
            }
            let end = i64::try_from(*length).ok().and_then(|length| next.checked_add(length)).ok_or_else(far)?;
            let dense = dense.get_or_insert_with(|| Self { first: next, counts: Vec::new() });
            let place = |index: i64| index.checked_sub(dense.first).and_then(|place| usize::try_from(place).ok()).ok_or_else(far);
            let (gap, size) = (place(next)?, place(end)?);
            let bytes = size.saturating_mul(NUMBER_BYTES);
            if bytes > limits.record_bytes {
                return Err(Cause::TooLarge { bytes, limit: limits.record_bytes });
            }
            dense.counts.resize(gap, T::default());
            dense.counts.extend(counts.by_ref().take(size - gap));
            next = end;
        }
        Ok(dense)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(spans: &[(i64, u64)], counts: &[u64]) -> Result<Option<(i64, Vec<u64>)>, Cause> {
        let found = Dense::of(spans, counts.to_vec(), &Limits::default())?;
        Ok(found.map(|Dense { first, counts }| (first, counts)))
    }

    #[test]
    fn buckets_lie_where_their_spans_say() {
        // Buckets -2, -1, then two empty ones, then 2.
        assert_eq!(dense(&[(-2, 2), (2, 1)], &[1, 2, 3]), Ok(Some((-2, vec![1, 2, 0, 0, 3]))));
        assert_eq!(dense(&[(5, 0), (1, 1)], &[7]), Ok(Some((6, vec![7]))));
        assert_eq!(dense(&[], &[]), Ok(None));
        let refused = |spans: &[(i64, u64)], counts: &[u64]| dense(spans, counts).unwrap_err().to_string();
        assert_eq!(refused(&[(0, 2)], &[1]), "the histogram's spans name another number of buckets than it has");
        assert_eq!(refused(&[(0, u64::MAX), (0, 2)], &[1]), "the histogram's spans name another number of buckets than it has");
        assert_eq!(refused(&[(0, 1), (-1, 1)], &[1, 1]), "the histogram's spans overlap");
        assert_eq!(refused(&[(0, 1), (300_000, 1)], &[1, 1]), "record has about 4800032 bytes, allowed are 4194304");
        assert_eq!(refused(&[(i64::MAX, 1)], &[1]), "the histogram's buckets lie too far from each other");
        assert_eq!(refused(&[(i64::MIN, 1), (i64::MAX, 1)], &[1, 1]), "the histogram's buckets lie too far from each other");
    }
}
