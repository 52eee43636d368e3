use icegate_model::ErrorKind;

use crate::{EmptyGrant, KeyIdError};

/// Why a document of keys, callers or signing keys can't be used. Never holds a secret or a hash.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The document isn't of the form that is asked for.
    #[error("{path}: {message}")]
    Document {
        /// Where in it.
        path: String,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// The document is larger than allowed.
    #[error("the document has {given} bytes, allowed are {max}")]
    TooLarge {
        /// How many it has.
        given: usize,
        /// How many are allowed.
        max: usize,
    },
    /// An entry of which no grant can be made.
    #[error("{path}: {source}")]
    Grant {
        /// Which one.
        path: String,
        /// Why.
        source: EmptyGrant,
    },
    /// One of several documents can't be used.
    #[error("{document}: {source}")]
    In {
        /// Which one: its place, or the key of the configuration that holds it.
        document: String,
        /// Why.
        source: Box<AuthError>,
    },
    /// An id that can't be part of a key.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
    /// The document can't be fetched.
    #[error("can't read {place}: {message}")]
    Unreadable {
        /// Where it is.
        place: String,
        /// Why.
        message: String,
    },
    /// What is configured can't be authenticated with.
    #[error("{key}: {message}")]
    Config {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl AuthError {
    pub(crate) fn document(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Document { path: path.into(), message: message.into() }
    }

    /// Says which document it is about, where it doesn't yet.
    pub(crate) fn within(self, document: impl Into<String>) -> Self {
        match self {
            Self::Document { .. } | Self::TooLarge { .. } | Self::Grant { .. } => {
                Self::In { document: document.into(), source: Box::new(self) }
            }
            named => named,
        }
    }

    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::In { source, .. } => source.kind(),
            _ => ErrorKind::Invalid,
        }
    }
}
