use icegate_model::ErrorKind;
use icegate_tables::TablesError;
use icegate_wal::WalError;

/// Why a table could not be looked after.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// The WAL can't be listed.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The table can't be read or changed.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl MaintainError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Wal(error) => error.kind(),
            Self::Tables(error) => error.kind(),
        }
    }
}
