use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use icegate_schema::columns;
use icegate_tables::{Bound, ColumnBounds, DataFile};

use crate::segments::PlannedSegment;

/// Between which microseconds rows lie, both ends in it.
type Span = (i64, i64);

/// What the listing says of a segment: DataFusion passes over one whose rows are all of other times.
pub(crate) fn of_segment(planned: &PlannedSegment, schema: &Schema) -> Statistics {
    timed(Some((planned.segment.min, planned.segment.max)), Precision::Absent, schema)
}

/// About how many rows there are, and when, before anything is read: what is newest may lie a little before its end.
pub(crate) fn estimated<'a>(
    files: impl Iterator<Item = &'a DataFile>,
    segments: impl Iterator<Item = &'a PlannedSegment>,
    schema: &Schema,
) -> Statistics {
    let files = files.map(|file| (file.rows, (file.min_timestamp, file.max_timestamp)));
    let segments = segments.map(|planned| (planned.rows, (planned.segment.min, planned.segment.max)));
    let (mut rows, mut span): (u64, Option<Span>) = (0, None);
    for (more, (min, max)) in files.chain(segments) {
        rows += more;
        span = Some(span.map_or((min, max), |(first, last)| (first.min(min), last.max(max))));
    }
    timed(span, usize::try_from(rows).map_or(Precision::Absent, Precision::Inexact), schema)
}

/// Nothing is known but the number of rows and between which times they lie.
fn timed(span: Option<Span>, num_rows: Precision<usize>, schema: &Schema) -> Statistics {
    let of_column = |field: &Field| {
        let Some((min, max)) = span.filter(|_| field.name() == columns::TIMESTAMP) else {
            return ColumnStatistics::new_unknown();
        };
        let bound = |micros| value(&Bound::Long(micros), field.data_type()).map_or(Precision::Absent, Precision::Inexact);
        ColumnStatistics::new_unknown().with_min_value(bound(min)).with_max_value(bound(max))
    };
    let column_statistics = schema.fields().iter().map(|field| of_column(field)).collect();
    Statistics { num_rows, total_byte_size: Precision::Absent, column_statistics }
}

/// What the manifest says of a file's rows: DataFusion prunes the file by it and answers counts, minima and maxima from it.
pub(crate) fn of_file(file: &DataFile, schema: &Schema) -> Statistics {
    let rows = usize::try_from(file.rows).map_or(Precision::Absent, Precision::Exact);
    let bytes = usize::try_from(file.size).map_or(Precision::Absent, Precision::Inexact);
    let column_statistics = schema.fields().iter().map(|field| of_column(file, field)).collect();
    Statistics { num_rows: rows, total_byte_size: bytes, column_statistics }
}

fn of_column(file: &DataFile, field: &Field) -> ColumnStatistics {
    let enclosing;
    let bounds = match file.bounds_of(field.name()) {
        Some(bounds) => bounds,
        None if field.name() == columns::TIMESTAMP => {
            let (min, max) = (Bound::Long(file.min_timestamp), Bound::Long(file.max_timestamp));
            enclosing = ColumnBounds { min: Some(min), max: Some(max), nulls: Some(0), exact: false };
            &enclosing
        }
        None => return ColumnStatistics::new_unknown(),
    };
    let precise = |bound: &Option<Bound>| match bound.as_ref().and_then(|bound| value(bound, field.data_type())) {
        Some(value) if bounds.exact => Precision::Exact(value),
        Some(value) => Precision::Inexact(value),
        None => Precision::Absent,
    };
    let nulls = bounds.nulls.and_then(|nulls| usize::try_from(nulls).ok()).map_or(Precision::Absent, Precision::Exact);
    ColumnStatistics::new_unknown()
        .with_min_value(precise(&bounds.min))
        .with_max_value(precise(&bounds.max))
        .with_null_count(nulls)
}

/// The bound in the column's type. None for floats: their bounds say nothing of NaN, which DataFusion orders above all numbers.
fn value(bound: &Bound, data_type: &DataType) -> Option<ScalarValue> {
    match (bound, data_type) {
        (Bound::Boolean(value), DataType::Boolean) => Some(ScalarValue::Boolean(Some(*value))),
        (Bound::Int(value), DataType::Int32) => Some(ScalarValue::Int32(Some(*value))),
        (Bound::Long(value), DataType::Int64) => Some(ScalarValue::Int64(Some(*value))),
        (Bound::Long(value), DataType::Timestamp(_, zone)) => Some(ScalarValue::TimestampMicrosecond(Some(*value), zone.clone())),
        (Bound::Text(value), DataType::Utf8View) => Some(ScalarValue::Utf8View(Some(value.clone()))),
        (Bound::Bytes(value), DataType::BinaryView) => Some(ScalarValue::BinaryView(Some(value.clone()))),
        _ => None,
    }
}
