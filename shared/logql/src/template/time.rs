//! Moments, and the layouts that Go writes and reads them with.

mod layout;
mod read;

use std::cmp::Ordering;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use super::value::Value;

pub(crate) use read::parse;

/// A moment in a time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Seconds since 1970.
    seconds: i64,
    /// Nanoseconds of the second.
    nanos: u32,
    zone: Zone,
}

/// How a moment shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Named(Tz),
    /// Seconds east of UTC.
    Fixed(i32),
}

impl Zone {
    pub(crate) const UTC: Self = Self::Named(Tz::UTC);

    /// The zone of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" | "Local" => Some(Self::UTC),
            _ => name.parse().ok().map(Self::Named),
        }
    }
}

/// What a clock on the wall shows.
struct Wall {
    at: NaiveDateTime,
    /// Seconds east of UTC.
    offset: i32,
    zone: String,
}

impl Moment {
    /// Go's zero time: the first second of year 1.
    pub(crate) const ZERO: Self = Self { seconds: -62_135_596_800, nanos: 0, zone: Zone::UTC };

    pub(crate) fn of_nanos(nanos: i64) -> Self {
        let part = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default();
        Self { seconds: nanos.div_euclid(1_000_000_000), nanos: part, zone: Zone::UTC }
    }

    pub(crate) const fn of_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0, zone: Zone::UTC }
    }

    pub(crate) const fn seconds(self) -> i64 {
        self.seconds
    }

    pub(crate) fn millis(self) -> i64 {
        self.seconds.wrapping_mul(1_000).wrapping_add(i64::from(self.nanos / 1_000_000))
    }

    pub(crate) fn nanos(self) -> i64 {
        self.seconds.wrapping_mul(1_000_000_000).wrapping_add(i64::from(self.nanos))
    }

    pub(crate) const fn in_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// What clocks show; moments out of all calendars show as the zero time.
    fn wall(self) -> Wall {
        let at = DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default().naive_utc();
        let (offset, zone) = match self.zone {
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&at);
                let name = offset.abbreviation().map(str::to_owned);
                (offset.fix().local_minus_utc(), name)
            }
            Zone::Fixed(offset) => (offset, None),
        };
        let shifted = at.checked_add_signed(chrono::Duration::seconds(i64::from(offset))).unwrap_or(at);
        Wall { at: shifted, offset, zone: zone.unwrap_or_default() }
    }

    /// Writes it in Go's manner, by an example.
    pub(crate) fn format(self, layout: &str) -> String {
        layout::format(&self.wall(), layout)
    }

    /// A method that templates may call.
    pub(crate) fn method(self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let wall = self.wall();
        if name == "Format" {
            let [Value::Text(layout)] = arguments else { return Err("wrong number of args for Format: want 1".to_owned()) };
            return Ok(Value::owned(self.format(layout)));
        }
        if !arguments.is_empty() {
            return Err(format!("wrong number of args for {name}: want 0 got {}", arguments.len()));
        }
        let number = |value: u32| Value::Int(i64::from(value));
        Ok(match name {
            "UTC" | "Local" => Value::Time(self.in_zone(Zone::UTC)),
            "Unix" => Value::Int(self.seconds),
            "UnixMilli" => Value::Int(self.millis()),
            "UnixMicro" => Value::Int(self.seconds.wrapping_mul(1_000_000).wrapping_add(i64::from(self.nanos / 1_000))),
            "UnixNano" => Value::Int(self.nanos()),
            "Year" => Value::Int(i64::from(wall.at.year())),
            "Month" => Value::text(layout::MONTHS[wall.at.month0() as usize % 12]),
            "Day" => number(wall.at.day()),
            "YearDay" => number(wall.at.ordinal()),
            "Weekday" => Value::text(layout::DAYS[wall.at.weekday().num_days_from_sunday() as usize % 7]),
            "Hour" => number(wall.at.hour()),
            "Minute" => number(wall.at.minute()),
            "Second" => number(wall.at.second()),
            "Nanosecond" => number(self.nanos),
            "String" => Value::owned(self.to_string()),
            "IsZero" => Value::Bool(self.cmp(&Self::ZERO).is_eq()),
            _ => return Err(format!("can't evaluate field {name} in type time.Time")),
        })
    }

    /// The moment at which a clock of the zone shows this.
    pub(crate) fn at_wall(at: NaiveDateTime, zone: Zone) -> Self {
        let offset = match zone {
            Zone::Fixed(offset) => offset,
            Zone::Named(tz) => match tz.offset_from_local_datetime(&at).earliest() {
                Some(offset) => offset.fix().local_minus_utc(),
                // A clock never shows what it jumps over: take the offset that held before.
                None => tz.offset_from_utc_datetime(&at).fix().local_minus_utc(),
            },
        };
        let utc = at.and_utc();
        Self { seconds: utc.timestamp() - i64::from(offset), nanos: utc.timestamp_subsec_nanos(), zone }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

#[cfg(test)]
mod tests;
