use icegate_model::ErrorKind;
use icegate_syntax::{Diagnostic, Position, Span};

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceqlError {
    /// The text isn't TraceQL.
    #[error("parse error at line {}, col {}: {}", position.line, position.column, diagnostic.message)]
    Syntax {
        /// What and where.
        diagnostic: Diagnostic,
        /// Where, for people.
        position: Position,
    },
    /// The text is TraceQL, but says something that can't be.
    #[error("{} (line {}, col {})", diagnostic.message, position.line, position.column)]
    Meaning {
        /// What and where.
        diagnostic: Diagnostic,
        /// Where, for people.
        position: Position,
    },
    /// The text is TraceQL, but nothing answers it.
    #[error("{} not yet supported", .0.message)]
    Unsupported(Diagnostic),
    /// The query's text is too long.
    #[error("query of {bytes} bytes is too long, allowed are {limit}")]
    QueryTooLong {
        /// How long it is.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A search was asked for numbers.
    #[error("not a metrics query")]
    NotMetrics,
    /// Nothing but one spanset filter is possible here.
    #[error("only one spanset filter {{ … }} is supported here, not {found}")]
    NotAFilter {
        /// What stands there instead.
        found: &'static str,
    },
    /// A quantile outside 0 to 1.
    #[error("compiling query: quantile must be between 0 and 1: {quantile}")]
    Quantile {
        /// As written.
        quantile: String,
    },
    /// More labels than metrics may be grouped by.
    #[error("compiling query: metrics group by {labels} values not yet supported")]
    TooManyGroups {
        /// How many there are.
        labels: usize,
        /// The bound.
        limit: usize,
    },
    /// The end isn't after the start, or the step isn't above zero.
    #[error("{0}")]
    InvalidRange(&'static str),
    /// More points than the bound.
    #[error("step of {step} ns is too small, the range has {points} points a series and allowed are {limit}")]
    TooManyPoints {
        /// Distance of points.
        step: i64,
        /// How many it would be.
        points: u64,
        /// The bound.
        limit: usize,
    },
    /// More series than the bound.
    #[error("query makes more than {limit} series; group by fewer or coarser attributes")]
    TooManySeries {
        /// The bound.
        limit: usize,
    },
    /// More numbers held at once than the bound.
    #[error("query holds more than {limit} points of all its series at once; group by fewer attributes or increase the step")]
    TooManyCells {
        /// The bound.
        limit: usize,
    },
    /// More pairs of events and links of one span than a filter on both looks at.
    #[error("a condition on events and links together looks at {pairs} pairs of a span, allowed are {limit}")]
    TooManyPairs {
        /// How many there are.
        pairs: usize,
        /// The bound.
        limit: usize,
    },
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A value that has to be true or false, and isn't.
    #[error("expression ({expression}) expected a boolean, but got {found}")]
    NotBoolean {
        /// As printed.
        expression: String,
        /// The type of the value.
        found: &'static str,
    },
    /// Spans came one by one, or without what their traces decide, to a query that looks at more.
    #[error("the query looks at whole traces and can't be answered from single spans alone")]
    NeedsTraces,
    /// Two states of metrics that don't belong together.
    #[error("partial metrics of different queries can't be merged")]
    Unmergeable,
}

impl TraceqlError {
    pub(crate) fn syntax(query: &str, message: impl Into<String>, span: Span) -> Self {
        Self::Syntax { diagnostic: Diagnostic::new(message, span), position: Position::of(query, span.start) }
    }

    pub(crate) fn meaning(query: &str, message: impl Into<String>, span: Span) -> Self {
        Self::Meaning { diagnostic: Diagnostic::new(message, span), position: Position::of(query, span.start) }
    }

    pub(crate) fn unsupported(construct: impl Into<String>, span: Span) -> Self {
        Self::Unsupported(Diagnostic::new(construct, span))
    }

    /// What the caller has to do.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooManySeries { .. } | Self::TooManyCells { .. } | Self::TooManyPairs { .. } => ErrorKind::LimitExceeded,
            Self::NeedsTraces | Self::Unmergeable => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    /// Whether the query is well formed and fails on what spans carry. Tempo answers these with status 500.
    #[must_use]
    pub const fn is_of_evaluation(&self) -> bool {
        matches!(self, Self::DivisionByZero | Self::NotBoolean { .. })
    }

    /// The part of the query that is concerned.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Syntax { diagnostic, .. } | Self::Meaning { diagnostic, .. } | Self::Unsupported(diagnostic) => {
                Some(diagnostic.span)
            }
            _ => None,
        }
    }

    /// The message with the query's line and carets below the part concerned, or the bare message.
    #[must_use]
    pub fn render(&self, query: &str) -> String {
        match self {
            Self::Syntax { diagnostic, .. } | Self::Meaning { diagnostic, .. } => diagnostic.render(query),
            Self::Unsupported(diagnostic) => Diagnostic::new(self.to_string(), diagnostic.span).render(query),
            _ => self.to_string(),
        }
    }
}
