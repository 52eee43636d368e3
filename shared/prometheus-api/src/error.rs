use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use icegate_http::HttpError;
use icegate_model::ErrorKind;
use icegate_promql::PromqlError;

use crate::respond;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    /// A parameter that can't be read, or asks for what isn't allowed.
    #[error("invalid parameter {name:?}: {reason}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// What is asked can't be.
    #[error("{0}")]
    BadData(String),
    /// The query isn't PromQL.
    #[error("invalid parameter \"query\": {0}")]
    Query(#[source] PromqlError),
    /// The query can't be evaluated.
    #[error(transparent)]
    Evaluation(#[from] PromqlError),
    /// The tenant or the parameters as a whole.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The form can't be read.
    #[error("can't read the form: {source}")]
    Form {
        /// Why.
        #[source]
        source: axum::Error,
    },
    /// The form is too long.
    #[error("the form has more than {max} bytes")]
    FormTooLarge {
        /// The bound.
        max: usize,
    },
    /// Too many queries at once.
    #[error("more than {max} queries at once (prometheus.max_concurrent_queries)")]
    Busy {
        /// The bound.
        max: usize,
    },
    /// The query takes too long.
    #[error("query timed out in expression evaluation after {}s", max.as_secs_f64())]
    Timeout {
        /// The bound.
        max: Duration,
    },
    /// The answer is too large.
    #[error("the answer has more than {max} bytes: ask for fewer series or steps")]
    AnswerTooLarge {
        /// The bound.
        max: usize,
    },
    /// The query ended without an answer.
    #[error("the query failed unexpectedly")]
    Panicked,
}

impl PrometheusError {
    pub(crate) fn parameter(name: &'static str, reason: impl Into<String>) -> Self {
        Self::Parameter { name, reason: reason.into() }
    }

    /// What the caller has to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Parameter { .. } | Self::BadData(_) | Self::Query(_) | Self::Form { .. } => ErrorKind::Invalid,
            Self::Evaluation(error) => error.kind(),
            Self::Http(error) => error.kind(),
            Self::FormTooLarge { .. } | Self::AnswerTooLarge { .. } => ErrorKind::LimitExceeded,
            Self::Busy { .. } | Self::Timeout { .. } => ErrorKind::Unavailable,
            Self::Panicked => ErrorKind::Internal,
        }
    }

    /// Status and `errorType`, as Prometheus has them.
    fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::FormTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "bad_data"),
            Self::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Self::Timeout { .. } => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Self::AnswerTooLarge { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "execution"),
            Self::Evaluation(
                PromqlError::TooManyPoints { .. } | PromqlError::RangeType { .. } | PromqlError::InvalidRange { .. },
            ) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Evaluation(PromqlError::Storage { kind, .. }) if *kind != ErrorKind::LimitExceeded => {
                let status = icegate_http::status(*kind);
                (status, icegate_http::error_type(status))
            }
            Self::Evaluation(PromqlError::Panicked | PromqlError::Thread(_)) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Evaluation(PromqlError::Canceled) => (StatusCode::SERVICE_UNAVAILABLE, "canceled"),
            Self::Evaluation(_) => (StatusCode::UNPROCESSABLE_ENTITY, "execution"),
            other => {
                let status = icegate_http::status(other.kind());
                (status, icegate_http::error_type(status))
            }
        }
    }
}

impl IntoResponse for PrometheusError {
    fn into_response(self) -> Response {
        let (status, kind) = self.answer();
        let message = match &self {
            Self::Evaluation(PromqlError::RangeType { .. }) => format!("invalid parameter \"query\": {self}"),
            _ => self.to_string(),
        };
        if status.is_server_error() {
            tracing::error!(status = status.as_u16(), error = &*message, "query failed");
        }
        respond::error(status, kind, &message)
    }
}
