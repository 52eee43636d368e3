//! Tempo's parameters, their defaults and what they allow.

use std::time::Duration;

use icegate_http::{HttpError, Params};
use icegate_model::Timestamp;
use icegate_syntax::duration;

use crate::TempoError;
use crate::config::{DEFAULT_LIMIT, MAX_LIMIT, MAX_QUERY_BYTES};
use crate::spans::Window;
use crate::state::TempoState;

/// How far back a range goes that gives no start.
const DEFAULT_SINCE: Duration = Duration::from_secs(3_600);
/// Points that a default step aims at.
const DEFAULT_POINTS: i64 = 240;
const SECOND: i64 = 1_000_000_000;

fn refused<T>(message: impl Into<String>) -> Result<T, TempoError> {
    Err(TempoError::Parameters(message.into()))
}

/// A query's text under the first of these names that is given.
pub(crate) fn text<'a>(params: &'a Params, names: &[&str]) -> Result<Option<&'a str>, TempoError> {
    let text = names.iter().find_map(|name| params.get(name));
    match text {
        Some(text) if text.len() > MAX_QUERY_BYTES => {
            refused(format!("query of {} bytes is too long, allowed are {MAX_QUERY_BYTES}", text.len()))
        }
        text => Ok(text),
    }
}

/// From `start` to `end` in whole Unix seconds, both or none: the last hour then.
pub(crate) fn seconds(params: &Params, state: &TempoState) -> Result<Window, TempoError> {
    let read = |name: &str| match params.get(name) {
        None => Ok(0),
        Some(text) => text.parse::<u32>().or_else(|_| {
            let problem = if text.bytes().all(|byte| byte.is_ascii_digit()) { "value out of range" } else { "invalid syntax" };
            refused(format!("invalid {name}: strconv.ParseUint: parsing {text:?}: {problem}"))
        }),
    };
    let (start, end) = (read("start")?, read("end")?);
    if (start, end) == (0, 0) {
        let now = state.now();
        return Ok(Window { start: (now - DEFAULT_SINCE).nanos(), end: now.nanos() });
    }
    if end <= start {
        return refused(format!("http parameter start must be before end. received start={start} end={end}"));
    }
    Ok(Window { start: i64::from(start) * SECOND, end: i64::from(end) * SECOND })
}

/// A number of things; nothing where it isn't given.
fn count(params: &Params, name: &str) -> Result<Option<i64>, TempoError> {
    let Some(text) = params.get(name) else { return Ok(None) };
    text.parse().map(Some).or_else(|_| refused(format!("invalid {name}: strconv.Atoi: parsing {text:?}: invalid syntax")))
}

/// The most traces of a search.
pub(crate) fn limit(params: &Params) -> Result<usize, TempoError> {
    match count(params, "limit")? {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) => match usize::try_from(limit) {
            Ok(0) | Err(_) => refused("invalid limit: must be a positive number"),
            Ok(limit) if limit > MAX_LIMIT => refused(format!("limit {limit} exceeds max limit {MAX_LIMIT}")),
            Ok(limit) => Ok(limit),
        },
    }
}

/// The most names of attributes or values; nothing where all are asked for.
pub(crate) fn names_limit(params: &Params) -> Result<Option<usize>, TempoError> {
    match count(params, "limit")? {
        None | Some(0) => Ok(None),
        Some(limit) => usize::try_from(limit).map(Some).or_else(|_| refused("invalid limit: must be a positive number")),
    }
}

/// The most spans that are told of a spanset; 0 is the engine's choice.
pub(crate) fn spans_per_spanset(params: &Params, state: &TempoState) -> Result<usize, TempoError> {
    let max = state.config.max_spans_per_span_set;
    match count(params, "spss")?.map(usize::try_from) {
        None => Ok(0),
        Some(Err(_)) => refused("invalid spss: must be a non-negative number"),
        Some(Ok(spans)) if spans > max => {
            refused(format!("spans per span set exceeds {max}. received {spans}: tempo.max_spans_per_span_set"))
        }
        Some(Ok(spans)) => Ok(spans),
    }
}

/// The shortest and the longest trace of a search, in nanoseconds.
pub(crate) fn durations(params: &Params) -> Result<(i64, i64), TempoError> {
    let read = |name: &str| match params.get(name) {
        None => Ok(None),
        Some(text) => match duration::go(text) {
            Some(nanos) if nanos >= 0 => Ok(Some(nanos)),
            _ => refused(format!("invalid {name}: time: invalid duration {text:?}")),
        },
    };
    let (min, max) = (read("minDuration")?, read("maxDuration")?);
    match (min, max) {
        (Some(min), Some(max)) if max < min => refused("invalid maxDuration: must be greater than minDuration"),
        _ => Ok((min.unwrap_or(i64::MIN), max.unwrap_or(i64::MAX))),
    }
}

/// From `start` to `end` of metrics: `end` is now and `start` is `since` (1 h) before it, where they aren't given.
pub(crate) fn range(params: &Params, state: &TempoState) -> Result<(Timestamp, Timestamp), TempoError> {
    let end = params.read("end", icegate_http::time)?.unwrap_or_else(|| state.now());
    let since = params.read("since", |text| {
        let nanos = duration::prometheus(text).and_then(|nanos| u64::try_from(nanos).ok()).filter(|nanos| *nanos > 0);
        nanos.map(Duration::from_nanos).ok_or_else(|| "allowed is a duration above 0, such as 90s or 1h30m".to_owned())
    })?;
    let start = params.read("start", icegate_http::time)?.unwrap_or_else(|| end - since.unwrap_or(DEFAULT_SINCE));
    Ok((start, end))
}

/// Nanoseconds from point to point: as given, or a 240th of the range in whole seconds.
pub(crate) fn step(params: &Params, start: Timestamp, end: Timestamp) -> Result<i64, HttpError> {
    let given = params.read("step", |text| {
        nanos(text)
            .filter(|nanos| *nanos > 0)
            .ok_or_else(|| "allowed are seconds or a duration above 0, such as 15, 0.5 or 5m".to_owned())
    })?;
    Ok(given.unwrap_or_else(|| default_step(end.nanos().saturating_sub(start.nanos()))))
}

fn default_step(length: i64) -> i64 {
    (length / DEFAULT_POINTS / SECOND * SECOND).max(SECOND)
}

/// Seconds as a decimal number, or a duration as Go or Prometheus write it.
fn nanos(text: &str) -> Option<i64> {
    match text.parse::<f64>() {
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked, and below a nanosecond there is nothing")]
        Ok(seconds) => Some(seconds * 1e9).filter(|nanos| nanos.abs() < 9.2e18).map(|nanos| nanos.round() as i64),
        Err(_) => duration::go(text).or_else(|| duration::prometheus(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_step_is_a_240th_of_the_range_in_whole_seconds() {
        assert_eq!(default_step(3_600 * SECOND), 15 * SECOND);
        assert_eq!(default_step(1_000 * SECOND), 4 * SECOND);
        assert_eq!(default_step(10), SECOND);
    }

    #[test]
    fn steps_are_seconds_or_durations() {
        for (text, seconds) in [("15", 15), ("300s", 300), ("1d", 86_400), ("1h30m", 5_400), ("2e1", 20)] {
            assert_eq!(nanos(text), Some(seconds * SECOND), "{text}");
        }
        assert_eq!(nanos("x"), None);
    }

    #[test]
    fn durations_have_an_order() {
        let of = |query: &str| durations(&Params::parse(Some(query), b"").unwrap());
        assert_eq!(of("minDuration=1s&maxDuration=1.5s").unwrap(), (SECOND, SECOND * 3 / 2));
        assert_eq!(of("").unwrap(), (i64::MIN, i64::MAX));
        assert_eq!(
            of("minDuration=2s&maxDuration=1s").unwrap_err().to_string(),
            "invalid maxDuration: must be greater than minDuration"
        );
        assert_eq!(of("minDuration=2").unwrap_err().to_string(), "invalid minDuration: time: invalid duration \"2\"");
    }
}
