use std::fmt::Write as _;

use chrono::{Datelike, Timelike};

use super::Wall;

pub(super) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What a part of a layout stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    LongYear,
    Year,
    LongMonth,
    Month,
    ZeroMonth,
    NumMonth,
    LongDay,
    WeekDay,
    ZeroDay,
    UnderDay,
    Day,
    ZeroYearDay,
    UnderYearDay,
    Hour,
    ZeroHour12,
    Hour12,
    ZeroMinute,
    Minute,
    ZeroSecond,
    Second,
    Noon,
    LowerNoon,
    ZoneName,
    /// Whether UTC is `Z`, whether colons separate, and how many pairs of digits there are.
    Offset(bool, bool, u8),
    /// Mark, digits, and whether zeros at the end fall out.
    Fraction(char, usize, bool),
}

/// Longest first where one starts with another.
const PARTS: [(&str, Part<'static>); 34] = [
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongDay),
    ("Mon", Part::WeekDay),
    ("MST", Part::ZoneName),
    ("2006", Part::LongYear),
    ("-07:00:00", Part::Offset(false, true, 3)),
    ("-07:00", Part::Offset(false, true, 2)),
    ("-070000", Part::Offset(false, false, 3)),
    ("-0700", Part::Offset(false, false, 2)),
    ("-07", Part::Offset(false, false, 1)),
    ("Z07:00:00", Part::Offset(true, true, 3)),
    ("Z07:00", Part::Offset(true, true, 2)),
    ("Z070000", Part::Offset(true, false, 3)),
    ("Z0700", Part::Offset(true, false, 2)),
    ("Z07", Part::Offset(true, false, 1)),
    ("002", Part::ZeroYearDay),
    ("__2", Part::UnderYearDay),
    ("_2006", Part::Text("_")),
    ("_2", Part::UnderDay),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("PM", Part::Noon),
    ("pm", Part::LowerNoon),
    ("1", Part::NumMonth),
    ("2", Part::Day),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
];

/// Splits a layout.
pub(super) fn parts(layout: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut text) = (layout, 0);
    while rest.len() > text {
        let here = &rest[text..];
        let found = fraction(here)
            .or_else(|| PARTS.iter().find(|(name, _)| here.starts_with(name)).map(|(name, part)| (*part, name.len())));
        match found {
            Some((part, length)) => {
                if text > 0 {
                    parts.push(Part::Text(&rest[..text]));
                }
                parts.push(part);
                // Of `_2006` only the mark is text.
                rest = &here[if part == Part::Text("_") { 1 } else { length }..];
                text = 0;
            }
            None => text += here.chars().next().map_or(1, char::len_utf8),
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// `.000` or `,999`, with no digit behind.
fn fraction(text: &str) -> Option<(Part<'static>, usize)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '.' | ','))?;
    let digit = text[1..].chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = text[1..].chars().take_while(|next| *next == digit).count();
    let ends = !text[1 + digits..].starts_with(|next: char| next.is_ascii_digit());
    ends.then_some((Part::Fraction(mark, digits, digit == '9'), 1 + digits))
}

pub(super) fn format(wall: &Wall, layout: &str) -> String {
    let mut out = String::new();
    for part in parts(layout) {
        // Writing to a string can't fail.
        _ = write_part(&mut out, wall, part);
    }
    out
}

fn write_part(out: &mut String, wall: &Wall, part: Part<'_>) -> std::fmt::Result {
    let at = &wall.at;
    let hour12 = || if at.hour().is_multiple_of(12) { 12 } else { at.hour() % 12 };
    match part {
        Part::Text(text) => out.write_str(text),
        Part::LongYear => write!(out, "{:04}", at.year()),
        Part::Year => write!(out, "{:02}", at.year().rem_euclid(100)),
        Part::LongMonth => out.write_str(MONTHS[at.month0() as usize % 12]),
        Part::Month => out.write_str(&MONTHS[at.month0() as usize % 12][..3]),
        Part::ZeroMonth => write!(out, "{:02}", at.month()),
        Part::NumMonth => write!(out, "{}", at.month()),
        Part::LongDay => out.write_str(DAYS[at.weekday().num_days_from_sunday() as usize % 7]),
        Part::WeekDay => out.write_str(&DAYS[at.weekday().num_days_from_sunday() as usize % 7][..3]),
        Part::ZeroDay => write!(out, "{:02}", at.day()),
        Part::UnderDay => write!(out, "{:2}", at.day()),
        Part::Day => write!(out, "{}", at.day()),
        Part::ZeroYearDay => write!(out, "{:03}", at.ordinal()),
        Part::UnderYearDay => write!(out, "{:3}", at.ordinal()),
        Part::Hour => write!(out, "{:02}", at.hour()),
        Part::ZeroHour12 => write!(out, "{:02}", hour12()),
        Part::Hour12 => write!(out, "{}", hour12()),
        Part::ZeroMinute => write!(out, "{:02}", at.minute()),
        Part::Minute => write!(out, "{}", at.minute()),
        Part::ZeroSecond => write!(out, "{:02}", at.second()),
        Part::Second => write!(out, "{}", at.second()),
        Part::Noon => out.write_str(if at.hour() < 12 { "AM" } else { "PM" }),
        Part::LowerNoon => out.write_str(if at.hour() < 12 { "am" } else { "pm" }),
        Part::ZoneName if wall.zone.starts_with(|c: char| c.is_alphabetic()) => out.write_str(&wall.zone),
        Part::ZoneName => offset(out, wall.offset, false, if wall.offset % 3_600 == 0 { 1 } else { 2 }),
        Part::Offset(true, _, _) if wall.offset == 0 => out.write_str("Z"),
        Part::Offset(_, colons, pairs) => offset(out, wall.offset, colons, pairs),
        Part::Fraction(mark, digits, trims) => {
            let nanos = format!("{:09}", at.nanosecond());
            let mut text = format!("{nanos:0<digits$}");
            text.truncate(digits);
            let text = if trims { text.trim_end_matches('0') } else { &text };
            if text.is_empty() { Ok(()) } else { write!(out, "{mark}{text}") }
        }
    }
}

fn offset(out: &mut String, seconds: i32, colons: bool, pairs: u8) -> std::fmt::Result {
    let total = seconds.unsigned_abs();
    write!(out, "{}{:02}", if seconds < 0 { '-' } else { '+' }, total / 3_600)?;
    let colon = if colons { ":" } else { "" };
    if pairs > 1 {
        write!(out, "{colon}{:02}", total / 60 % 60)?;
    }
    if pairs > 2 {
        write!(out, "{colon}{:02}", total % 60)?;
    }
    Ok(())
}
