use icegate_auth::AuthError;
use icegate_model::ErrorKind;
use icegate_runtime::ConfigError;
use lambda_runtime::Diagnostic;

/// Why a function can't start, or can't take an event.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys or callers can't be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A variable of the function that can't be used.
    #[error("{variable}={value:?}: {allowed}")]
    Setting {
        /// Its name.
        variable: String,
        /// What was given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A place that doesn't outlive a function's environment.
    #[error("{key}: {url} is lost with the function's environment: allowed are s3:// and mounted file systems")]
    Fleeting {
        /// The key that names it.
        key: &'static str,
        /// Where it is.
        url: String,
    },
    /// A secret that a variable refers to can't be read.
    #[error("{variable}: {arn} can't be read: {message}")]
    Secret {
        /// The variable.
        variable: String,
        /// The secret's ARN.
        arn: String,
        /// Why.
        message: String,
    },
    /// Logs can't be written.
    #[error("can't start logging: {message}")]
    Log {
        /// Why.
        message: String,
    },
    /// The system doesn't let the function run.
    #[error("can't start: {source}")]
    System {
        /// Why.
        source: std::io::Error,
    },
    /// An event that isn't a request.
    #[error("the event is no request of an HTTP API, a REST API or a function URL: {missing} is missing")]
    NoRequest {
        /// What every request has.
        missing: &'static str,
    },
    /// A request whose body can't be decoded.
    #[error("the event's body is not base64, as it says: {source}")]
    Body {
        /// Why.
        source: base64::DecodeError,
    },
    /// The Runtime API ended the function.
    #[error("the runtime ended: {source}")]
    Runtime {
        /// Why.
        source: lambda_runtime::Error,
    },
}

impl HostError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Auth(error) => error.kind(),
            Self::Config(_) | Self::Setting { .. } | Self::Fleeting { .. } | Self::NoRequest { .. } | Self::Body { .. } => {
                ErrorKind::Invalid
            }
            Self::Secret { .. } | Self::Runtime { .. } => ErrorKind::Unavailable,
            Self::Log { .. } | Self::System { .. } => ErrorKind::Internal,
        }
    }
}

impl From<HostError> for Diagnostic {
    fn from(error: HostError) -> Self {
        Self { error_type: format!("{:?}", error.kind()), error_message: error.to_string() }
    }
}
