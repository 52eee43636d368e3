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
}

impl ShiftError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Wal(error) => error.kind(),
            Self::Tables(error) => error.kind(),
        }
    }
}
