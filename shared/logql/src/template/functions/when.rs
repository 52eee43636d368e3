//! The line, its time, and functions on times.

use super::super::time::{Moment, Zone, parse};
use super::super::value::Value;
use super::{Function, fixed, text};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("__line__", 0, |context, _| Ok(Value::text(context.line))),
    fixed("__timestamp__", 0, |context, _| Ok(Value::Time(Moment::of_nanos(context.at)))),
    fixed("now", 0, |context, _| Ok(Value::Time(Moment::of_nanos(context.now)))),
    fixed("date", 2, |context, v| {
        let moment = match v.get(1) {
            Some(Value::Time(moment)) => *moment,
            Some(Value::Int(seconds)) => Moment::of_seconds(*seconds),
            _ => Moment::of_nanos(context.now),
        };
        Ok(Value::owned(moment.format(text(v, 0)?)))
    }),
    fixed("toDate", 2, |_, v| Ok(Value::Time(parse(text(v, 0)?, text(v, 1)?, Zone::UTC).unwrap_or(Moment::ZERO)))),
    fixed("toDateInZone", 3, |_, v| {
        let zone = Zone::find(text(v, 1)?).ok_or_else(|| format!("unknown time zone {}", text(v, 1).unwrap_or_default()))?;
        Ok(Value::Time(parse(text(v, 0)?, text(v, 2)?, zone).unwrap_or(Moment::ZERO)))
    }),
    fixed("unixEpoch", 1, |_, v| Ok(Value::owned(moment(v)?.seconds().to_string()))),
    fixed("unixEpochMillis", 1, |_, v| Ok(Value::owned(moment(v)?.millis().to_string()))),
    fixed("unixEpochNanos", 1, |_, v| Ok(Value::owned(moment(v)?.nanos().to_string()))),
    fixed("unixToTime", 1, |_, v| unix_to_time(text(v, 0)?).map(Value::Time)),
];

fn moment(values: &[Value]) -> Result<Moment, String> {
    match values.first() {
        Some(Value::Time(moment)) => Ok(*moment),
        other => Err(format!("wrong type for value; expected time.Time; got {}", other.map_or("nothing", Value::kind))),
    }
}

/// Days, seconds, milliseconds, microseconds or nanoseconds, by the number of digits.
fn unix_to_time(text: &str) -> Result<Moment, String> {
    let number: i64 = text.parse().map_err(|_| format!("unable to parse time '{text}'"))?;
    let scale = match text.len() {
        5 => return Ok(Moment::of_seconds(number.saturating_mul(86_400))),
        10 => return Ok(Moment::of_seconds(number)),
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return Err(format!("unable to parse time '{text}', allowed are 5, 10, 13, 16 and 19 digits")),
    };
    Ok(Moment::of_nanos(number.saturating_mul(scale)))
}
