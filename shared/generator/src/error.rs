use icegate_model::ErrorKind;
use icegate_otlp::OtlpError;

/// Why no metrics could be made.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// The rows are not those of `spans`, or the points are too many for one batch.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// It can't be told whose the rows are.
    #[error("it can't be told whose spans these are: {reason}")]
    Owner {
        /// Why.
        reason: String,
    },
    /// What an earlier pass left over can't be read.
    #[error("the generator's state can't be read: {reason}")]
    State {
        /// Why.
        reason: String,
    },
    /// Points that were made here are refused as rows.
    #[error("{count} generated points are refused: {reason}")]
    Refused {
        /// How many.
        count: u64,
        /// Why, for the first.
        reason: String,
    },
}

impl GeneratorError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Otlp(error) => error.kind(),
            Self::Owner { .. } | Self::State { .. } => ErrorKind::Corrupt,
            Self::Refused { .. } => ErrorKind::Internal,
        }
    }
}
