use icegate_model::ErrorKind;
use icegate_syntax::{Diagnostic, Position, Span};

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PromqlError {
    /// The text isn't PromQL, or says something that can't be.
    #[error("{}parse error: {}", position_text(*position), diagnostic.message)]
    Parse {
        /// What and where.
        diagnostic: Diagnostic,
        /// Line and byte of the line; `None` where the query is empty.
        position: Option<(usize, usize)>,
    },
    /// The query's text is too long.
    #[error("query of {bytes} bytes is too long, allowed are {limit}")]
    QueryTooLong {
        /// How long it is.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// The query can't be evaluated on these series.
    #[error("{0}")]
    Evaluation(String),
    /// More samples held at once than the bound.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples {
        /// The bound.
        limit: usize,
    },
    /// More memory than the bound.
    #[error("query holds more than {limit} bytes of series, windows and results at once")]
    TooManyBytes {
        /// The bound.
        limit: usize,
    },
    /// More steps than the bound.
    #[error("exceeded maximum resolution of {limit} points per timeseries. Try decreasing the query resolution (?step=XX)")]
    TooManyPoints {
        /// The bound.
        limit: usize,
    },
    /// A type of expression that has no range of steps.
    #[error("invalid expression type {found:?} for range query, must be Scalar or instant Vector")]
    RangeType {
        /// What it is.
        found: &'static str,
    },
    /// The end lies before the start, or the step isn't above zero.
    #[error("invalid range: start {start} ms, end {end} ms, step {step} ms; allowed is start <= end and a step above 0")]
    InvalidRange {
        /// First step.
        start: i64,
        /// Last step.
        end: i64,
        /// Distance of steps.
        step: i64,
    },
    /// The query was stopped.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// A deeply nested query needs a thread of its own, and there is none.
    #[error("no thread for a deeply nested query: {0}")]
    Thread(#[source] std::io::Error),
    /// Evaluating panicked.
    #[error("evaluation failed unexpectedly")]
    Panicked,
    /// Reading series failed.
    #[error("{source}")]
    Storage {
        /// What the caller has to do.
        kind: ErrorKind,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn position_text(position: Option<(usize, usize)>) -> String {
    position.map_or_else(|| "unknown position: ".to_owned(), |(line, column)| format!("{line}:{column}: "))
}

impl PromqlError {
    /// Wraps what a storage failed with.
    pub fn storage(kind: ErrorKind, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Storage { kind, source: Box::new(source) }
    }

    pub(crate) fn parse(query: &str, diagnostic: Diagnostic) -> Self {
        let position = (!query.is_empty()).then(|| line_and_byte(query, diagnostic.span.start));
        Self::Parse { diagnostic, position }
    }

    pub(crate) fn evaluation(message: impl Into<String>) -> Self {
        Self::Evaluation(message.into())
    }

    /// What the caller has to do.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooManySamples { .. } | Self::TooManyBytes { .. } | Self::TooManyPoints { .. } => ErrorKind::LimitExceeded,
            Self::Storage { kind, .. } => *kind,
            Self::Canceled | Self::Thread(_) => ErrorKind::Unavailable,
            Self::Panicked => ErrorKind::Internal,
            Self::Parse { .. }
            | Self::QueryTooLong { .. }
            | Self::Evaluation(_)
            | Self::RangeType { .. }
            | Self::InvalidRange { .. } => ErrorKind::Invalid,
        }
    }

    /// The part of the query that is concerned.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Parse { diagnostic, .. } => Some(diagnostic.span),
            _ => None,
        }
    }

    /// The message with the query's line and carets below the part concerned, or the bare message.
    #[must_use]
    pub fn render(&self, query: &str) -> String {
        match self {
            Self::Parse { diagnostic, .. } => diagnostic.render(query),
            _ => self.to_string(),
        }
    }
}

/// Line and byte of the line, both from 1.
pub(crate) fn line_and_byte(query: &str, offset: usize) -> (usize, usize) {
    let before = query.get(..offset).unwrap_or(query);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (Position::of(query, offset).line, before.len() - line_start + 1)
}
