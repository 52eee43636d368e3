use icegate_model::ErrorKind;

/// Why a request is not let through. The text goes to the client and to the log: it never holds a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Who asks isn't known, 401.
    #[error("{reason}")]
    Unauthenticated {
        /// What is missing or wrong.
        reason: String,
    },
    /// Who asks may not do this, 403.
    #[error("{reason}")]
    Forbidden {
        /// What isn't allowed.
        reason: String,
    },
}

impl Refusal {
    pub(crate) fn unauthenticated(reason: impl Into<String>) -> Self {
        Self::Unauthenticated { reason: reason.into() }
    }

    pub(crate) fn forbidden(reason: impl Into<String>) -> Self {
        Self::Forbidden { reason: reason.into() }
    }

    /// What the caller has to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated { .. } => ErrorKind::Unauthenticated,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
        }
    }
}
