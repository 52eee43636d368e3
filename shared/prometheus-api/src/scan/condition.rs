//! What of a selection columns can decide.

use datafusion::common::ScalarValue;
use datafusion::prelude::{DataFrame, Expr, col, lit};
use icegate_engine::{EngineError, Opened};
use icegate_model::{TimeRange, Timestamp};
use icegate_promql::{MatchOp, Matcher};
use icegate_schema::{UNKNOWN_SERVICE, columns};

/// Milliseconds that a time may be away from the epoch: nanoseconds of 64 bits hold them.
pub(crate) const MAX_MILLIS: i64 = i64::MAX / 1_000_000;

/// The rows whose millisecond lies after `from` up to `to`: when they begin and, not in it, end.
pub(super) fn range(from: i64, to: i64) -> Option<TimeRange> {
    let millis = |at: i64| Timestamp::from_millis(at.saturating_add(1).clamp(-MAX_MILLIS, MAX_MILLIS));
    (from < to).then(|| TimeRange::new(millis(from), millis(to)).ok()).flatten()
}

/// These columns of the rows in a range.
pub(super) fn frame(opened: &Opened, range: TimeRange, columns: &[&str]) -> Result<DataFrame, EngineError> {
    let micros = |at: Timestamp| lit(ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("+00:00".into())));
    let time = || col(columns::TIMESTAMP);
    let within = time().gt_eq(micros(range.start())).and(time().lt(micros(range.end())));
    let frame = opened.session.read_table(std::sync::Arc::clone(&opened.provider))?.filter(within)?;
    Ok(frame.select_columns(columns)?)
}

/// The services that can have a job: the job is a name, or a namespace, `/` and a name. Rows whose resource names no service may
/// have the label from elsewhere.
pub(super) fn services(matchers: &[Matcher]) -> Option<Expr> {
    let is_job = |matcher: &&Matcher| matcher.name == "job" && matcher.op == MatchOp::Equal && !matcher.value.is_empty();
    let job = matchers.iter().find(is_job)?.value.as_str()?;
    let names = job.match_indices('/').map(|(slash, _)| &job[slash + 1..]).chain([job, UNKNOWN_SERVICE]);
    Some(col(columns::SERVICE_NAME).in_list(names.map(|name| lit(name.to_owned())).collect(), false))
}

/// The rows of these metrics.
pub(super) fn metrics(names: Vec<String>) -> Expr {
    col(columns::METRIC_NAME).in_list(names.into_iter().map(lit).collect(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_open_at_its_start_and_holds_the_whole_last_millisecond() {
        let range = range(999, 1_999).unwrap();
        assert_eq!((range.start(), range.end()), (Timestamp::from_secs(1), Timestamp::from_secs(2)));
        assert!(super::range(5, 5).is_none() && super::range(6, 5).is_none());
        assert!(super::range(i64::MIN, i64::MAX).is_some());
    }

    #[test]
    fn a_job_may_be_any_of_the_services_whose_name_it_ends_with() {
        let text = services(&[Matcher::equal("job", "a/b/c")]).unwrap().to_string();
        for name in ["\"a/b/c\"", "\"b/c\"", "\"c\"", "\"unknown_service\""] {
            assert!(text.contains(name), "{text}");
        }
        assert!(services(&[Matcher::equal("job", "")]).is_none());
        assert!(services(&[Matcher::equal("instance", "a")]).is_none());
    }
}
