//! Durations of queries: whole numbers with units that fall, in milliseconds.

use std::fmt::Write as _;

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Seconds that a duration may have: as many as fit 64 bits of nanoseconds.
pub(crate) const MAX_SECONDS: f64 = 9_223_372_036.0;

/// Milliseconds of a duration, or what is wrong with it.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("not a valid duration string: {text:?}");
    if text.is_empty() {
        return Err("empty duration string".to_owned());
    }
    let (mut rest, mut total, mut next_unit) = (text, 0_i64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(invalid());
        }
        let unit = &after[..after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len())];
        let index = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(|| format!("unknown unit {unit:?} in duration {text:?}"))?;
        if index < next_unit {
            return Err(invalid());
        }
        let out_of_range = || "duration out of range".to_owned();
        let number = number.parse::<i64>().map_err(|_| out_of_range())?;
        total = number.checked_mul(UNITS[index].1).and_then(|part| part.checked_add(total)).ok_or_else(out_of_range)?;
        if total > i64::MAX / 1_000_000 {
            return Err(out_of_range());
        }
        (rest, next_unit) = (&after[unit.len()..], index + 1);
    }
    Ok(total)
}

/// Writes milliseconds: whole years, weeks and days only where nothing else is left over.
pub(crate) fn print(millis: i64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if millis < 0 { "-" } else { "" });
    let mut rest = millis.unsigned_abs();
    for (unit, scale) in UNITS {
        let scale = scale.unsigned_abs();
        let exact = unit == "y" || unit == "w";
        if rest >= scale && (!exact || rest.is_multiple_of(scale)) {
            // Writing to a string can't fail.
            _ = write!(text, "{}{unit}", rest / scale);
            rest %= scale;
        }
    }
    text
}

/// Seconds to milliseconds, rounded to the nearest.
#[allow(clippy::cast_possible_truncation, reason = "checked against MAX_SECONDS where a query is read; saturates otherwise")]
pub(crate) fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_falling_units() {
        for (text, millis) in [("5m", 300_000), ("1h30m", 5_400_000), ("1y", 31_536_000_000), ("10ms", 10), ("1s500ms", 1_500)] {
            assert_eq!(parse(text), Ok(millis), "{text}");
        }
        for (text, complaint) in [
            ("5m1h", "not a valid duration string: \"5m1h\""),
            ("5m1m", "not a valid duration string: \"5m1m\""),
            ("5y1hs", "unknown unit \"hs\" in duration \"5y1hs\""),
            ("300y", "duration out of range"),
        ] {
            assert_eq!(parse(text), Err(complaint.to_owned()), "{text}");
        }
    }

    #[test]
    fn printed_durations_read_back_equal() {
        for (millis, text) in
            [(90_000, "1m30s"), (604_800_000, "1w"), (604_800_001, "7d1ms"), (31_536_000_000, "1y"), (1_030, "1s30ms")]
        {
            assert_eq!(print(millis), text);
            assert_eq!(parse(text), Ok(millis));
        }
        assert_eq!(print(-50_000), "-50s");
    }
}
