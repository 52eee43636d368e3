use icegate_syntax::Place;

use super::{LabelFilter, Matcher};

/// One step of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What it does.
    pub kind: StageKind,
    /// Where.
    pub place: Place,
}

/// What a stage does.
#[derive(Clone, Debug, PartialEq)]
pub enum StageKind {
    /// `|= "x"`
    Line(LineFilter),
    /// `| a = "b" or c > 5`
    Label(LabelFilter),
    /// `| json`; without extractions all fields
    Json(Vec<Extraction>),
    /// `| logfmt`; without extractions all fields
    Logfmt {
        /// `--strict`
        strict: bool,
        /// `--keep-empty`
        keep_empty: bool,
        /// Which fields.
        extractions: Vec<Extraction>,
    },
    /// `| regexp "(?P<a>…)"`
    Regexp(String),
    /// `| pattern "<a> …"`
    Pattern(String),
    /// `| unpack`
    Unpack,
    /// `| line_format "…"`
    LineFormat(String),
    /// `| label_format a=b, c="…"`
    LabelFormat(Vec<LabelFormat>),
    /// `| decolorize`
    Decolorize,
    /// `| drop a, b="c"`
    Drop(Vec<Named>),
    /// `| keep a, b="c"`
    Keep(Vec<Named>),
}

/// A test of the line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineFilter {
    /// How.
    pub op: LineOp,
    /// One of them has to be found; with a negative operator none may be. Never empty.
    pub terms: Vec<LineTerm>,
}

/// How a line filter tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOp {
    /// `|=`
    Contains,
    /// `!=`
    NotContains,
    /// `|~`
    Matches,
    /// `!~`
    NotMatches,
    /// `|>`
    Pattern,
    /// `!>`
    NotPattern,
}

impl LineOp {
    /// As written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Contains => "|=",
            Self::NotContains => "!=",
            Self::Matches => "|~",
            Self::NotMatches => "!~",
            Self::Pattern => "|>",
            Self::NotPattern => "!>",
        }
    }

    /// Whether it keeps the lines that aren't found.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        matches!(self, Self::NotContains | Self::NotMatches | Self::NotPattern)
    }
}

/// What a line filter looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum LineTerm {
    /// A text, regular expression or pattern.
    Text(String),
    /// An address in a range of addresses.
    Ip(String),
}

/// A label and where a parser finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// The label.
    pub label: String,
    /// The path in the line.
    pub path: String,
}

/// A label that `label_format` writes.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFormat {
    /// The label.
    pub label: String,
    /// From what.
    pub source: LabelSource,
}

/// What `label_format` writes.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelSource {
    /// Another label, which goes away.
    Rename(String),
    /// A template.
    Template(String),
}

/// What `drop` and `keep` take.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// The label.
    Label(String),
    /// The label where its value fits.
    Matching(Matcher),
}
