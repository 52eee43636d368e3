use icegate_syntax::duration;

use crate::Value;
use crate::ast::{Field, Scope};

/// One word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A bare word.
    Word(String),
    /// An attribute, or an intrinsic with its scope.
    Field(Field),
    /// Something of the parent span.
    Parent,
    /// A number without a sign, a duration or a text.
    Value(Value),
    /// Operators and brackets.
    Symbol(&'static str),
    /// Behind the last word.
    End,
}

/// Longest first, so that the first that fits is the right one.
pub(crate) const SYMBOLS: [&str; 35] = [
    "!>>", "!<<", "&>>", "&<<", "&&", "||", "&>", "&<", "&~", "!>", "!<", "!=", "!~", "=~", ">>", "<<", ">=", "<=", "{", "}",
    "(", ")", ",", "|", "=", "<", ">", "~", "!", "+", "-", "*", "/", "%", "^",
];

impl Token {
    /// How an error names it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Field(field) => field.to_string(),
            Self::Parent => "parent".to_owned(),
            Self::Value(Value::Text(_)) => "string".to_owned(),
            Self::Value(Value::Duration(nanos)) => format!("duration {}", duration::print_go(*nanos)),
            Self::Value(value) => format!("number {value}"),
            Self::Symbol(symbol) => (*symbol).to_owned(),
            Self::End => "end of query".to_owned(),
        }
    }
}

/// The scope of attributes that a word names.
pub(crate) fn scope(word: &str) -> Option<Scope> {
    Scope::ALL.into_iter().find(|scope| scope.name() == word)
}
