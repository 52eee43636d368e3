//! Functions on numbers. They take texts as well; a text that is no number is 0.

use icegate_syntax::{bytes, duration};

use super::super::number::{Decimal, integer};
use super::super::value::Value;
use super::{Function, fixed, open, text};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("int", 1, |_, v| Ok(Value::Int(int(v.first())))),
    fixed("float64", 1, |_, v| Ok(Value::Float(float(v.first())))),
    open("add", 0, |_, v| Ok(Value::Int(v.iter().fold(0, |sum: i64, value| sum.wrapping_add(int(Some(value))))))),
    fixed("sub", 2, |_, v| Ok(Value::Int(int(v.first()).wrapping_sub(int(v.get(1)))))),
    open("mul", 1, |_, v| Ok(Value::Int(v.iter().fold(1, |product: i64, value| product.wrapping_mul(int(Some(value))))))),
    fixed("div", 2, |_, v| int(v.first()).checked_div(int(v.get(1))).map(Value::Int).ok_or_else(by_zero)),
    fixed("mod", 2, |_, v| int(v.first()).checked_rem(int(v.get(1))).map(Value::Int).ok_or_else(by_zero)),
    open("addf", 0, |_, v| Ok(Value::Float(fold(v, Decimal::plus, |a, b| a + b)))),
    open("subf", 1, |_, v| Ok(Value::Float(fold(v, Decimal::minus, |a, b| a - b)))),
    open("mulf", 1, |_, v| Ok(Value::Float(fold(v, Decimal::times, |a, b| a * b)))),
    open("divf", 1, |_, v| {
        if v.iter().skip(1).any(|value| float(Some(value)) == 0.0) {
            return Err("decimal division by 0".to_owned());
        }
        Ok(Value::Float(fold(v, Decimal::over, |a, b| a / b)))
    }),
    open("max", 1, |_, v| Ok(Value::Int(v.iter().map(|value| int(Some(value))).max().unwrap_or_default()))),
    open("min", 1, |_, v| Ok(Value::Int(v.iter().map(|value| int(Some(value))).min().unwrap_or_default()))),
    open("maxf", 1, |_, v| Ok(Value::Float(v.iter().map(|value| float(Some(value))).fold(f64::NEG_INFINITY, f64::max)))),
    open("minf", 1, |_, v| Ok(Value::Float(v.iter().map(|value| float(Some(value))).fold(f64::INFINITY, f64::min)))),
    fixed("ceil", 1, |_, v| Ok(Value::Float(float(v.first()).ceil()))),
    fixed("floor", 1, |_, v| Ok(Value::Float(float(v.first()).floor()))),
    Function { name: "round", least: 2, most: 3, flow: super::Flow::All(|_, v| Ok(Value::Float(round(v)))) },
    fixed("duration", 1, |_, v| seconds(text(v, 0)?)),
    fixed("duration_seconds", 1, |_, v| seconds(text(v, 0)?)),
    fixed("bytes", 1, |_, v| {
        #[allow(clippy::cast_precision_loss, reason = "values are floats in the language")]
        let size = bytes::lenient(text(v, 0)?).map(|size| Value::Float(size as f64));
        size.ok_or_else(|| format!("can't read {:?} as a size", text(v, 0).unwrap_or_default()))
    }),
];

fn by_zero() -> String {
    "runtime error: integer divide by zero".to_owned()
}

#[allow(clippy::cast_precision_loss, reason = "values are floats in the language")]
fn seconds(text: &str) -> Result<Value, String> {
    let nanos = duration::go(text).ok_or_else(|| duration::complaint(text))?;
    Ok(Value::Float(nanos as f64 / 1e9))
}

#[allow(clippy::cast_possible_truncation, reason = "as Go converts")]
fn int(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Int(value)) => *value,
        Some(Value::Float(value)) => *value as i64,
        Some(Value::Bool(value)) => i64::from(*value),
        Some(Value::Text(text)) => {
            // `12.0` is a whole number as well.
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            if fraction.bytes().all(|digit| digit == b'0') { integer(whole).unwrap_or_default() } else { 0 }
        }
        _ => 0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "as Go converts")]
fn float(value: Option<&Value>) -> f64 {
    match value {
        Some(Value::Int(value)) => *value as f64,
        Some(Value::Float(value)) => *value,
        Some(Value::Bool(value)) => f64::from(u8::from(*value)),
        Some(Value::Text(text)) => text.parse().unwrap_or_default(),
        _ => 0.0,
    }
}

/// Exact where decimals hold it.
fn fold(values: &[Value], exact: fn(Decimal, Decimal) -> Option<Decimal>, plain: fn(f64, f64) -> f64) -> f64 {
    let mut numbers = values.iter().map(|value| float(Some(value)));
    let Some(first) = numbers.next() else { return 0.0 };
    numbers
        .fold((first, Decimal::new(first)), |(value, decimal), next| {
            let decimal = decimal.zip(Decimal::new(next)).and_then(|(left, right)| exact(left, right));
            (decimal.map_or_else(|| plain(value, next), Decimal::value), decimal)
        })
        .0
}

/// To so many digits behind the point; from which fraction on it goes up can be said, and is a half.
#[allow(clippy::cast_possible_truncation, reason = "a power beyond 300 is infinite anyway")]
fn round(values: &[Value]) -> f64 {
    let value = float(values.first());
    let scale = 10_f64.powi(int(values.get(1)).clamp(-400, 400) as i32);
    let up_from = values.get(2).map_or(0.5, |from| float(Some(from)));
    let scaled = value * scale;
    if !scaled.is_finite() {
        return value;
    }
    let rounded = if scaled.fract().abs() >= up_from { scaled.trunc() + scaled.signum() } else { scaled.trunc() };
    rounded / scale
}
