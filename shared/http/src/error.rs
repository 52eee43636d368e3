use icegate_model::{ErrorKind, InvalidTenant};

/// What is wrong with a request before anything was done for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A tenant or account id that isn't allowed.
    #[error(transparent)]
    Tenant(#[from] InvalidTenant),
    /// A header that has to be there once and readable.
    #[error("header {name} {problem}")]
    Header {
        /// The header.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A parameter whose value isn't allowed.
    #[error("invalid parameter {name}={value:?}: {allowed}")]
    Parameter {
        /// The parameter.
        name: String,
        /// What was given, cut to a printable length.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A parameter that has to be given.
    #[error("missing parameter {name}")]
    Missing {
        /// The parameter.
        name: String,
    },
    /// More parameters than a request may have.
    #[error("a request has at most {limit} parameters")]
    TooManyParameters {
        /// How many are allowed.
        limit: usize,
    },
}

impl HttpError {
    /// A parameter's value that isn't allowed.
    #[must_use]
    pub fn parameter(name: &str, value: &str, allowed: impl Into<String>) -> Self {
        const SHOWN: usize = 200;
        Self::Parameter { name: name.to_owned(), value: value.chars().take(SHOWN).collect(), allowed: allowed.into() }
    }

    /// What the caller has to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}
