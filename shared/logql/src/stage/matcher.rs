use regex::Regex;

use crate::ast::Matcher;
use crate::{LogqlError, pattern};

/// A matcher ready to run.
#[derive(Clone, Debug)]
pub(crate) struct MatcherTest {
    pub(crate) name: String,
    negative: bool,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Regex(Regex),
}

impl MatcherTest {
    pub(crate) fn new(matcher: &Matcher) -> Result<Self, LogqlError> {
        let value = if matcher.op.is_regex() {
            Value::Regex(pattern::whole(&matcher.value, matcher.place.0)?)
        } else {
            Value::Text(matcher.value.clone())
        };
        Ok(Self { name: matcher.name.clone(), negative: matcher.op.is_negative(), value })
    }

    /// Whether a value fits; a missing label has the value "".
    pub(crate) fn fits(&self, value: &str) -> bool {
        let found = match &self.value {
            Value::Text(text) => text == value,
            Value::Regex(regex) => regex.is_match(value),
        };
        found != self.negative
    }
}
