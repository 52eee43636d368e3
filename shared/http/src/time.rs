use chrono::DateTime;
use icegate_model::Timestamp;

/// Digits of the longest integer that is read as seconds; longer ones are nanoseconds.
const SECONDS_DIGITS: usize = 10;

/// A time as Loki's API writes it: a number with a point is seconds, to the millisecond; an integer of at most ten digits is
/// seconds and a longer one nanoseconds; anything else is RFC 3339.
///
/// # Errors
/// What is allowed.
pub fn time(text: &str) -> Result<Timestamp, String> {
    const ALLOWED: &str = "allowed are Unix seconds, Unix nanoseconds or RFC 3339";
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.contains('.') && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let seconds: f64 = text.parse().map_err(|_| ALLOWED.to_owned())?;
        return whole((seconds * 1e3).round()).map(Timestamp::from_millis).ok_or_else(|| ALLOWED.to_owned());
    }
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| ALLOWED.to_owned())?;
        return Ok(if digits.len() <= SECONDS_DIGITS { Timestamp::from_secs(number) } else { Timestamp::from_nanos(number) });
    }
    rfc3339(text).ok_or_else(|| ALLOWED.to_owned())
}

/// A float without a fraction as an integer, if it is one of 64 bits.
fn whole(value: f64) -> Option<i64> {
    // 2^63 is exact as a float and just out of range.
    #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
    (value.abs() < 9_223_372_036_854_775_808.0).then_some(value as i64)
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        for (text, nanos) in [
            ("1704067200", 1_704_067_200_000_000_000),
            ("1704067200.5", 1_704_067_200_500_000_000),
            ("1704067200.0004", 1_704_067_200_000_000_000),
            ("1704067200000000123", 1_704_067_200_000_000_123),
            ("2024-01-01T00:00:00Z", 1_704_067_200_000_000_000),
            ("2024-01-01T01:00:00.000000001+01:00", 1_704_067_200_000_000_001),
            ("2024-02-29T23:59:59-00:30", 1_709_252_999_000_000_000),
            ("1969-12-31T23:59:59.9Z", -100_000_000),
            ("0", 0),
            ("-1", -1_000_000_000),
        ] {
            assert_eq!(time(text).unwrap().nanos(), nanos, "{text}");
        }
        for bad in [
            "",
            "now",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "1.2.3",
            "99999999999999999999",
            "1e9",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
