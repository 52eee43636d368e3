use icegate_syntax::Place;

/// `{a="b", …}`
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// All of them have to fit; none fits everything.
    pub matchers: Vec<Matcher>,
    /// Where.
    pub place: Place,
}

/// `a="b"`; a missing label has the value "".
#[derive(Clone, Debug, PartialEq)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// How to compare.
    pub op: MatchOp,
    /// A text or a regular expression.
    pub value: String,
    /// Where.
    pub place: Place,
}

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, the whole value
    Regex,
    /// `!~`, not the whole value
    NotRegex,
}

impl MatchOp {
    /// As written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }

    /// Whether the value is a regular expression.
    #[must_use]
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// Whether it fits what its value doesn't.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotRegex)
    }
}
