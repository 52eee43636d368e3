use chrono::{NaiveDate, NaiveTime};

use super::layout::{DAYS, MONTHS, Part, parts};
use super::{Moment, Zone};

/// What was read so far; what a layout leaves out is the start of year 0.
struct Fields {
    year: i32,
    month: u32,
    day: u32,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    is_afternoon: Option<bool>,
    offset: Option<i32>,
}

/// Reads a moment that is written as the layout says; where it names no offset, as clocks of `zone` show it.
pub(crate) fn parse(layout: &str, text: &str, zone: Zone) -> Option<Moment> {
    let mut fields = Fields {
        year: 0,
        month: 1,
        day: 1,
        year_day: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        is_afternoon: None,
        offset: None,
    };
    let parts = parts(layout);
    let mut rest = text;
    for (index, part) in parts.iter().enumerate() {
        rest = fields.take(*part, rest)?;
        let is_second = matches!(part, Part::ZeroSecond | Part::Second);
        // A fraction may follow seconds even where the layout has none.
        if is_second && !matches!(parts.get(index + 1), Some(Part::Fraction(..))) && starts_fraction(rest) {
            rest = fields.fraction(rest)?;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    fields.moment(zone)
}

fn starts_fraction(text: &str) -> bool {
    text.starts_with(['.', ',']) && text[1..].starts_with(|next: char| next.is_ascii_digit())
}

/// A number of at least `least` and at most `most` digits, and what is behind it.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

/// The place of the name that `text` starts with, in any case, and what is behind it.
fn name<'a>(text: &'a str, names: &[&str], length: Option<usize>) -> Option<(u32, &'a str)> {
    let place = names.iter().position(|name| {
        let name = &name[..length.unwrap_or(name.len())];
        text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    })?;
    Some((u32::try_from(place).ok()?, &text[length.unwrap_or(names[place].len())..]))
}

impl Fields {
    fn take<'a>(&mut self, part: Part<'_>, text: &'a str) -> Option<&'a str> {
        let rest;
        match part {
            Part::Text(expected) => rest = text.strip_prefix(expected)?,
            Part::LongYear => {
                let (year, after) = digits(text, 4, 4)?;
                (self.year, rest) = (i32::try_from(year).ok()?, after);
            }
            Part::Year => {
                let (year, after) = digits(text, 2, 2)?;
                (self.year, rest) = (i32::try_from(year).ok()? + if year >= 69 { 1900 } else { 2000 }, after);
            }
            Part::LongMonth | Part::Month => {
                let (month, after) = name(text, &MONTHS, (part == Part::Month).then_some(3))?;
                (self.month, rest) = (month + 1, after);
            }
            Part::LongDay => rest = name(text, &DAYS, None)?.1,
            Part::WeekDay => rest = name(text, &DAYS, Some(3))?.1,
            Part::ZeroMonth => (self.month, rest) = digits(text, 2, 2)?,
            Part::NumMonth => (self.month, rest) = digits(text, 1, 2)?,
            Part::ZeroDay => (self.day, rest) = digits(text, 2, 2)?,
            Part::UnderDay => (self.day, rest) = digits(text.strip_prefix(' ').unwrap_or(text), 1, 2)?,
            Part::Day => (self.day, rest) = digits(text, 1, 2)?,
            Part::ZeroYearDay | Part::UnderYearDay => {
                let (day, after) = digits(text.trim_start_matches(' '), 1, 3)?;
                (self.year_day, rest) = (Some(day), after);
            }
            Part::Hour => (self.hour, rest) = digits(text, 1, 2)?,
            Part::ZeroHour12 => (self.hour, rest) = digits(text, 2, 2)?,
            Part::Hour12 => (self.hour, rest) = digits(text, 1, 2)?,
            Part::ZeroMinute => (self.minute, rest) = digits(text, 2, 2)?,
            Part::Minute => (self.minute, rest) = digits(text, 1, 2)?,
            Part::ZeroSecond => (self.second, rest) = digits(text, 2, 2)?,
            Part::Second => (self.second, rest) = digits(text, 1, 2)?,
            Part::Noon | Part::LowerNoon => {
                let half = text.get(..2)?;
                self.is_afternoon = Some(if half.eq_ignore_ascii_case("pm") {
                    true
                } else if half.eq_ignore_ascii_case("am") {
                    false
                } else {
                    return None;
                });
                rest = &text[2..];
            }
            Part::ZoneName => rest = self.zone_name(text)?,
            Part::Offset(z_is_utc, colons, pairs) => rest = self.take_offset(text, z_is_utc, colons, pairs)?,
            Part::Fraction(_, _, true) if !starts_fraction(text) => rest = text,
            Part::Fraction(..) => rest = self.fraction(text)?,
        }
        Some(rest)
    }

    fn fraction<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if !starts_fraction(text) {
            return None;
        }
        let count = text[1..].bytes().take_while(u8::is_ascii_digit).count();
        let digits = &text[1..=count];
        self.nanos = format!("{:0<9}", &digits[..count.min(9)]).parse().ok()?;
        Some(&text[1 + count..])
    }

    /// Three or four capital letters. Only UTC says what the offset is.
    fn zone_name<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let length = text.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        if &text[..length] == "UTC" || &text[..length] == "GMT" {
            self.offset = Some(0);
        }
        Some(&text[length..])
    }

    fn take_offset<'a>(&mut self, text: &'a str, z_is_utc: bool, colons: bool, pairs: u8) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix('Z').filter(|_| z_is_utc) {
            self.offset = Some(0);
            return Some(rest);
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let mut rest = text.strip_prefix(['+', '-'])?;
        let mut seconds = 0;
        for (pair, scale) in (0..pairs).zip([3_600, 60, 1]) {
            rest = if pair > 0 && colons { rest.strip_prefix(':')? } else { rest };
            let (value, after) = digits(rest, 2, 2)?;
            seconds += i32::try_from(value).ok()? * scale;
            rest = after;
        }
        self.offset = Some(sign * seconds);
        Some(rest)
    }

    fn moment(self, zone: Zone) -> Option<Moment> {
        let hour = match self.is_afternoon {
            Some(_) if self.hour > 12 => return None,
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.year_day {
            Some(day) => NaiveDate::from_yo_opt(self.year, day)?,
            None => NaiveDate::from_ymd_opt(self.year, self.month, self.day)?,
        };
        let time = NaiveTime::from_hms_nano_opt(hour, self.minute, self.second, self.nanos)?;
        let zone = match self.offset {
            Some(0) => Zone::UTC,
            Some(offset) => Zone::Fixed(offset),
            None => zone,
        };
        Some(Moment::at_wall(date.and_time(time), zone))
    }
}
