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
    let translated = re2::translate(expression);
    let problem = |error: &regex::Error| format!("error parsing regexp: {}", reason(error, expression));
    build(&translated).map_err(|error| problem(&error))?;
    build(&format!("^(?s:{translated})$")).map_err(|error| problem(&error))
}

fn build(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).size_limit(MAX_COMPILED_BYTES).build()
}

/// The reason in the words of RE2 where it is a frequent one, else without the drawing that comes with it.
fn reason(error: &regex::Error, expression: &str) -> String {
    if let regex::Error::CompiledTooBig(limit) = error {
        return format!("expression needs more than {limit} bytes: `{expression}`");
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    let after = |bracket: char| expression.find(bracket).and_then(|at| expression.get(at..)).unwrap_or_default();
    match last {
        "unclosed group" => format!("missing closing ): `{expression}`"),
        "unopened group" => format!("unexpected ): `{expression}`"),
        "unclosed character class" => format!("missing closing ]: `{}`", after('[')),
        "repetition operator missing expression" => {
            let at = expression.find(['*', '+', '?']).unwrap_or_default();
            format!("missing argument to repetition operator: `{}`", expression.get(at..=at).unwrap_or_default())
        }
        other => format!("{other}: `{expression}`"),
    }
}
