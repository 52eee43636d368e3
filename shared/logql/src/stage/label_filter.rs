use icegate_syntax::{bytes, duration, number};

use super::MatcherTest;
use super::ip::IpRange;
use crate::LogqlError;
use crate::ast::{Comparison, LabelFilter};
use crate::rows::{RowLabels, is_error_label};

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
            LabelFilter::Text(matcher) => MatcherTest::new(matcher).map(Self::Text),
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
                let fits = test.fits(labels.get(&test.name).unwrap_or_default());
                labels.error_is_kept |= fits && is_error_label(&test.name);
                fits
            }
            Self::And(left, right) => left.keeps(labels) && right.keeps(labels),
            Self::Or(left, right) => left.keeps(labels) || right.keeps(labels),
            // A line that already failed is beyond comparing.
            Self::Value { .. } | Self::Ip { .. } if labels.error.is_some() => true,
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
            Self::Duration(_) => format!("time: invalid duration {text:?}"),
            Self::Bytes(_) => {
                let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')).trim();
                format!("unhandled size name: {}", unit.to_lowercase())
            }
        }
    }
}
