//! Numbers as Go writes and reads them, and decimal arithmetic.

/// Shortest text that reads back equal, with an exponent below 1e-4 and from 1e6 on.
pub(crate) fn general(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..6).contains(&exponent) {
        return with_exponent(mantissa, exponent, 'e');
    }
    format!("{value}")
}

/// `1.5e+06`: a sign and two digits at least.
pub(crate) fn with_exponent(mantissa: &str, exponent: i32, letter: char) -> String {
    format!("{mantissa}{letter}{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Whole numbers as `0x10`, `0b1`, `0o7`, `017` and decimal.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

/// A number as digits and a power of ten, exact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    digits: i128,
    /// How many of the digits stand behind the point.
    scale: u32,
}

/// Digits behind the point of a quotient.
const QUOTIENT_SCALE: u32 = 16;

impl Decimal {
    /// `None` where it doesn't fit.
    pub(crate) fn new(value: f64) -> Option<Self> {
        let text = format!("{value}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, scale: u32::try_from(fraction.len()).ok()? })
    }

    fn scaled(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self { digits: self.scaled(scale)?.checked_add(other.scaled(scale)?)?, scale })
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { digits: other.digits.checked_neg()?, ..other })
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        Some(Self { digits: self.digits.checked_mul(other.digits)?, scale: self.scale.checked_add(other.scale)? })
    }

    /// Rounded half away from zero.
    pub(crate) fn over(self, other: Self) -> Option<Self> {
        let dividend = self.digits.checked_mul(10_i128.checked_pow(QUOTIENT_SCALE.checked_add(other.scale)?)?)?;
        let divisor = other.digits.checked_mul(10_i128.checked_pow(self.scale)?)?;
        let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
        let up = rest.checked_abs()?.checked_mul(2)? >= divisor.checked_abs()?;
        let away = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
        Some(Self { digits: quotient + if up { away } else { 0 }, scale: QUOTIENT_SCALE })
    }

    pub(crate) fn value(self) -> f64 {
        format!("{}e-{}", self.digits, self.scale).parse().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        for (value, text) in [
            (0.003, "0.003"),
            (190.0, "190"),
            (3e6, "3e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e-5, "1e-05"),
            (123_456.5, "123456.5"),
            (0.0, "0"),
            (2.5e21, "2.5e+21"),
        ] {
            assert_eq!(general(value), text);
        }
    }

    #[test]
    fn whole_numbers_read_in_every_radix() {
        for (text, value) in
            [("12", Some(12)), ("-0x1F", Some(-31)), ("017", Some(15)), ("0", Some(0)), ("1.5", None), ("0x-1", None), ("", None)]
        {
            assert_eq!(integer(text), value, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        let of = |value| Decimal::new(value).unwrap();
        assert_eq!(of(0.1).plus(of(0.2)).unwrap().value(), 0.3);
        assert_eq!(of(6.67).minus(of(0.5)).unwrap().value(), 6.17);
        assert_eq!(of(20.2).over(of(5.25)).unwrap().value(), 3.847_619_047_619_047_7);
        assert_eq!(of(-1.0).over(of(3.0)).unwrap().value(), -0.333_333_333_333_333_3);
        assert!(of(1.0).over(of(0.0)).is_none());
        assert!(of(1e30).times(of(1e30)).is_none());
    }
}
