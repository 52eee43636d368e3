use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use icegate_model::{TimeRange, Timestamp};
use icegate_schema::columns::{TIMESTAMP, TIMESTAMP_NANOS};

/// Rows of exactly this range. The first comparison of each end is plain, so that it prunes; the other decides nanoseconds.
pub(crate) fn within(range: TimeRange) -> Vec<Expr> {
    let mut filters = Vec::new();
    let (start, end) = (range.start(), range.end());
    filters.push(col(TIMESTAMP).gt_eq(micros(start)));
    if start.nanos_of_micro() > 0 {
        filters.push(col(TIMESTAMP).gt(micros(start)).or(col(TIMESTAMP_NANOS).gt_eq(lit(nanos(start)))));
    }
    if end.nanos_of_micro() == 0 {
        filters.push(col(TIMESTAMP).lt(micros(end)));
    } else {
        filters.push(col(TIMESTAMP).lt_eq(micros(end)));
        let before = col(TIMESTAMP_NANOS).is_null().or(col(TIMESTAMP_NANOS).lt(lit(nanos(end))));
        filters.push(col(TIMESTAMP).lt(micros(end)).or(before));
    }
    filters
}

fn micros(at: Timestamp) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("+00:00".into())))
}

fn nanos(at: Timestamp) -> i32 {
    i32::try_from(at.nanos_of_micro()).unwrap_or_default()
}
