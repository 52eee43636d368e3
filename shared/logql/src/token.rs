use icegate_syntax::{bytes, duration};

/// One word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name.
    Name(String),
    /// A quoted text.
    Text(String),
    /// A number without a sign.
    Number(f64),
    /// `5m`
    Duration(i64),
    /// `10KB`
    Bytes(u64),
    /// `[5m]`
    Range(i64),
    /// `--strict`, `--keep-empty`
    Flag(&'static str),
    /// A reserved word, in lower case.
    Keyword(&'static str),
    /// A function's name before `(`, in lower case.
    Function(&'static str),
    /// Operators and brackets.
    Symbol(&'static str),
    /// Behind the last word.
    End,
}

/// Never names of labels.
pub(crate) const KEYWORDS: [&str; 22] = [
    "by",
    "without",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "or",
    "and",
    "unless",
    "json",
    "regexp",
    "logfmt",
    "unpack",
    "pattern",
    "label_format",
    "line_format",
    "decolorize",
    "drop",
    "keep",
    "unwrap",
];

/// Names of functions where `(` or a grouping follows, names of labels elsewhere.
pub(crate) const FUNCTIONS: [&str; 33] = [
    "rate",
    "rate_counter",
    "count_over_time",
    "bytes_rate",
    "bytes_over_time",
    "absent_over_time",
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "quantile_over_time",
    "first_over_time",
    "last_over_time",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "approx_topk",
    "sort",
    "sort_desc",
    "label_replace",
    "vector",
    "ip",
    "bytes",
    "duration",
    "duration_seconds",
];

/// Longest first, so that the first that fits is the right one.
pub(crate) const SYMBOLS: [&str; 27] = [
    "|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", "<=", ">=", "=", "<", ">", "|", "{", "}", "(", ")", ",", "+", "-", "*", "/",
    "%", "^", "]", "[",
];

pub(crate) const FLAGS: [&str; 2] = ["--strict", "--keep-empty"];

impl Token {
    /// How an error names it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Name(name) => format!("identifier {name}"),
            Self::Text(_) => "string".to_owned(),
            Self::Number(_) => "number".to_owned(),
            Self::Duration(nanos) => format!("duration {}", duration::print(*nanos)),
            Self::Bytes(size) => format!("size {}", bytes::print(*size)),
            Self::Range(nanos) => format!("range [{}]", duration::print(*nanos)),
            Self::Flag(word) | Self::Keyword(word) | Self::Function(word) | Self::Symbol(word) => (*word).to_owned(),
            Self::End => "end of query".to_owned(),
        }
    }
}
