use std::io;
use std::path::PathBuf;

use icegate_model::ErrorKind;

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The URL's scheme names a store that this build has no client for.
    #[error(
        "unsupported storage scheme {scheme:?} in {url:?}, allowed are s3://BUCKET/PREFIX/, file:///DIRECTORY/ and memory:///"
    )]
    Unsupported {
        /// The scheme without `://`.
        scheme: String,
        /// The whole URL.
        url: String,
    },
    /// The URL can't be read.
    #[error("invalid storage url {url:?}: {reason}, allowed are s3://BUCKET/PREFIX/, file:///DIRECTORY/ and memory:///")]
    InvalidUrl {
        /// The whole URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory can't be made or written to.
    #[error("can't use directory {} for storage, it must be writable: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The URL of an S3-compatible server can't be used.
    #[error("invalid endpoint {endpoint:?}: {reason}, allowed is http://HOST:PORT or https://HOST:PORT")]
    Endpoint {
        /// The URL.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StorageError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::InvalidUrl { .. } | Self::Endpoint { .. } => ErrorKind::Invalid,
            Self::Directory { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ResourceBusy => ErrorKind::Unavailable,
                _ => ErrorKind::Invalid,
            },
        }
    }
}

/// What the caller has to do about a store's error.
///
/// Refused credentials count as [`ErrorKind::Unavailable`]: the data behind them is right and the request can be repeated.
#[must_use]
pub fn kind_of(error: &object_store::Error) -> ErrorKind {
    use object_store::Error;
    match error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. } => ErrorKind::Conflict,
        Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => ErrorKind::Invalid,
        Error::NotSupported { .. } | Error::NotImplemented { .. } => ErrorKind::Unsupported,
        Error::JoinError { .. } => ErrorKind::Internal,
        _ => ErrorKind::Unavailable,
    }
}

/// Whether the error says that the object isn't there.
#[must_use]
pub fn is_not_found(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}
