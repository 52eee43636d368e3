use super::scalar::scalar;
use super::series_labels::Nameless;
use super::values::{Context, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::Call;
use crate::samples::Value;

/// Functions of one number at a time; histograms fall out.
pub(crate) fn math(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let params = call.args[1..].iter().map(|arg| scalar(context, arg)).collect::<Result<Vec<_>, _>>()?;
    let function = function(call.function.name)?;
    let mut nameless = Nameless::new(context, true)?;
    vector(context, &call.args[0], &mut |mut row| {
        for (step, value) in row.values.iter_mut().enumerate() {
            let param = |index: usize| params.get(index).and_then(|values| values.get(step)).copied();
            *value = value.as_ref().and_then(Value::float).and_then(|value| function(value, &param)).map(Value::Float);
        }
        if row.is_empty() { Ok(()) } else { nameless.pass(row, sink) }
    })
}

type Param<'a> = &'a dyn Fn(usize) -> Option<f64>;
type Function = fn(f64, Param<'_>) -> Option<f64>;

fn function(name: &str) -> Result<Function, PromqlError> {
    Ok(match name {
        "abs" => |v, _| Some(v.abs()),
        "ceil" => |v, _| Some(v.ceil()),
        "floor" => |v, _| Some(v.floor()),
        "exp" => |v, _| Some(v.exp()),
        "sqrt" => |v, _| Some(v.sqrt()),
        "ln" => |v, _| Some(v.ln()),
        "log2" => |v, _| Some(v.log2()),
        "log10" => |v, _| Some(v.log10()),
        "sin" => |v, _| Some(v.sin()),
        "cos" => |v, _| Some(v.cos()),
        "tan" => |v, _| Some(v.tan()),
        "asin" => |v, _| Some(v.asin()),
        "acos" => |v, _| Some(v.acos()),
        "atan" => |v, _| Some(v.atan()),
        "sinh" => |v, _| Some(v.sinh()),
        "cosh" => |v, _| Some(v.cosh()),
        "tanh" => |v, _| Some(v.tanh()),
        "asinh" => |v, _| Some(v.asinh()),
        "acosh" => |v, _| Some(v.acosh()),
        "atanh" => |v, _| Some(v.atanh()),
        "deg" => |v, _| Some(v * 180.0 / std::f64::consts::PI),
        "rad" => |v, _| Some(v * std::f64::consts::PI / 180.0),
        "sgn" => |v, _| Some(if v == 0.0 || v.is_nan() { v } else { v.signum() }),
        "round" => |v, param| Some(round(v, param(0).unwrap_or(1.0))),
        "clamp" => |v, param| clamp(v, param(0)?, param(1)?),
        "clamp_min" => |v, param| Some(greater(v, param(0)?)),
        "clamp_max" => |v, param| Some(lesser(v, param(0)?)),
        other => return Err(PromqlError::evaluation(format!("function {other:?} can't be evaluated"))),
    })
}

/// To the nearest multiple, halves upwards.
fn round(value: f64, nearest: f64) -> f64 {
    // The inverse keeps decimal fractions exact that the multiple itself can't say.
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

fn clamp(value: f64, min: f64, max: f64) -> Option<f64> {
    if max < min { None } else { Some(greater(min, lesser(max, value))) }
}

/// The greater of both; NaN where one is.
fn greater(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The lesser of both; NaN where one is.
fn lesser(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }
}
