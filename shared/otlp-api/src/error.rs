use std::time::Duration;

use http::StatusCode;
use icegate_http::HttpError;
use icegate_model::ErrorKind;
use icegate_otlp::OtlpError;
use icegate_wal::WalError;

/// Why a request was not taken in. Nothing of it is acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Whose request it is can't be told.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Another content type.
    #[error("unsupported content type {given:?}: allowed are {allowed}")]
    ContentType {
        /// What was given.
        given: String,
        /// What the endpoint takes.
        allowed: &'static str,
    },
    /// Another content encoding.
    #[error("unsupported content encoding {given:?}: {allowed}")]
    ContentEncoding {
        /// What was given.
        given: String,
        /// What the endpoint takes, in words.
        allowed: &'static str,
    },
    /// More bytes than allowed.
    #[error("body has more than {limit} bytes {state}: send smaller batches")]
    TooLarge {
        /// How many are allowed.
        limit: usize,
        /// `as sent` or `decompressed`.
        state: &'static str,
    },
    /// The client ended the body early, or the connection broke.
    #[error("can't read the body: {message}")]
    Body {
        /// Why.
        message: String,
    },
    /// The client sends its body too slowly.
    #[error("the body did not arrive within {} s", limit.as_secs())]
    TooSlow {
        /// How long it may take.
        limit: Duration,
    },
    /// Bytes that are no block of Snappy.
    #[error("body is not valid snappy: {message}")]
    Snappy {
        /// Why.
        message: String,
    },
    /// Bytes that the named encoding doesn't allow.
    #[error("body is not valid {encoding}: {source}")]
    Compression {
        /// The encoding.
        encoding: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// More requests at once than allowed.
    #[error("{limit} requests are being served, which is the most allowed at once")]
    TooManyRequests {
        /// How many are allowed.
        limit: usize,
    },
    /// Bytes that are no push of Loki.
    #[error("{message}")]
    Push {
        /// What is wrong, and where.
        message: String,
    },
    /// Parts of a request that were refused; the others are durable.
    #[error("{refused} {parts} were refused, all others are stored: {reasons}")]
    Refused {
        /// How many.
        refused: u64,
        /// Of what.
        parts: &'static str,
        /// Why, for the first few.
        reasons: String,
    },
    /// Bytes that are no OTLP.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// Rows that are not durable.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The task that decodes ended early.
    #[error("decoding ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl IngestError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Http(error) => error.kind(),
            Self::ContentType { .. } | Self::ContentEncoding { .. } | Self::Body { .. } | Self::Compression { .. } => {
                ErrorKind::Invalid
            }
            Self::Push { .. } | Self::Refused { .. } | Self::Snappy { .. } => ErrorKind::Invalid,
            Self::TooLarge { .. } => ErrorKind::LimitExceeded,
            Self::TooManyRequests { .. } | Self::TooSlow { .. } => ErrorKind::Unavailable,
            Self::Otlp(error) => error.kind(),
            Self::Wal(error) => error.kind(),
            Self::Task(_) => ErrorKind::Internal,
        }
    }

    /// The HTTP status: by kind, but where OTLP names a more exact one.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ContentType { .. } | Self::ContentEncoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Otlp(error) if error.kind() == ErrorKind::LimitExceeded => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            other => icegate_http::status(other.kind()),
        }
    }
}
