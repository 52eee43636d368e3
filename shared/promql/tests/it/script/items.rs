use std::sync::LazyLock;

use icegate_promql::{Histogram, STALE_BITS, Value, parse_selector};
use icegate_series::Labels;
use regex::Regex;

use super::histogram::histogram;

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[+-]?(?i:inf|nan|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)").unwrap());

/// A series line: its labels, whether it gives start times, and the rest.
pub(super) fn labels(line: &str) -> (Labels, bool, &str) {
    let mut end = line.find(|c: char| c == '{' || c.is_whitespace() || c == '@').unwrap_or(line.len());
    if line[end..].starts_with('{') {
        end += closing(&line[end..]);
    }
    let selector = parse_selector(&line[..end]).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    let pairs = selector.matchers.iter().map(|matcher| (matcher.name.as_str(), matcher.value.lossy()));
    let labels = Labels::from_pairs(pairs);
    match line[end..].strip_prefix("@st") {
        Some(rest) => (labels, true, rest.trim()),
        None => (labels, false, line[end..].trim()),
    }
}

/// The length of `{…}`, with quoted braces in it.
fn closing(text: &str) -> usize {
    let (mut quote, mut is_escaped) = (None, false);
    for (at, char) in text.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if char == '\\' => is_escaped = true,
            Some(open) if char == open => quote = None,
            Some(_) => {}
            None if char == '"' || char == '\'' => quote = Some(char),
            None if char == '}' => return at + 1,
            None => {}
        }
    }
    panic!("{text:?} is not closed")
}

/// Whether the hint of a histogram is written.
pub(super) type Item = Option<(Value, bool)>;

/// The values of a series line; `None` is a gap.
pub(super) fn items(text: &str) -> Vec<Item> {
    let mut rest = text.trim();
    let mut out = Vec::new();
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix('_') {
            let (count, after) = times(after);
            out.extend(std::iter::repeat_n(None, count.unwrap_or(1)));
            after
        } else if let Some(after) = rest.strip_prefix("stale") {
            let (count, after) = times(after);
            let stale = Some((Value::Float(f64::from_bits(STALE_BITS)), false));
            out.extend(std::iter::repeat_n(stale, count.map_or(1, |count| count + 1)));
            after
        } else if rest.starts_with("{{") {
            histograms(rest, &mut out)
        } else {
            numbers(rest, &mut out)
        };
        assert!(rest.is_empty() || rest.starts_with(char::is_whitespace), "{rest:?} of {text:?} can't be read");
        rest = rest.trim_start();
    }
    out
}

/// `x4`
pub(super) fn times(text: &str) -> (Option<usize>, &str) {
    let Some(after) = text.strip_prefix('x') else { return (None, text) };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    (Some(after[..end].parse().unwrap()), &after[end..])
}

fn number(text: &str) -> (f64, &str) {
    let found = NUMBER.find(text).unwrap_or_else(|| panic!("{text:?} is not a number"));
    (found.as_str().replace('_', "").parse().unwrap(), &text[found.end()..])
}

fn numbers<'a>(text: &'a str, out: &mut Vec<Item>) -> &'a str {
    let (mut value, rest) = number(text);
    let (step, rest) = if rest.starts_with(['+', '-']) { number(rest) } else { (0.0, rest) };
    let (count, rest) = times(rest);
    for _ in 0..=count.unwrap_or(0) {
        out.push(Some((Value::Float(value), false)));
        value += step;
    }
    rest
}

fn histograms<'a>(text: &'a str, out: &mut Vec<Item>) -> &'a str {
    let (first, is_hinted, rest) = described(text);
    let sign = rest.chars().next().filter(|sign| rest[1..].starts_with("{{") && "+-".contains(*sign));
    let (step, rest) = match sign {
        Some(_) => {
            let (step, _, rest) = described(&rest[1..]);
            (Some(step), rest)
        }
        None => (None, rest),
    };
    let (count, rest) = times(rest);
    let mut value = first;
    for index in 0..=count.unwrap_or(0) {
        if let Some(step) = step.as_ref().filter(|_| index > 0) {
            value = if sign == Some('+') { value.plus(step) } else { value.minus(step) }.unwrap();
        }
        out.push(Some((Value::Histogram(value.clone().into()), is_hinted)));
    }
    rest
}

fn described(text: &str) -> (Histogram, bool, &str) {
    let end = text.find("}}").unwrap_or_else(|| panic!("{text:?} is not closed"));
    let (histogram, is_hinted) = histogram(&text[2..end]);
    (histogram, is_hinted, &text[end + 2..])
}
