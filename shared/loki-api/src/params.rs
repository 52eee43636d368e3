//! Loki's parameters, their defaults and what they allow.

use std::time::Duration;

use icegate_http::{HttpError, Params};
use icegate_logql::ast::Expr;
use icegate_logql::{Direction, LogqlError, QueryParams};
use icegate_model::{TimeRange, Timestamp};
use icegate_syntax::duration;

use crate::config::{DEFAULT_LIMIT, MAX_POINTS};
use crate::{LokiError, LokiState};

/// How far back a range goes that gives no start.
const DEFAULT_SINCE: Duration = Duration::from_secs(3_600);
/// Points that a default step aims at.
const DEFAULT_POINTS: u64 = 250;

/// From `start` to `end`: `end` is now and `start` is `since` (1 h) before the earlier of `end` and now, where they aren't given.
pub(crate) fn range(params: &Params, state: &LokiState) -> Result<TimeRange, LokiError> {
    let now = state.now();
    let end = params.read("end", icegate_http::time)?.unwrap_or(now);
    let since = params.read("since", since)?.unwrap_or(DEFAULT_SINCE);
    let start = params.read("start", icegate_http::time)?.unwrap_or(end.min(now) - since);
    let range = TimeRange::new(start, end).map_err(|_| LokiError::EndBeforeStart { start, end })?;
    match state.config.max_query_length {
        Some(max) if end.since(start) > max => {
            Err(LokiError::TooLong { length: whole_nanos(end.since(start)), max: whole_nanos(max) })
        }
        _ => Ok(range),
    }
}

fn whole_nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// What a range query asks.
pub(crate) fn range_query(params: &Params, state: &LokiState, expr: &Expr) -> Result<QueryParams, LokiError> {
    let range = range(params, state)?;
    let step = step_within(params, range)?;
    let interval = params.read("interval", interval)?.unwrap_or_default();
    asked(params, state, expr, QueryParams { step, interval, ..over(range, state) })
}

/// A step of the range: `step`, by default a 250th of it.
pub(crate) fn step_within(params: &Params, range: TimeRange) -> Result<Duration, LokiError> {
    let length = range.end().since(range.start());
    let step = params.read("step", step)?.unwrap_or_else(|| default_step(length));
    let points = length.as_nanos() / step.as_nanos().max(1);
    if points > MAX_POINTS as u128 {
        let points = u64::try_from(points).unwrap_or(u64::MAX).saturating_add(1);
        return Err(LogqlError::TooManyPoints { points, limit: MAX_POINTS }.into());
    }
    Ok(step)
}

/// The range with the defaults of everything else; the step is the whole range.
pub(crate) fn over(range: TimeRange, state: &LokiState) -> QueryParams {
    let step = range.end().since(range.start()).max(Duration::from_nanos(1));
    QueryParams { start: range.start(), step, ..instant(range.end(), state) }
}

/// A number of things under the first of these names that is given; from 1 to `max`.
pub(crate) fn at_most(params: &Params, names: &[&str], default: usize, max: usize) -> Result<usize, LokiError> {
    let read = |text: &str| {
        let asked = text.parse().ok().filter(|asked| (1..=max).contains(asked));
        asked.ok_or_else(|| format!("allowed is an integer from 1 to {max}"))
    };
    for name in names {
        if let Some(asked) = params.read(name, read)? {
            return Ok(asked);
        }
    }
    Ok(default)
}

/// What an instant query asks.
pub(crate) fn instant_query(params: &Params, state: &LokiState, expr: &Expr) -> Result<QueryParams, LokiError> {
    let time = params.read("time", icegate_http::time)?.unwrap_or_else(|| state.now());
    asked(params, state, expr, instant(time, state))
}

fn instant(time: Timestamp, state: &LokiState) -> QueryParams {
    QueryParams {
        start: time,
        end: time,
        step: Duration::ZERO,
        interval: Duration::ZERO,
        limit: DEFAULT_LIMIT.min(state.config.max_entries_limit),
        direction: Direction::default(),
        now: state.now(),
        limits: state.limits(),
    }
}

/// With `limit` and `direction`; a metric query has no lines, so its `limit` has no upper bound.
fn asked(params: &Params, state: &LokiState, expr: &Expr, mut query: QueryParams) -> Result<QueryParams, LokiError> {
    let range = expr.longest_range();
    if let Some(max) = state.config.max_query_range.map(whole_nanos).filter(|max| range > *max) {
        return Err(LokiError::RangeTooLong { range, max });
    }
    if let Some(asked) = params.read("limit", integer)? {
        let limit = usize::try_from(asked).ok().filter(|limit| *limit > 0).ok_or(LogqlError::NoEntries)?;
        let max = state.config.max_entries_limit;
        if limit > max && matches!(expr, Expr::Logs(_)) {
            return Err(LogqlError::TooManyEntries { asked: limit, limit: max }.into());
        }
        query.limit = limit.min(max);
    }
    if let Some(asked) = params.read("direction", direction)? {
        query.direction = asked;
    }
    Ok(query)
}

/// The query's text.
pub(crate) fn query(params: &Params) -> Result<&str, HttpError> {
    params.required("query")
}

fn default_step(length: Duration) -> Duration {
    Duration::from_secs((length.as_secs() / DEFAULT_POINTS).max(1))
}

fn since(text: &str) -> Result<Duration, String> {
    positive(duration::prometheus(text)).ok_or_else(|| "allowed is a duration above 0, such as 90s or 1h30m".to_owned())
}

fn step(text: &str) -> Result<Duration, String> {
    positive(nanos(text)).ok_or_else(|| "allowed are seconds or a duration above 0, such as 15, 0.5 or 5m".to_owned())
}

fn interval(text: &str) -> Result<Duration, String> {
    let duration = nanos(text).and_then(|nanos| u64::try_from(nanos).ok());
    duration
        .map(Duration::from_nanos)
        .ok_or_else(|| "allowed are seconds or a duration of 0 or more, such as 15, 0.5 or 5m".to_owned())
}

pub(crate) fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "allowed is an integer above 0".to_owned())
}

fn direction(text: &str) -> Result<Direction, String> {
    match text.to_ascii_lowercase().as_str() {
        "forward" => Ok(Direction::Forward),
        "backward" => Ok(Direction::Backward),
        _ => Err("allowed are forward and backward".to_owned()),
    }
}

fn positive(nanos: Option<i64>) -> Option<Duration> {
    nanos.and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0).map(Duration::from_nanos)
}

/// Seconds as a decimal number, or a Prometheus duration.
fn nanos(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked, and below a nanosecond there is nothing")]
        Ok(seconds) => Some(seconds * 1e9).filter(|nanos| nanos.abs() < 9.2e18).map(|nanos| nanos.round() as i64),
        Err(_) => duration::prometheus(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_step_is_a_250th_of_the_range_and_at_least_a_second() {
        assert_eq!(default_step(Duration::from_secs(3_600)), Duration::from_secs(14));
        assert_eq!(default_step(Duration::from_secs(10)), Duration::from_secs(1));
        assert_eq!(default_step(Duration::ZERO), Duration::from_secs(1));
    }

    #[test]
    fn steps_are_seconds_or_durations_above_zero() {
        for (text, millis) in
            [("15", 15_000), ("300.0", 300_000), ("0.5", 500), ("5m", 300_000), ("1h30m", 5_400_000), ("14400ms", 14_400)]
        {
            assert_eq!(step(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["0", "-1", "0s", "x", "NaN", "inf", "1e300", "1.5h"] {
            assert!(step(bad).is_err(), "{bad}");
        }
        assert_eq!(interval("0"), Ok(Duration::ZERO));
        assert!(interval("-1").is_err() && since("15").is_err() && since("15s").is_ok());
    }
}
