use icegate_model::ErrorKind;
use icegate_storage::StorageError;
use icegate_tables::TablesError;

/// Why what a configuration names can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A place can't be used.
    #[error("{key}: {source}")]
    Place {
        /// The key that names it.
        key: &'static str,
        /// Why.
        source: StorageError,
    },
    /// The catalog can't be used.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl LakeError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Place { source, .. } => source.kind(),
            Self::Tables(error) => error.kind(),
        }
    }
}
