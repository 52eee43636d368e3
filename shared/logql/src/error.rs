use icegate_model::ErrorKind;
use icegate_syntax::{Diagnostic, Position, Span};

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LogqlError {
    /// The text isn't LogQL.
    #[error("parse error at line {}, col {}: {}", position.line, position.column, diagnostic.message)]
    Syntax {
        /// What and where.
        diagnostic: Diagnostic,
        /// Where, for people.
        position: Position,
    },
    /// The text is LogQL, but says something that can't be.
    #[error("parse error : {}", .0.message)]
    Meaning(Diagnostic),
    /// The query's text is too long.
    #[error("query of {bytes} bytes is too long, allowed are {limit}")]
    QueryTooLong {
        /// How long it is.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A log query was asked for one point in time.
    #[error("log queries are not supported as an instant query type, please change your query to a range query type")]
    InstantLogQuery,
    /// An operation that has no series of points.
    #[error("{op} is only supported on instant queries")]
    InstantOnly {
        /// As written.
        op: &'static str,
    },
    /// Only a selector is possible here.
    #[error("only label matchers are supported, not {construct}")]
    NotASelector {
        /// What stands there instead.
        construct: &'static str,
    },
    /// The end lies before the start, or the step isn't above zero.
    #[error("invalid range: start {start} ns, end {end} ns, step {step} ns; allowed is start <= end and a step above 0")]
    InvalidRange {
        /// First point.
        start: i64,
        /// Last point.
        end: i64,
        /// Distance of points.
        step: i64,
    },
    /// More points than the bound.
    #[error(
        "exceeded maximum resolution of {limit} points per time series: the range has {points}, decrease it or increase the step"
    )]
    TooManyPoints {
        /// How many it would be.
        points: u64,
        /// The bound.
        limit: usize,
    },
    /// More series than the bound.
    #[error(
        "maximum number of series ({limit}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()"
    )]
    TooManySeries {
        /// The bound.
        limit: usize,
    },
    /// More series times points held at once than the bound.
    #[error("query holds more than {limit} points of all its series at once; aggregate over fewer labels or increase the step")]
    TooManyCells {
        /// The bound.
        limit: usize,
    },
    /// More lines asked for than the bound.
    #[error("max entries limit per query exceeded, limit > max_entries_limit_per_query ({asked} > {limit})")]
    TooManyEntries {
        /// How many were asked for.
        asked: usize,
        /// The bound.
        limit: usize,
    },
    /// No lines asked for.
    #[error("limit must be a positive value")]
    NoEntries,
    /// A sample carries an error of its pipeline.
    #[error(
        "pipeline error: '{error}' for series: '{series}'; use a label filter to skip this error (e.g. | __error__!=\"{error}\") or drop __error__"
    )]
    Pipeline {
        /// The value of `__error__`.
        error: String,
        /// The labels of the series.
        series: String,
    },
    /// Both sides of an operation have several series for one set of labels.
    #[error("{0}")]
    Matching(#[from] icegate_series::ManyMatches),
    /// The rows can't be opened.
    #[error("{source}")]
    Open {
        /// What the caller has to do.
        kind: ErrorKind,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column isn't what the schema says.
    #[error("column {column} of the rows is not what the table's schema says: {found}")]
    Column {
        /// Its name.
        column: &'static str,
        /// What it is instead.
        found: String,
    },
    /// Reading failed.
    #[error("reading rows failed: {0}")]
    Read(#[from] datafusion::error::DataFusionError),
}

impl LogqlError {
    /// Wraps what [`crate::OpenRows::open`] failed with.
    pub fn open(kind: ErrorKind, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Open { kind, source: Box::new(source) }
    }

    pub(crate) fn syntax(query: &str, message: impl Into<String>, span: Span) -> Self {
        Self::Syntax { diagnostic: Diagnostic::new(message, span), position: Position::of(query, span.start) }
    }

    pub(crate) fn meaning(message: impl Into<String>, span: Span) -> Self {
        Self::Meaning(Diagnostic::new(message, span))
    }

    /// What the caller has to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooManySeries { .. } | Self::TooManyPoints { .. } | Self::TooManyCells { .. } | Self::TooManyEntries { .. } => {
                ErrorKind::LimitExceeded
            }
            Self::Open { kind, .. } => *kind,
            Self::Column { .. } => ErrorKind::Corrupt,
            Self::Read(error) => read_kind(error),
            Self::Syntax { .. }
            | Self::Meaning(_)
            | Self::QueryTooLong { .. }
            | Self::InstantLogQuery
            | Self::InstantOnly { .. }
            | Self::NotASelector { .. }
            | Self::InvalidRange { .. }
            | Self::NoEntries
            | Self::Pipeline { .. }
            | Self::Matching(_) => ErrorKind::Invalid,
        }
    }

    /// The part of the query that is concerned.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Syntax { diagnostic, .. } | Self::Meaning(diagnostic) => Some(diagnostic.span),
            _ => None,
        }
    }

    /// The message with the query's line and carets below the part concerned, or the bare message.
    #[must_use]
    pub fn render(&self, query: &str) -> String {
        let message = match self {
            Self::Syntax { diagnostic, .. } | Self::Meaning(diagnostic) => diagnostic.message.clone(),
            _ => self.to_string(),
        };
        self.span().map_or_else(|| message.clone(), |span| Diagnostic::new(message.clone(), span).render(query))
    }
}

fn read_kind(error: &datafusion::error::DataFusionError) -> ErrorKind {
    use datafusion::error::DataFusionError;
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => ErrorKind::LimitExceeded,
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => ErrorKind::Unavailable,
        DataFusionError::ParquetError(_) => ErrorKind::Corrupt,
        DataFusionError::External(inner) => inner.downcast_ref::<LogqlError>().map_or(ErrorKind::Internal, LogqlError::kind),
        _ => ErrorKind::Internal,
    }
}
