use std::borrow::Cow;

use icegate_syntax::{bytes, duration, number};

use super::MatcherTest;
use super::ip::IpRange;
use crate::LogqlError;
use crate::ast::{Comparison, LabelFilter, Matcher};
use crate::rows::{ERROR_DETAILS, RowLabels, is_error_label};

/// What a label whose value can't be read leaves.
const UNREADABLE: &str = "LabelFilterErr";

/// A label filter ready to run.
#[derive(Clone, Debug)]
pub(crate) enum LabelTest {
    Text(MatcherTest),
    Value { name: String, op: Comparison, value: Value },
    Ip { name: String, negated: bool, range: IpRange },
    And(Box<LabelTest>, Box<LabelTest>),
    Or(Box<LabelTest>, Box<LabelTest>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Number(f64),
    Duration(i64),
    Bytes(u64),
}

impl LabelTest {
    pub(crate) fn new(filter: &LabelFilter) -> Result<Self, LogqlError> {
        let value = |name: &String, op: Comparison, value| Ok(Self::Value { name: name.clone(), op, value });
        match filter {
            LabelFilter::Text(matcher) => MatcherTest::new(&loosened(matcher)).map(Self::Text),
            LabelFilter::Number { name, op, value: number, .. } => value(name, *op, Value::Number(*number)),
            LabelFilter::Duration { name, op, nanos, .. } => value(name, *op, Value::Duration(*nanos)),
            LabelFilter::Bytes { name, op, size, .. } => value(name, *op, Value::Bytes(*size)),
            LabelFilter::And(left, right) => Ok(Self::And(Box::new(Self::new(left)?), Box::new(Self::new(right)?))),
            LabelFilter::Or(left, right) => Ok(Self::Or(Box::new(Self::new(left)?), Box::new(Self::new(right)?))),
            LabelFilter::Ip { name, negated, pattern, place } => {
                Ok(Self::Ip { name: name.clone(), negated: *negated, range: IpRange::new(pattern, place.0)? })
            }
        }
    }

    /// Whether the line stays.
    pub(crate) fn keeps(&self, labels: &mut RowLabels) -> bool {
        match self {
            Self::Text(test) => {
                // Nobody can ask for the details of an error here.
                let value = if test.name == ERROR_DETAILS { None } else { labels.get(&test.name) };
                test.fits(value.unwrap_or_default())
            }
            Self::And(left, right) => left.keeps(labels) && right.keeps(labels),
            Self::Or(left, right) => left.keeps(labels) || right.keeps(labels),
            // Errors have names, not values.
            Self::Value { name, .. } if is_error_label(name) => false,
            // A line that already failed is beyond looking for addresses.
            Self::Ip { .. } if labels.error.is_some() => true,
            Self::Ip { name, negated, range } => labels.get(name).is_some_and(|text| range.is_in(text) != *negated),
            Self::Value { name, op, value } => {
                let Some(text) = labels.get(name) else { return false };
                match value.compare(*op, text) {
                    Some(holds) => holds,
                    None => {
                        let details = value.complaint(text);
                        labels.set_error(UNREADABLE, || details);
                        true
                    }
                }
            }
        }
    }
}

/// A matcher as label filters mean it: an expression that is a text with `.*` at an end fits wherever the text stands, other than in
/// selectors. Clients count on it, so it is as it is.
pub(crate) fn loosened(matcher: &Matcher) -> Cow<'_, Matcher> {
    let text = matcher.value.strip_prefix(".*").unwrap_or(&matcher.value);
    let text = text.strip_suffix(".*").unwrap_or(text);
    let is_plain = !text.is_empty() && text.len() < matcher.value.len() && regex::escape(text) == text;
    if !matcher.op.is_regex() || !is_plain {
        return Cow::Borrowed(matcher);
    }
    Cow::Owned(Matcher { value: format!("(?s).*{text}.*"), ..matcher.clone() })
}

impl Value {
    /// `None` where the text can't be read.
    fn compare(self, op: Comparison, text: &str) -> Option<bool> {
        Some(match self {
            Self::Number(value) => op.holds(&number::lenient(text)?, &value),
            Self::Duration(nanos) => op.holds(&duration::go(text)?, &nanos),
            Self::Bytes(size) => op.holds(&bytes::lenient(text)?, &size),
        })
    }

    /// Why the text can't be read, as users know it.
    fn complaint(self, text: &str) -> String {
        match self {
            Self::Number(_) => format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"),
            Self::Duration(_) => duration::complaint(text),
            Self::Bytes(_) => {
                let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')).trim();
                format!("unhandled size name: {}", unit.to_lowercase())
            }
        }
    }
}
