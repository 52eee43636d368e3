use icegate_series::Labels;

use super::selector::seen;
use super::series_labels::Nameless;
use super::values::{Context, Row, Sink};
use super::vector::vector;
use crate::PromqlError;
use crate::ast::{Call, Expr};
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

/// Year, month and day of the month of a day since the epoch. Years begin in March here, so that leap days come last.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The day since the epoch of a date.
const fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
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
