use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use icegate_engine::{Engine, EngineError, is_out_of_memory, is_stale, kind_of};
use icegate_http::HttpError;
use icegate_logql::LogqlError;
use icegate_model::{ErrorKind, Timestamp};
use icegate_syntax::duration;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LokiError {
    /// A header or parameter that isn't allowed.
    #[error(transparent)]
    Request(#[from] HttpError),
    /// The query has no answer.
    #[error(transparent)]
    Query(#[from] LogqlError),
    /// The rows can't be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The range ends before it starts.
    #[error("end timestamp {} ns must not be before start timestamp {} ns", end.nanos(), start.nanos())]
    EndBeforeStart {
        /// The start, given or by default.
        start: Timestamp,
        /// The end, given or by default.
        end: Timestamp,
    },
    /// A form that is larger than the bound.
    #[error("the form is larger than {max} bytes, which are allowed")]
    FormTooLarge {
        /// The bound.
        max: usize,
    },
    /// A query for numbers where lines are needed.
    #[error("only log selector is supported")]
    LogsOnly,
    /// A part of Loki's API that isn't there.
    #[error("{path} isn't served, it is {reason}")]
    NotServed {
        /// The endpoint.
        path: &'static str,
        /// What it is for, and what there is instead.
        reason: &'static str,
    },
    /// More selectors than a `series` request may have.
    #[error("{given} selectors in match[], allowed are {max}")]
    TooManySelectors {
        /// How many there are.
        given: usize,
        /// How many there may be.
        max: usize,
    },
    /// A form that didn't arrive.
    #[error("can't read the form: {source}")]
    Form {
        /// Why.
        source: axum::Error,
    },
    /// An answer that is larger than the bound.
    #[error("the answer is larger than {max} bytes, which are allowed: lower the limit or aggregate more")]
    AnswerTooLarge {
        /// The bound.
        max: usize,
    },
    /// An answer that can't be written as JSON.
    #[error("can't write the answer: {source}")]
    Answer {
        /// Why.
        source: serde_json::Error,
    },
    /// As many queries run as may.
    #[error("too many queries at once: loki.max_concurrent_queries is {max}")]
    Busy {
        /// [`crate::LokiConfig::max_concurrent_queries`].
        max: usize,
    },
    /// The query took too long.
    #[error("the query took longer than loki.query_timeout_secs, which is {}s: narrow the time range or the selector", max.as_secs_f64())]
    Timeout {
        /// [`crate::LokiConfig::query_timeout`].
        max: Duration,
    },
    /// The query's task ended without an answer.
    #[error("the query failed by a defect of the server")]
    Panicked,
    /// As many queries of the tenant as may run.
    #[error("too many queries at once: loki.max_concurrent_queries_per_tenant is {max}")]
    BusyTenant {
        /// [`crate::LokiConfig::max_concurrent_queries_per_tenant`].
        max: usize,
    },
    /// All queries together need more memory than they may have.
    #[error(
        "running queries need more memory than engine.memory_size_mb, which is {}: ask for fewer lines or series, or a shorter range",
        *max >> 20
    )]
    Memory {
        /// The bound in bytes.
        max: usize,
    },
    /// A range that is longer than it may be.
    #[error(
        "the query time range exceeds the limit (query length: {}, max_query_length: {})",
        duration::print(*length), duration::print(*max)
    )]
    TooLong {
        /// How long it is, in nanoseconds.
        length: i64,
        /// [`crate::LokiConfig::max_query_length`], in nanoseconds.
        max: i64,
    },
    /// A window of a metric query that is longer than it may be.
    #[error(
        "the query range exceeds the limit (range: [{}], max_query_range: {})",
        duration::print(*range), duration::print(*max)
    )]
    RangeTooLong {
        /// How long it is, in nanoseconds.
        range: i64,
        /// [`crate::LokiConfig::max_query_range`], in nanoseconds.
        max: i64,
    },
    /// More bytes than a query may read.
    #[error(
        "the query would read too many bytes (query: {bytes}, max_query_bytes_read: {max}); consider a more specific time range"
    )]
    TooManyBytes {
        /// How many it would be.
        bytes: u64,
        /// [`crate::LokiConfig::max_query_bytes_read`].
        max: u64,
    },
    /// A tail over plain HTTP.
    #[error("tail is served over a WebSocket only: {message}")]
    NoWebSocket {
        /// What is missing.
        message: String,
    },
    /// As many tails of the tenant as may run.
    #[error("too many tails at once: loki.max_concurrent_tail_requests is {max}")]
    TooManyTails {
        /// [`crate::LokiConfig::max_concurrent_tail_requests`].
        max: usize,
    },
    /// A tail's client that doesn't keep up.
    #[error("the client reads too slowly: more than {max} lines were dropped")]
    SlowClient {
        /// The bound.
        max: usize,
    },
    /// A request to take logs in, where the host doesn't.
    #[error("this server answers queries only: send logs to one that takes them in (icegate run or icegate ingest run)")]
    TakesNoLogs,
    /// No endpoint has this path.
    #[error("404 page not found")]
    NoSuchPath,
}

/// What [`crate::observe`] needs to write an error another way.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: Arc<str>,
}

impl LokiError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Request(error) => error.kind(),
            Self::Query(error) if is_stale(error) => ErrorKind::Conflict,
            Self::Query(LogqlError::Read(error)) => of_rows(kind_of(error)),
            Self::Query(LogqlError::Open { kind, .. }) => of_rows(*kind),
            Self::Query(error) => error.kind(),
            Self::Engine(error) => of_rows(error.kind()),
            Self::EndBeforeStart { .. } | Self::Form { .. } | Self::LogsOnly | Self::NoWebSocket { .. } => ErrorKind::Invalid,
            Self::NotServed { .. } | Self::TakesNoLogs => ErrorKind::Unsupported,
            Self::Memory { .. }
            | Self::TooLong { .. }
            | Self::RangeTooLong { .. }
            | Self::TooManyBytes { .. }
            | Self::SlowClient { .. }
            | Self::TooManySelectors { .. }
            | Self::FormTooLarge { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Timeout { .. } => ErrorKind::LimitExceeded,
            Self::Busy { .. } | Self::BusyTenant { .. } | Self::TooManyTails { .. } => ErrorKind::Unavailable,
            Self::Answer { .. } | Self::Panicked => ErrorKind::Internal,
            Self::NoSuchPath => ErrorKind::NotFound,
        }
    }

    /// Names the bound where memory ran out: the operator that met it may not know it.
    pub(crate) fn named(self, engine: &Engine) -> Self {
        if is_out_of_memory(&self) { Self::Memory { max: engine.memory_bytes() } } else { self }
    }

    /// The HTTP status: by kind, but for the bounds that have their own.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::FormTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy { .. } | Self::BusyTenant { .. } | Self::TooManyTails { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => icegate_http::status(self.kind()),
        }
    }
}

/// What is missing below the API, a table that nobody has created yet, isn't what the client asked for.
const fn of_rows(kind: ErrorKind) -> ErrorKind {
    match kind {
        ErrorKind::NotFound => ErrorKind::Unavailable,
        kind => kind,
    }
}

impl IntoResponse for LokiError {
    fn into_response(self) -> Response {
        let failure = Failure { status: self.status(), message: Arc::from(self.to_string()) };
        let mut response = failure.status.into_response();
        response.extensions_mut().insert(failure);
        response
    }
}
