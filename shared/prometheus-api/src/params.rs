//! Parameters as Prometheus reads them.

use std::time::Duration;

use icegate_http::Params;
use icegate_promql::{Matcher, parse_duration, parse_selector};

use crate::PrometheusError;
use crate::scan::MAX_MILLIS;

/// A time in milliseconds since the epoch.
pub(crate) fn time(params: &Params, name: &'static str, default: Option<i64>) -> Result<i64, PrometheusError> {
    let text = params.get(name).unwrap_or_default();
    match (text.is_empty(), default) {
        (true, Some(default)) => Ok(default),
        _ => read_time(text)
            .ok_or_else(|| PrometheusError::parameter(name, format!("cannot parse {} to a valid timestamp", quoted(text)))),
    }
}

fn read_time(text: &str) -> Option<i64> {
    if let Some(seconds) = number(text) {
        return Some(millis(seconds));
    }
    // Anything else that is a time begins with a date.
    let is_date = text.len() > 10 && text.as_bytes().get(4) == Some(&b'-');
    is_date.then(|| icegate_http::time(text).ok()).flatten().map(|at| at.millis())
}

/// A number as Go reads one.
fn number(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'));
    text.parse().ok().filter(|_| is_number)
}

#[allow(clippy::cast_possible_truncation, reason = "it is clamped, and what is no number has no samples")]
fn millis(seconds: f64) -> i64 {
    let millis = (seconds * 1e3).round();
    if millis.is_nan() { -MAX_MILLIS } else { (millis as i64).clamp(-MAX_MILLIS, MAX_MILLIS) }
}

/// Milliseconds of a duration: seconds as a number, or units.
pub(crate) fn duration(name: &'static str, text: &str) -> Result<i64, PrometheusError> {
    if let Some(seconds) = number(text) {
        let is_in_range = (seconds * 1e9).abs() < 9_223_372_036_854_775_807.0;
        let overflow =
            || PrometheusError::parameter(name, format!("cannot parse {} to a valid duration. It overflows int64", quoted(text)));
        return if is_in_range { Ok(whole_millis(seconds)) } else { Err(overflow()) };
    }
    parse_duration(text)
        .map_err(|_| PrometheusError::parameter(name, format!("cannot parse {} to a valid duration", quoted(text))))
}

/// What is below a millisecond is cut off.
#[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
fn whole_millis(seconds: f64) -> i64 {
    (seconds * 1e9) as i64 / 1_000_000
}

/// A duration that may be missing.
pub(crate) fn optional_duration(params: &Params, name: &'static str) -> Result<Option<Duration>, PrometheusError> {
    match params.get(name).filter(|text| !text.is_empty()) {
        Some(text) => Ok(u64::try_from(duration(name, text)?).ok().filter(|millis| *millis > 0).map(Duration::from_millis)),
        None => Ok(None),
    }
}

/// How many results are wanted; `None` for all.
pub(crate) fn limit(params: &Params, name: &'static str) -> Result<Option<usize>, PrometheusError> {
    let text = params.get(name).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let problem = if is_number { "value out of range" } else { "invalid syntax" };
    let number: i64 = text
        .parse()
        .map_err(|_| PrometheusError::parameter(name, format!("strconv.Atoi: parsing {}: {problem}", quoted(text))))?;
    let number = usize::try_from(number).map_err(|_| PrometheusError::parameter(name, "limit must be non-negative"))?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// The selectors of `match[]`.
pub(crate) fn selectors(params: &Params) -> Result<Vec<Vec<Matcher>>, PrometheusError> {
    let read = |text: &str| {
        let selector = parse_selector(text).map_err(|error| PrometheusError::BadData(error.to_string()))?;
        let excludes_nothing = selector.matchers.iter().all(|matcher| matcher.fits(""));
        if excludes_nothing {
            return Err(PrometheusError::BadData("match[] must contain at least one non-empty matcher".to_owned()));
        }
        Ok(selector.matchers)
    };
    params.all(&["match[]"]).map(read).collect()
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(Some(query), b"").unwrap()
    }

    #[test]
    fn times_are_seconds_or_dates_and_rounded_to_milliseconds() {
        for (text, millis) in [
            ("1704071250.1239", 1_704_071_250_124),
            ("1.70407125e9", 1_704_071_250_000),
            ("2024-01-01T01:00:00.5%2B01:00", 1_704_067_200_500),
            ("Inf", MAX_MILLIS),
            ("NaN", -MAX_MILLIS),
        ] {
            assert_eq!(time(&params(&format!("time={text}")), "time", None).unwrap(), millis, "{text}");
        }
        let error = time(&params("start=yesterday"), "start", Some(0)).unwrap_err();
        assert_eq!(error.to_string(), r#"invalid parameter "start": cannot parse "yesterday" to a valid timestamp"#);
        assert_eq!(time(&params(""), "time", Some(7)).unwrap(), 7);
    }

    #[test]
    fn durations_are_seconds_or_have_units() {
        assert_eq!(duration("step", "60.0004").unwrap(), 60_000);
        assert_eq!(duration("step", "1h30m").unwrap(), 5_400_000);
        for (text, reason) in [("", "cannot parse \"\" to a valid duration"), ("1e12", "overflows int64")] {
            assert!(duration("step", text).unwrap_err().to_string().contains(reason), "{text}");
        }
    }

    #[test]
    fn limits_are_counts_and_zero_is_none() {
        assert_eq!(limit(&params("limit=0"), "limit").unwrap(), None);
        assert_eq!(limit(&params("limit=2"), "limit").unwrap(), Some(2));
        let error = limit(&params("limit=-1"), "limit").unwrap_err();
        assert_eq!(error.to_string(), r#"invalid parameter "limit": limit must be non-negative"#);
    }
}
