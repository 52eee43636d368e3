//! Durations as signed nanoseconds: Prometheus's form (`1d12h`, `5m`) and Go's (`1.5h`, `100µs`, `-2m`).

use std::fmt::Write as _;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const YEAR: i64 = 365 * DAY;

/// Units of Prometheus's form, in the order that they must be written in.
const PROMETHEUS: [(&str, i64); 7] =
    [("y", YEAR), ("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLISECOND)];

/// Units of Go's form.
const GO: [(&str, i64); 8] = [
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLISECOND),
    ("us", MICROSECOND),
    ("µs", MICROSECOND),
    ("μs", MICROSECOND),
    ("ns", 1),
];

/// Prometheus's form: whole numbers, each unit at most once, from the largest down; also `0`. `None` where it isn't one or is
/// longer than 292 years.
#[must_use]
pub fn prometheus(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut total, mut next_unit) = (text, 0_i64, 0);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = &after[..after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len())];
        let index = PROMETHEUS.iter().skip(next_unit).position(|(name, _)| *name == unit)? + next_unit;
        total = number.parse::<i64>().ok()?.checked_mul(PROMETHEUS[index].1)?.checked_add(total)?;
        (rest, next_unit) = (&after[unit.len()..], index + 1);
    }
    (!text.is_empty()).then_some(total)
}

/// Go's form: a sign, then decimal numbers with units, in any order; also `0`. `None` where it isn't one.
#[must_use]
pub fn go(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0);
    }
    let (mut rest, mut total) = (unsigned, 0_i64);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let unit = &after[..after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len())];
        let scale = GO.iter().find(|(name, _)| *name == unit)?.1;
        total = total.checked_add(scaled(number, scale)?)?;
        rest = &after[unit.len()..];
    }
    (!unsigned.is_empty()).then_some(if negative { -total } else { total })
}

/// Why [`go`] doesn't read a text, in Go's words.
#[must_use]
pub fn complaint(text: &str) -> String {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    loop {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if after.len() == rest.len() || rest[..rest.len() - after.len()].bytes().all(|byte| byte == b'.') {
            return format!("time: invalid duration {text:?}");
        }
        let unit = &after[..after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len())];
        if unit.is_empty() {
            return format!("time: missing unit in duration {text:?}");
        }
        if !GO.iter().any(|(name, _)| *name == unit) {
            return format!("time: unknown unit {unit:?} in duration {text:?}");
        }
        rest = &after[unit.len()..];
    }
}

/// A decimal number times `scale`, cut to whole nanoseconds.
fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    let mut total = i128::from(whole.checked_mul(scale)?);
    let mut place = 1_i128;
    // More digits than this are below a nanosecond of the largest unit.
    let digits = &fraction[..fraction.len().min(15)];
    let mut part = 0_i128;
    for digit in digits.bytes() {
        part = part * 10 + i128::from(digit - b'0');
        place *= 10;
    }
    total += part * i128::from(scale) / place;
    i64::try_from(total).ok()
}

/// Writes Prometheus's form; falls back to Go's where a rest is below a millisecond or negative.
#[must_use]
pub fn print(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 0 || nanos % MILLISECOND != 0 {
        return print_go(nanos);
    }
    let (mut text, mut rest) = (String::new(), nanos);
    for (unit, scale) in PROMETHEUS.iter().filter(|(unit, _)| *unit != "y" && *unit != "w") {
        if rest / scale > 0 {
            _ = write!(text, "{}{unit}", rest / scale);
            rest %= scale;
        }
    }
    text
}

/// Writes Go's form with whole numbers only.
#[must_use]
pub fn print_go(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if nanos < 0 { "-" } else { "" });
    let mut rest = nanos.unsigned_abs();
    for (unit, scale) in [("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLISECOND), ("us", MICROSECOND), ("ns", 1)] {
        let scale = scale.unsigned_abs();
        if rest / scale > 0 {
            _ = write!(text, "{}{unit}", rest / scale);
            rest %= scale;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn complaints_are_those_of_go() {
        for (text, expected) in [
            ("", "time: invalid duration \"\""),
            ("x", "time: invalid duration \"x\""),
            (".s", "time: invalid duration \".s\""),
            ("200", "time: missing unit in duration \"200\""),
            ("1h1d", "time: unknown unit \"d\" in duration \"1h1d\""),
            ("-1 s", "time: unknown unit \" s\" in duration \"-1 s\""),
            ("3000000h", "time: invalid duration \"3000000h\""),
        ] {
            assert_eq!(go(text), None);
            assert_eq!(complaint(text), expected);
        }
    }

    #[test]
    fn prometheus_durations_have_whole_numbers_and_falling_units() {
        for (text, seconds) in [("5m", 300), ("1d12h", 129_600), ("1w", 604_800), ("1y", 31_536_000), ("0", 0), ("1h30m", 5_400)]
        {
            assert_eq!(prometheus(text), Some(seconds * SECOND), "{text}");
        }
        for bad in ["", "5", "1.5h", "5m1h", "5m5m", "-5m", "5µs", "m", "999999999999y"] {
            assert_eq!(prometheus(bad), None, "{bad}");
        }
    }

    #[test]
    fn go_durations_have_decimal_numbers_and_a_sign() {
        for (text, nanos) in
            [("1.5h", 5_400 * SECOND), ("100µs", 100_000), ("-2m", -120 * SECOND), (".5s", SECOND / 2), ("1.s", SECOND)]
        {
            assert_eq!(go(text), Some(nanos), "{text}");
        }
        for bad in ["", "1d", "1", ".s", "1.2.3s", "-", "5 m"] {
            assert_eq!(go(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn printed_durations_read_back_equal(nanos in -1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000) {
            prop_assert_eq!(go(&print_go(nanos)), Some(nanos));
            let printed = print(nanos);
            prop_assert_eq!(prometheus(&printed).or_else(|| go(&printed)), Some(nanos));
            let millis = nanos.abs() / MILLISECOND * MILLISECOND;
            prop_assert_eq!(prometheus(&print(millis)), Some(millis));
        }

        #[test]
        fn reading_any_text_never_panics(text in "[0-9.hmsduµyw+-]*") {
            let _ = (go(&text), prometheus(&text));
        }
    }
}
