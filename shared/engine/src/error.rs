use std::error::Error;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use icegate_model::{ErrorKind, Table};
use icegate_tables::TablesError;
use icegate_wal::WalError;
use parquet::errors::ParquetError;

/// What can go wrong between a table's name and its rows.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The WAL can't be listed or a footer can't be read.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The table's snapshot can't be loaded.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// More objects than one scan may have.
    #[error("a scan of {table} would read {objects} files and segments, allowed are {max}: narrow the time range")]
    TooManyObjects {
        /// The table.
        table: Table,
        /// Files and segments that the scan needs.
        objects: usize,
        /// [`crate::EngineConfig::max_scan_objects`].
        max: usize,
    },
    /// A data file's statistics contradict the tenant of its partition.
    #[error("data file {path} of {table} holds rows that aren't of its partition's tenant")]
    ForeignRows {
        /// The table.
        table: Table,
        /// The file.
        path: String,
    },
    /// What comes after an answer is asked for, and the engine doesn't read the WAL, where it comes.
    #[error("new rows can't be followed: engine.wal_query_enabled is false")]
    NoWal,
    /// DataFusion refused a plan or failed while running it.
    #[error("can't run the query: {0}")]
    Query(#[source] DataFusionError),
    /// All queries together need more memory than they may have.
    #[error("queries need more memory than engine.memory_bytes allows: {source}")]
    Memory {
        /// Which operator was refused.
        source: DataFusionError,
    },
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        match kind_of(&error) {
            ErrorKind::LimitExceeded => Self::Memory { source: error },
            _ => Self::Query(error),
        }
    }
}

impl EngineError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        if is_stale(self) {
            return ErrorKind::Conflict;
        }
        match self {
            Self::Wal(error) => error.kind(),
            Self::Tables(error) => error.kind(),
            Self::TooManyObjects { .. } | Self::Memory { .. } => ErrorKind::LimitExceeded,
            Self::ForeignRows { .. } => ErrorKind::Corrupt,
            Self::NoWal => ErrorKind::Unsupported,
            Self::Query(error) => kind_of(error),
        }
    }
}

/// A segment that turned out to be damaged while it was read. Scans that are planned from now on leave it out.
#[derive(Debug, thiserror::Error)]
#[error("segment {path} of the write-ahead log is damaged: {reason}")]
pub(crate) struct DamagedSegment {
    pub(crate) path: String,
    pub(crate) reason: String,
}

/// A table file whose bytes are not what a commit wrote.
#[derive(Debug, thiserror::Error)]
#[error("data file {path} can't be read: {source}")]
pub(crate) struct DamagedFile {
    pub(crate) path: String,
    pub(crate) source: ParquetError,
}

/// Whether an object vanished, was replaced or was found damaged after the scan was planned; planning once more helps.
///
/// Looks through the error's whole chain of sources, so a query language's error that wraps DataFusion's will do.
#[must_use]
pub fn is_stale(error: &(dyn Error + 'static)) -> bool {
    let vanished = |error: &object_store::Error| {
        matches!(error, object_store::Error::NotFound { .. } | object_store::Error::Precondition { .. })
    };
    is_damaged(error) || chain(error).any(|link| as_type::<object_store::Error>(link).is_some_and(vanished))
}

/// Whether a segment was found damaged after the scan was planned; planning once more leaves it out.
#[must_use]
pub fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|link| link.downcast_ref::<DamagedSegment>().is_some())
}

/// Whether queries needed more memory than they may have together, whichever operator met it and however it says so.
#[must_use]
pub fn is_out_of_memory(error: &(dyn Error + 'static)) -> bool {
    let exhausted = |error: &DataFusionError| matches!(error, DataFusionError::ResourcesExhausted(_));
    chain(error).any(|link| as_type::<DataFusionError>(link).is_some_and(exhausted))
}

/// The kind of an error from a plan over the engine's rows: the one place where DataFusion's errors get a kind.
#[must_use]
pub fn kind_of(error: &DataFusionError) -> ErrorKind {
    if is_stale(error) {
        return ErrorKind::Conflict;
    }
    // The deepest link knows best; what wraps it only adds where it happened.
    chain(error).filter_map(kind_of_link).last().unwrap_or(ErrorKind::Internal)
}

fn kind_of_link(link: &(dyn Error + 'static)) -> Option<ErrorKind> {
    if let Some(error) = as_type::<object_store::Error>(link) {
        return Some(icegate_storage::kind_of(error));
    }
    if let Some(error) = link.downcast_ref::<EngineError>() {
        return Some(error.kind());
    }
    if let Some(error) = link.downcast_ref::<ParquetError>() {
        return (!matches!(error, ParquetError::External(_))).then_some(ErrorKind::Corrupt);
    }
    let error = as_type::<DataFusionError>(link)?;
    match error {
        DataFusionError::ResourcesExhausted(_) => Some(ErrorKind::LimitExceeded),
        DataFusionError::NotImplemented(_) => Some(ErrorKind::Unsupported),
        DataFusionError::IoError(_) => Some(ErrorKind::Unavailable),
        _ => None,
    }
}

/// The error as a type, also where it is shared: an `Arc` stands in the chain in place of what it holds.
fn as_type<'a, E: Error + 'static>(link: &'a (dyn Error + 'static)) -> Option<&'a E> {
    link.downcast_ref::<E>().or_else(|| link.downcast_ref::<Arc<E>>().map(Arc::as_ref))
}

/// The error and all its sources, outermost first.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |link: &&'a (dyn Error + 'static)| (*link).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> object_store::Error {
        object_store::Error::NotFound { path: "logs/a.parquet".into(), source: "gone".into() }
    }

    #[test]
    fn a_vanished_object_is_stale_however_deep_it_is_wrapped() {
        let parquet = ParquetError::External(Box::new(DataFusionError::ObjectStore(Box::new(missing()))));
        let wrapped = DataFusionError::Context("scan".into(), Box::new(DataFusionError::ParquetError(Box::new(parquet))));
        assert!(is_stale(&wrapped));
        assert_eq!(kind_of(&DataFusionError::Shared(Arc::new(wrapped))), ErrorKind::Conflict);
        assert!(!is_stale(&DataFusionError::Execution("not found".into())));
    }

    #[test]
    fn kinds_come_from_the_deepest_link() {
        let exhausted = DataFusionError::ResourcesExhausted("engine.memory_bytes".into()).context("sort");
        assert_eq!(kind_of(&exhausted), ErrorKind::LimitExceeded);
        let broken = DataFusionError::ParquetError(Box::new(ParquetError::General("bad magic".into())));
        assert_eq!(kind_of(&broken), ErrorKind::Corrupt);
        assert_eq!(kind_of(&DataFusionError::NotImplemented("x".into())), ErrorKind::Unsupported);
        assert_eq!(kind_of(&DataFusionError::Internal("x".into())), ErrorKind::Internal);
    }
}
