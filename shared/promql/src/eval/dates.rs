use icegate_series::Labels;

use super::selector::seen;
use super::series_labels::Nameless;
use super::values::{Context, Row, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::{Call, Expr};
use crate::calendar::{civil, days_of};
use crate::samples::Value;

const DATES: [&str; 8] = ["year", "month", "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute"];

pub(crate) fn is_date(name: &str) -> bool {
    DATES.contains(&name)
}

/// Parts of the date that a value is as seconds since the epoch.
pub(crate) fn date(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let part = |seconds: f64| part(call.function.name, seconds);
    let Some(arg) = call.args.first() else {
        #[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
        let values = context.times().map(|at| Some(Value::Float(part(at as f64 / 1000.0)))).collect();
        return sink(Row { labels: Labels::empty(), drop_name: false, values });
    };
    let mut nameless = Nameless::new(context, true)?;
    vector(context, arg, &mut |mut row| {
        for value in &mut row.values {
            *value = value.as_ref().and_then(Value::float).map(|seconds| Value::Float(part(seconds)));
        }
        if row.is_empty() { Ok(()) } else { nameless.pass(row, sink) }
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seconds of a date")]
fn part(name: &str, seconds: f64) -> f64 {
    let seconds = seconds as i64;
    let days = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    let value = match name {
        "year" => year,
        "month" => month,
        "day_of_month" => day,
        "day_of_week" => (days + 4).rem_euclid(7),
        "day_of_year" => days - days_of(year, 1, 1) + 1,
        "days_in_month" => {
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            days_of(next_year, next_month, 1) - days_of(year, month, 1)
        }
        "hour" => of_day / 3_600,
        _ => of_day / 60 % 60,
    };
    value as f64
}

/// The times of samples, or when counting began. What isn't a selector has the time of the step.
#[allow(clippy::cast_precision_loss, reason = "times are below 2^53 ms")]
pub(crate) fn timestamp(context: &Context<'_>, call: &Call, sink: &mut Sink<'_>) -> Result<(), PromqlError> {
    let is_start = call.function.name == "start_timestamp";
    if is_start && !context.options.start_timestamps {
        return Ok(());
    }
    let mut nameless = Nameless::new(context, true)?;
    let value = |at: i64| Some(Value::Float(at as f64 / 1000.0));
    if let Expr::Selector(selector) = call.args[0].unwrapped() {
        return seen(context, selector, &mut |labels, seen| {
            let time = |seen: super::selector::Seen| if is_start { seen.start } else { seen.at };
            let values = seen.into_iter().map(|seen| seen.and_then(|seen| value(time(seen)))).collect();
            nameless.pass(Row { labels, drop_name: false, values }, sink)
        });
    }
    vector(context, &call.args[0], &mut |mut row| {
        if is_start {
            return Ok(());
        }
        for (own, at) in row.values.iter_mut().zip(context.times()) {
            *own = own.as_ref().and_then(|_| value(at));
        }
        nameless.pass(row, sink)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // 2024-02-29T23:59:30Z, a Thursday.
        let at = 1_709_251_170.0;
        for (name, value) in [
            ("year", 2024.0),
            ("month", 2.0),
            ("day_of_month", 29.0),
            ("day_of_week", 4.0),
            ("day_of_year", 60.0),
            ("days_in_month", 29.0),
            ("hour", 23.0),
            ("minute", 59.0),
        ] {
            assert_eq!(part(name, at), value, "{name}");
        }
        assert_eq!(part("year", -1.0), 1969.0);
        assert_eq!(part("days_in_month", 978_220_800.0), 31.0);
    }
}
