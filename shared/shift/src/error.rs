use icegate_generator::GeneratorError;
use icegate_model::ErrorKind;
use icegate_tables::TablesError;
use icegate_wal::WalError;

/// Why a pass did not move what it could have moved.
#[derive(Debug, thiserror::Error)]
pub enum ShiftError {
    /// The write-ahead log can't be listed, read or cleaned.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The table can't be read, written or committed to.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// No metrics can be made of the spans, or of what an earlier pass left over.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    /// Metrics were being made when their task ended.
    #[error("metrics are not made: {source}")]
    Task {
        /// How it ended.
        source: tokio::task::JoinError,
    },
}

impl ShiftError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Wal(error) => error.kind(),
            Self::Tables(error) => error.kind(),
            Self::Generator(error) => error.kind(),
            Self::Task { .. } => ErrorKind::Internal,
        }
    }
}
