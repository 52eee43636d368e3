use std::path::PathBuf;

use icegate_model::{ErrorKind, InvalidTenant};

/// Why sending stopped, or never began.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("endpoint {text:?}: {reason}")]
    Endpoint { text: String, reason: String },
    #[error(transparent)]
    Tenant(#[from] InvalidTenant),
    #[error("can't make a client: {source}")]
    HttpClient { source: reqwest::Error },
    #[error("can't make a client for {endpoint}: {source}")]
    GrpcClient { endpoint: String, source: tonic::transport::Error },
    #[error("replay {}: {source}", path.display())]
    Replay { path: PathBuf, source: std::io::Error },
    #[error("replay {}: message at byte {offset} is cut short: {wanted} bytes announced, {got} there", path.display())]
    ReplayTruncated { path: PathBuf, offset: u64, wanted: u64, got: u64 },
    #[error("replay {}: message at byte {offset} has {length} bytes, allowed are {limit}", path.display())]
    ReplayTooLarge { path: PathBuf, offset: u64, length: u64, limit: u64 },
    #[error("replay {}: message at byte {offset} isn't an export request for {signal}: {reason}", path.display())]
    ReplayMessage { path: PathBuf, offset: u64, signal: &'static str, reason: String },
    #[error("journal {}: {source}", path.display())]
    Journal { path: PathBuf, source: std::io::Error },
    #[error("can't compress a request: {source}")]
    Compress { source: std::io::Error },
    #[error("can't write to standard output: {source}")]
    Output { source: std::io::Error },
    #[error("a worker ended early: {source}")]
    Worker { source: tokio::task::JoinError },
    #[error("failed requests: {failed}, the first with: {reason}")]
    Incomplete { failed: u64, reason: String },
}

impl SendError {
    /// What the caller has to do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Endpoint { .. } | Self::Tenant(_) => ErrorKind::Invalid,
            Self::Replay { source, .. } | Self::Journal { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Unavailable,
            },
            Self::ReplayTruncated { .. } | Self::ReplayMessage { .. } => ErrorKind::Corrupt,
            Self::ReplayTooLarge { .. } => ErrorKind::LimitExceeded,
            Self::Incomplete { .. } => ErrorKind::Unavailable,
            Self::HttpClient { .. }
            | Self::GrpcClient { .. }
            | Self::Compress { .. }
            | Self::Output { .. }
            | Self::Worker { .. } => ErrorKind::Internal,
        }
    }
}
