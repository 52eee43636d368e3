use std::fmt;

use icegate_syntax::re2;
use regex::{Regex, RegexBuilder};

use crate::text::Text;

/// Bytes that one compiled expression may take.
const MAX_COMPILED_BYTES: usize = 4 << 20;

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

impl MatchOp {
    /// As written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}

/// A condition on a label; a missing label is the empty one.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// How it is compared.
    pub op: MatchOp,
    /// With what.
    pub value: Text,
    regex: Option<Regex>,
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Matcher {
    /// A condition.
    ///
    /// # Errors
    /// What is wrong with a regular expression.
    pub fn new(name: impl Into<String>, op: MatchOp, value: Text) -> Result<Self, String> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Matches | MatchOp::MatchesNot => Some(whole(&value.lossy())?),
        };
        Ok(Self { name: name.into(), op, value, regex })
    }

    /// The condition that a label has this value.
    #[must_use]
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), op: MatchOp::Equal, value: Text::from(value), regex: None }
    }

    /// Whether a value fits; an empty one is that of a missing label.
    #[must_use]
    pub fn fits(&self, value: &str) -> bool {
        let found = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => self.value.as_str() == Some(value),
        };
        found == matches!(self.op, MatchOp::Equal | MatchOp::Matches)
    }
}

/// As written in a selector.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", crate::print::label_name(&self.name), self.op.name(), self.value)
    }
}

/// An expression that fits whole values, line ends included.
pub(crate) fn whole(expression: &str) -> Result<Regex, String> {
    // Alone first: what is unbalanced must not be repaired by the brackets around it.
    if let Some(repeat) = excessive_repeat(expression) {
        return Err(format!("error parsing regexp: invalid repeat count: `{repeat}`"));
    }
    let translated = re2::translate(expression);
    let problem = |error: &regex::Error| format!("error parsing regexp: {}", reason(error, expression));
    build(&translated).map_err(|error| problem(&error))?;
    build(&format!("^(?s:{translated})$")).map_err(|error| problem(&error))
}

fn build(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).size_limit(MAX_COMPILED_BYTES).build()
}

/// How often RE2 repeats something at most.
const MAX_REPEAT: u32 = 1_000;

/// The count of a repetition that RE2 refuses.
fn excessive_repeat(expression: &str) -> Option<&str> {
    let mut rest = expression;
    while let Some(open) = rest.find('{') {
        let is_escaped = rest[..open].ends_with('\\');
        let length = rest[open..].find('}')? + 1;
        let repeat = &rest[open..open + length];
        let mut counts = repeat[1..length - 1].split(',').filter_map(|count| count.parse::<u32>().ok());
        if !is_escaped && counts.any(|count| count > MAX_REPEAT) {
            return Some(repeat);
        }
        rest = &rest[open + 1..];
    }
    None
}

/// The reason in the words of RE2 where it is a frequent one, else without the drawing that comes with it.
fn reason(error: &regex::Error, expression: &str) -> String {
    if let regex::Error::CompiledTooBig(limit) = error {
        return format!("expression needs more than {limit} bytes: `{expression}`");
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    let from = |part: &str| expression.find(part).and_then(|at| expression.get(at..)).unwrap_or_default();
    let start = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    match last {
        "unclosed group" => format!("missing closing ): `{expression}`"),
        "unopened group" => format!("unexpected ): `{expression}`"),
        "unclosed character class" => format!("missing closing ]: `{}`", from("[")),
        "repetition operator missing expression" => {
            let at = expression.find(['*', '+', '?']).unwrap_or_default();
            format!("missing argument to repetition operator: `{}`", expression.get(at..=at).unwrap_or_default())
        }
        _ if last.starts_with("look-around") => format!("invalid or unsupported Perl syntax: `{}`", start(from("(?"), 3)),
        _ if last.starts_with("unrecognized escape") || last.starts_with("backreferences") => {
            format!("invalid escape sequence: `{}`", start(from("\\"), 2))
        }
        other => format!("{other}: `{expression}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str) -> Result<Matcher, String> {
        Matcher::new("a", MatchOp::Matches, Text::from(pattern))
    }

    #[test]
    fn expressions_fit_whole_values_and_line_ends() {
        let matcher = matches("a.*|b").unwrap();
        assert!(matcher.fits("a\nx") && matcher.fits("b"));
        assert!(!matcher.fits("xb") && !matcher.fits(""));
        assert!(Matcher::new("a", MatchOp::MatchesNot, Text::from("a")).unwrap().fits(""));
        assert!(Matcher::equal("a", "x").fits("x"));
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_told_in_the_words_of_re2() {
        for (pattern, reason) in [
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("x[a", "missing closing ]: `[a`"),
            ("*", "missing argument to repetition operator: `*`"),
            ("a(?=b)", "invalid or unsupported Perl syntax: `(?=`"),
            ("a\\1", "invalid escape sequence: `\\1`"),
            ("a{2000}", "invalid repeat count: `{2000}`"),
        ] {
            assert_eq!(matches(pattern).unwrap_err(), format!("error parsing regexp: {reason}"));
        }
        assert!(matches("a\\{2000}").is_ok() && matches("a{1000}").is_ok());
    }
}
