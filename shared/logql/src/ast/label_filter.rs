use icegate_syntax::Place;

use super::Matcher;

/// A condition on labels in a pipeline. A comparison drops lines without the label and keeps, with `__error__`, lines whose value
/// can't be read.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelFilter {
    /// Compares text; a missing label has the value "".
    Text(Matcher),
    /// Compares numbers.
    Number {
        /// The label.
        name: String,
        /// How.
        op: Comparison,
        /// With what.
        value: f64,
        /// Where.
        place: Place,
    },
    /// Compares durations.
    Duration {
        /// The label.
        name: String,
        /// How.
        op: Comparison,
        /// With how many nanoseconds.
        nanos: i64,
        /// Where.
        place: Place,
    },
    /// Compares sizes.
    Bytes {
        /// The label.
        name: String,
        /// How.
        op: Comparison,
        /// With how many bytes.
        size: u64,
        /// Where.
        place: Place,
    },
    /// Compares an address with a range of addresses.
    Ip {
        /// The label.
        name: String,
        /// `!=`
        negated: bool,
        /// Address, CIDR or a-b range.
        pattern: String,
        /// Where.
        place: Place,
    },
    /// Both; also written with a comma or nothing between.
    And(Box<LabelFilter>, Box<LabelFilter>),
    /// One of them.
    Or(Box<LabelFilter>, Box<LabelFilter>),
}

/// How values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==` or `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Comparison {
    /// As written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// Whether `left` and `right` compare so.
    #[must_use]
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}
