use std::borrow::Cow;

use icegate_syntax::Span;

use crate::text::quote;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The end of the query.
    End,
    Name,
    /// A name with a colon.
    MetricName,
    Number,
    Duration,
    /// A string literal.
    Text,
    /// A word with a meaning, in lower case.
    Keyword(&'static str),
    /// The name of an aggregation, in lower case.
    Aggregation(&'static str),
    /// An operation that isn't a word.
    Operator(&'static str),
    /// A word that is an operation, in lower case.
    WordOperator(&'static str),
    /// Brackets, commas and the like.
    Symbol(&'static str),
}

/// A part of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    /// As written.
    pub text: &'a str,
    pub span: Span,
}

pub(crate) const AGGREGATIONS: [&str; 14] = [
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
];

const WORD_OPERATORS: [&str; 4] = ["and", "or", "unless", "atan2"];

const KEYWORDS: [&str; 17] = [
    "offset",
    "smoothed",
    "anchored",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "fill",
    "fill_left",
    "fill_right",
    "bool",
    "start",
    "end",
    "step",
    "range",
];

/// What a word is, regardless of its case.
pub(crate) fn word(text: &str) -> Kind {
    let lower = text.to_ascii_lowercase();
    let find = |words: &[&'static str]| words.iter().find(|word| **word == lower).copied();
    if let Some(word) = find(&AGGREGATIONS) {
        Kind::Aggregation(word)
    } else if let Some(word) = find(&WORD_OPERATORS) {
        Kind::WordOperator(word)
    } else if let Some(word) = find(&KEYWORDS) {
        Kind::Keyword(word)
    } else if lower == "inf" || lower == "nan" {
        Kind::Number
    } else if text.contains(':') {
        Kind::MetricName
    } else {
        Kind::Name
    }
}

impl Token<'_> {
    /// Whether it is this symbol.
    pub(crate) fn is(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Symbol(own) if own == symbol)
    }

    pub(crate) fn is_operator(&self, operator: &str) -> bool {
        matches!(self.kind, Kind::Operator(own) if own == operator)
    }

    pub(crate) fn is_keyword(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Keyword(own) if own == word)
    }

    /// As an error names it.
    pub(crate) fn description(&self) -> Cow<'static, str> {
        let shown = if self.text.chars().count() > 10 {
            format!("{}...", quote(&self.text.chars().take(10).collect::<String>()))
        } else {
            quote(self.text)
        };
        match self.kind {
            Kind::End => "end of input".into(),
            Kind::Name => format!("identifier {}", quote(self.text)).into(),
            Kind::MetricName => format!("metric identifier {}", quote(self.text)).into(),
            Kind::Number => format!("number {shown}").into(),
            Kind::Duration => format!("duration {shown}").into(),
            Kind::Text => format!("string {shown}").into(),
            Kind::Keyword(_) => format!("<{}>", self.text).into(),
            Kind::Aggregation(_) => format!("<aggr:{}>", self.text).into(),
            Kind::Operator(_) | Kind::WordOperator(_) => format!("<op:{}>", self.text).into(),
            Kind::Symbol(_) => shown.into(),
        }
    }
}
