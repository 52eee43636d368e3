use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use icegate_model::{ErrorKind, RequestId, Table};
use object_store::path::Path;

/// What was asked of the store when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOperation {
    /// Writing a segment.
    Write,
    /// Reading a segment.
    Read,
    /// Listing a table's segments.
    List,
    /// Deleting a segment.
    Delete,
}

impl fmt::Display for StoreOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::List => "list",
            Self::Delete => "delete",
        })
    }
}

/// Why the WAL can't do what was asked. All requests that shared a failed segment get the same error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalError {
    /// The writer holds as much as it may.
    #[error("write-ahead log is full: {bound} is bounded by {limit}")]
    Full {
        /// The configured bound that was reached.
        bound: &'static str,
        /// Its value.
        limit: usize,
    },
    /// The writer is closed.
    #[error("write-ahead log is closed")]
    Closed,
    /// The store failed, for writes after all retries.
    #[error("can't {operation} {path} of the write-ahead log: {source}")]
    Store {
        /// What was asked.
        operation: StoreOperation,
        /// The object or prefix.
        path: Path,
        /// What the store said last.
        source: Arc<object_store::Error>,
    },
    /// An attempt to write took too long, also after all retries. The object may still appear.
    #[error("can't write {path} of the write-ahead log: no answer in {} ms", after.as_millis())]
    Timeout {
        /// The object.
        path: Path,
        /// How long the last attempt was waited for.
        after: Duration,
    },
    /// The rows waited for earlier segments until their time was up. Nothing of them was sent.
    #[error("can't write rows of table {table} to the write-ahead log: earlier ones kept it busy for {} ms", deadline.as_millis())]
    Overdue {
        /// The table.
        table: Table,
        /// The bound.
        deadline: Duration,
    },
    /// The object's bytes are not those of a segment.
    #[error("segment {path} is corrupt: {reason}")]
    Corrupt {
        /// The object.
        path: Path,
        /// What is wrong with it.
        reason: String,
    },
    /// A segment of a later version of IceGate.
    #[error("segment {path} has format version {version}, allowed is {allowed}")]
    Version {
        /// The object.
        path: Path,
        /// Its version.
        version: u32,
        /// The version that this build reads.
        allowed: u32,
    },
    /// More segments wait than a listing may hold.
    #[error("table {table} has more than {limit} segments in the write-ahead log")]
    TooManySegments {
        /// The table.
        table: Table,
        /// The bound.
        limit: usize,
    },
    /// A row group number that the segment doesn't have.
    #[error("segment {path} has no row group {number}, it has {count}")]
    NoSuchRowGroup {
        /// The object.
        path: Path,
        /// What was asked for.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A request's batch does not belong where it is said to.
    #[error("request {request} has rows for table {table} that don't fit it: {reason}")]
    Misplaced {
        /// The request.
        request: RequestId,
        /// The table.
        table: Table,
        /// What is wrong.
        reason: &'static str,
    },
    /// A defect.
    #[error("can't encode rows of table {table}: {reason}")]
    Encode {
        /// The table.
        table: Table,
        /// What the encoder said.
        reason: String,
    },
}

impl WalError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Full { .. } | Self::Closed | Self::Timeout { .. } | Self::Overdue { .. } => ErrorKind::Unavailable,
            Self::Store { operation: StoreOperation::Write, .. } => ErrorKind::Unavailable,
            Self::Store { source, .. } => icegate_storage::kind_of(source),
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Version { .. } => ErrorKind::Unsupported,
            Self::TooManySegments { .. } => ErrorKind::LimitExceeded,
            Self::NoSuchRowGroup { .. } => ErrorKind::Invalid,
            Self::Misplaced { .. } | Self::Encode { .. } => ErrorKind::Internal,
        }
    }

    pub(crate) fn store(operation: StoreOperation, path: &Path, source: object_store::Error) -> Self {
        Self::Store { operation, path: path.clone(), source: Arc::new(source) }
    }

    pub(crate) fn corrupt(path: &Path, reason: impl ToString) -> Self {
        Self::Corrupt { path: path.clone(), reason: reason.to_string() }
    }
}
