//! Decimal numbers as Go reads them and as Prometheus writes them.

/// How many bytes of `text`, from its start, are a decimal number: digits, `_` between them, a point, an exponent.
#[must_use]
pub fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits((length + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// A number as a query writes it; `_` may stand between digits. `None` where it isn't one or doesn't fit.
#[must_use]
pub fn literal(text: &str) -> Option<f64> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || length(text) != text.len() || text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A hexadecimal number with a power of two, `0x1.8p3`. `None` where it isn't one or doesn't fit.
#[must_use]
pub fn hexadecimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(places)?;
    Some(value * 2_f64.powi(exponent)).filter(|value| value.is_finite())
}

/// A number as a log line has it: also a sign, `inf`, `infinity` and `nan` in any case. `None` where it isn't one.
#[must_use]
pub fn lenient(text: &str) -> Option<f64> {
    text.parse::<f64>().ok()
}

/// Writes a value as Prometheus's API does: shortest text that reads back equal, `+Inf`, `-Inf`, `NaN`, an exponent from 1e21 on and
/// below 1e-4.
#[must_use]
pub fn print(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        // Go writes a sign and at least two digits in the exponent.
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_end_where_they_stop_being_numbers() {
        for (text, expected) in [("12ab", 2), ("1.5e3)", 5), ("1e", 1), ("1_000", 5), (".5", 2), ("1e-3+", 4), ("", 0)] {
            assert_eq!(length(text), expected, "{text}");
        }
    }

    #[test]
    fn literals_are_decimal() {
        assert_eq!(literal("1_000"), Some(1000.0));
        assert_eq!(literal(".5"), Some(0.5));
        for bad in ["0x10", "1__0", "_1", "", ".", "1e999", "1e"] {
            assert_eq!(literal(bad), None, "{bad}");
        }
    }

    #[test]
    fn values_print_as_prometheus_does() {
        for (value, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
            (123_456_789.125, "123456789.125"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(print(value), text);
        }
    }

    #[test]
    fn hexadecimal_numbers_have_a_power_of_two() {
        for (text, value) in [
            ("0x1p3", Some(8.0)),
            ("0X1.8P3", Some(12.0)),
            ("0x.8p-1", Some(0.25)),
            ("0x1A", None),
            ("0xp1", None),
            ("0x1p99999", None),
        ] {
            assert_eq!(hexadecimal(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_values_read_back_equal(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(print(value).parse::<f64>().unwrap(), value);
        }
    }
}
