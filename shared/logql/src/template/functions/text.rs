//! Functions on texts.

use regex::NoExpand;

use super::super::value::Value;
use super::{Function, fixed, text, whole};

/// Bytes that one function may make.
const MAX_TEXT: usize = 1 << 20;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("lower", 1, |_, v| Ok(Value::owned(text(v, 0)?.to_lowercase()))),
    fixed("upper", 1, |_, v| Ok(Value::owned(text(v, 0)?.to_uppercase()))),
    fixed("title", 1, |_, v| Ok(Value::owned(title(text(v, 0)?)))),
    fixed("trunc", 2, |_, v| Ok(Value::owned(trunc(whole(v, 0)?, text(v, 1)?)))),
    fixed("substr", 3, |_, v| Ok(Value::owned(substr(whole(v, 0)?, whole(v, 1)?, text(v, 2)?)))),
    fixed("contains", 2, |_, v| Ok(Value::Bool(text(v, 1)?.contains(text(v, 0)?)))),
    fixed("hasPrefix", 2, |_, v| Ok(Value::Bool(text(v, 1)?.starts_with(text(v, 0)?)))),
    fixed("hasSuffix", 2, |_, v| Ok(Value::Bool(text(v, 1)?.ends_with(text(v, 0)?)))),
    fixed("indent", 2, |_, v| indent(whole(v, 0)?, text(v, 1)?).map(Value::owned)),
    fixed("nindent", 2, |_, v| indent(whole(v, 0)?, text(v, 1)?).map(|text| Value::owned(format!("\n{text}")))),
    fixed("replace", 3, |_, v| replace(text(v, 2)?, text(v, 0)?, text(v, 1)?, -1).map(Value::owned)),
    fixed("Replace", 4, |_, v| replace(text(v, 0)?, text(v, 1)?, text(v, 2)?, whole(v, 3)?).map(Value::owned)),
    fixed("repeat", 2, |_, v| {
        let (count, text) = (usize::try_from(whole(v, 0)?).unwrap_or(0), text(v, 1)?);
        bounded(count.saturating_mul(text.len()))?;
        Ok(Value::owned(text.repeat(count)))
    }),
    fixed("trim", 1, |_, v| Ok(Value::text(text(v, 0)?.trim()))),
    fixed("TrimSpace", 1, |_, v| Ok(Value::text(text(v, 0)?.trim()))),
    fixed("trimAll", 2, |_, v| Ok(Value::text(trim(text(v, 1)?, text(v, 0)?, true, true)))),
    fixed("Trim", 2, |_, v| Ok(Value::text(trim(text(v, 0)?, text(v, 1)?, true, true)))),
    fixed("TrimLeft", 2, |_, v| Ok(Value::text(trim(text(v, 0)?, text(v, 1)?, true, false)))),
    fixed("TrimRight", 2, |_, v| Ok(Value::text(trim(text(v, 0)?, text(v, 1)?, false, true)))),
    fixed("trimPrefix", 2, |_, v| Ok(Value::text(strip(text(v, 1)?, text(v, 0)?, true)))),
    fixed("trimSuffix", 2, |_, v| Ok(Value::text(strip(text(v, 1)?, text(v, 0)?, false)))),
    fixed("TrimPrefix", 2, |_, v| Ok(Value::text(strip(text(v, 0)?, text(v, 1)?, true)))),
    fixed("TrimSuffix", 2, |_, v| Ok(Value::text(strip(text(v, 0)?, text(v, 1)?, false)))),
    fixed("ToLower", 1, |_, v| Ok(Value::owned(text(v, 0)?.to_lowercase()))),
    fixed("ToUpper", 1, |_, v| Ok(Value::owned(text(v, 0)?.to_uppercase()))),
    fixed("alignLeft", 2, |_, v| align(whole(v, 0)?, text(v, 1)?, true).map(Value::owned)),
    fixed("alignRight", 2, |_, v| align(whole(v, 0)?, text(v, 1)?, false).map(Value::owned)),
    fixed("default", 2, |_, v| Ok(v.iter().rev().find(|value| !value.is_empty()).or(v.first()).cloned().unwrap_or(Value::Nil))),
    fixed("count", 2, |scope, v| {
        let found = scope.regexes.get(text(v, 0)?)?.find_iter(text(v, 1)?).count();
        Ok(Value::Int(i64::try_from(found).unwrap_or(i64::MAX)))
    }),
    fixed("regexReplaceAll", 3, |scope, v| {
        let (regex, text, by) = (scope.regexes.get(text(v, 0)?)?, text(v, 1)?, text(v, 2)?);
        made(regex.replace_all(text, by).into_owned())
    }),
    fixed("regexReplaceAllLiteral", 3, |scope, v| {
        let (regex, text, by) = (scope.regexes.get(text(v, 0)?)?, text(v, 1)?, text(v, 2)?);
        made(regex.replace_all(text, NoExpand(by)).into_owned())
    }),
];

fn bounded(bytes: usize) -> Result<(), String> {
    if bytes > MAX_TEXT { Err(format!("makes more than {MAX_TEXT} bytes")) } else { Ok(()) }
}

fn made(text: String) -> Result<Value, String> {
    bounded(text.len())?;
    Ok(Value::owned(text))
}

/// The first letter of each word as a capital.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let starts = !(before.is_alphanumeric() || matches!(before, '_' | '\''));
        if starts {
            out.extend(char.to_uppercase())
        } else {
            out.push(char)
        }
        before = char;
    }
    out
}

/// The first characters, or with a negative number the last ones.
fn trunc(count: i64, text: &str) -> String {
    let length = text.chars().count();
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if wanted >= length {
        return text.to_owned();
    }
    if count < 0 { text.chars().skip(length - wanted).collect() } else { text.chars().take(wanted).collect() }
}

/// Characters from `start` to before `end`; a negative start is the first one, a negative end the last one.
fn substr(start: i64, end: i64, text: &str) -> String {
    let length = text.chars().count();
    let from = usize::try_from(start).unwrap_or(0);
    let to = usize::try_from(end).map_or(if start < 0 { 0 } else { length }, |end| end.min(length));
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

fn indent(count: i64, text: &str) -> Result<String, String> {
    let count = usize::try_from(count).map_err(|_| "negative Repeat count".to_owned())?;
    bounded(count.saturating_mul(text.matches('\n').count() + 1))?;
    let blanks = " ".repeat(count);
    Ok(format!("{blanks}{}", text.replace('\n', &format!("\n{blanks}"))))
}

fn replace(text: &str, old: &str, new: &str, count: i64) -> Result<String, String> {
    bounded(text.matches(old).count().saturating_mul(new.len()))?;
    Ok(match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}

fn trim<'a>(text: &'a str, set: &str, left: bool, right: bool) -> &'a str {
    let text = if left { text.trim_start_matches(|c| set.contains(c)) } else { text };
    if right { text.trim_end_matches(|c| set.contains(c)) } else { text }
}

fn strip<'a>(text: &'a str, part: &str, at_start: bool) -> &'a str {
    let stripped = if at_start { text.strip_prefix(part) } else { text.strip_suffix(part) };
    stripped.unwrap_or(text)
}

/// Exactly so many characters: filled with blanks, or cut on the side that isn't aligned.
fn align(count: i64, text: &str, left: bool) -> Result<String, String> {
    let Ok(count) = usize::try_from(count) else { return Ok(text.to_owned()) };
    bounded(count)?;
    let length = text.chars().count();
    let blanks = " ".repeat(count.saturating_sub(length));
    Ok(match left {
        true => text.chars().take(count).chain(blanks.chars()).collect(),
        false => blanks.chars().chain(text.chars().skip(length.saturating_sub(count))).collect(),
    })
}
