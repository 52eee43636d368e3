use icegate_model::ErrorKind;

/// Why an event, or one message of it, can't be handled. Never holds what was sent: that may be anything, a secret included.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Longer than any event of its kind.
    #[error("it has {bytes} bytes, more than the {limit} bytes that a notification may have")]
    Huge {
        /// Its length.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// Not JSON, or cut off.
    #[error("it is not JSON: {reason}")]
    Json {
        /// What the parser says, which is a position.
        reason: String,
    },
    /// Of a later major version than this release reads.
    #[error("its version is not 2.x")]
    Version,
    /// JSON of another shape.
    #[error("{field} is missing or not {expected}")]
    Shape {
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A field that nothing is known of.
    #[error("unknown field {name:?}, allowed are {allowed}")]
    Unknown {
        /// The field.
        name: String,
        /// The fields that there are.
        allowed: &'static str,
    },
    /// Nothing that this function is woken by.
    #[error("it is not an event that this function handles: {expected} is expected")]
    Foreign {
        /// What is expected.
        expected: &'static str,
    },
}

impl EventError {
    /// What the caller has to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Huge { .. } => ErrorKind::LimitExceeded,
            Self::Version => ErrorKind::Unsupported,
            Self::Json { .. } | Self::Shape { .. } | Self::Unknown { .. } | Self::Foreign { .. } => ErrorKind::Invalid,
        }
    }
}
