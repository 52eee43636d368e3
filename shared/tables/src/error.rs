use std::time::Duration;

use std::error::Error;

use icegate_model::{ErrorKind, RequestId, Table};
use icegate_storage::StorageError;

/// What a catalog's client or a store said.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Why a table can't be read, written, committed to or migrated.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// Nobody has created the table.
    #[error("table icegate.{table} does not exist, create it with: migrate create")]
    NoTable {
        /// The table.
        table: Table,
    },
    /// The table was created by an older release and hasn't been upgraded.
    #[error("table icegate.{table} has no column {column}, add it with: migrate upgrade")]
    Behind {
        /// The table.
        table: Table,
        /// The column, nested ones with dots.
        column: String,
    },
    /// The table differs from this release's schema in a way that no upgrade bridges.
    #[error("table icegate.{table}, column {column}: {reason}, an upgrade only adds columns")]
    SchemaChange {
        /// The table.
        table: Table,
        /// The column, nested ones with dots.
        column: String,
        /// What differs.
        reason: String,
    },
    /// A batch to write isn't of the table's schema, or a partition value isn't allowed.
    #[error("rows for icegate.{table} are not of its schema: {reason}")]
    Rows {
        /// The table.
        table: Table,
        /// What differs.
        reason: String,
    },
    /// Some of the segments or requests are in the table already. Plan again without them.
    #[error("table icegate.{table} already holds {} segments and {} requests of this commit", segments.len(), requests.len())]
    AlreadyShifted {
        /// The table.
        table: Table,
        /// The segments that a newer ledger names.
        segments: Vec<String>,
        /// The requests that a newer ledger names.
        requests: Vec<RequestId>,
    },
    /// Another commit has replaced the state that this one rests on. Read it and plan again.
    #[error("table icegate.{table}: another commit has replaced the state that this one rests on")]
    StateReplaced {
        /// The table.
        table: Table,
    },
    /// Other committers won every attempt.
    #[error("table icegate.{table}: other commits won all {attempts} attempts")]
    Contended {
        /// The table.
        table: Table,
        /// How often it was tried.
        attempts: u32,
    },
    /// So much time has passed since the commit was planned that what it rests on may have been cleaned up.
    #[error("table icegate.{table}: the commit was planned {}s ago, the limit is {}s", age.as_secs(), limit.as_secs())]
    TooLate {
        /// The table.
        table: Table,
        /// Since the plan, or since the oldest of the files.
        age: Duration,
        /// How long it may be.
        limit: Duration,
    },
    /// The commit was planned on a table whose later ledgers are no longer all known.
    #[error("table icegate.{table}: the commit was planned on a table of {planned} ms, ledgers are whole since {whole_since} ms")]
    Forgotten {
        /// The table.
        table: Table,
        /// The newest commit that the plan knew, milliseconds.
        planned: i64,
        /// Of which commits on nothing was forgotten, milliseconds.
        whole_since: i64,
    },
    /// The catalog failed while the commit was being swapped in, and reading back didn't settle whether it landed.
    /// Repeating the same commit is safe: if it did land, that answers [`TablesError::AlreadyShifted`].
    #[error("table icegate.{table}: unknown whether commit {commit} landed: {source}")]
    OutcomeUnknown {
        /// The table.
        table: Table,
        /// The commit's id, in the snapshot summary as `icegate.commit`.
        commit: String,
        /// What the catalog said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The catalog couldn't be asked or refused; nothing was changed.
    #[error("can't {doing} {object} in the catalog: {source}")]
    Catalog {
        /// `load`, `create` or `commit`.
        doing: &'static str,
        /// The table or what else it was about.
        object: String,
        /// What to do about it.
        kind: ErrorKind,
        /// What the catalog said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The table is where this process can't read.
    #[error("table icegate.{table} is at {location}: {source}")]
    Place {
        /// The table.
        table: Table,
        /// Its location.
        location: String,
        /// Why it can't be opened.
        source: StorageError,
    },
    /// **SHIFT-2** is broken.
    #[error("table icegate.{table} counts {found} rows where {expected} are expected ({what})")]
    RowCount {
        /// The table.
        table: Table,
        /// Which counts were compared.
        what: &'static str,
        /// What the rule demands.
        expected: u64,
        /// What was counted.
        found: u64,
    },
    /// Stored bytes aren't what this crate or another Iceberg writer may have written.
    #[error("{object} is corrupt: {reason}")]
    Corrupt {
        /// URL or path of the object.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// The table holds something that this release doesn't read.
    #[error("table icegate.{table} has {what}, which is not supported")]
    Unsupported {
        /// The table.
        table: Table,
        /// What it has.
        what: String,
    },
    /// The object store failed.
    #[error("can't {doing} {object}: {source}")]
    Store {
        /// `read`, `write` or `list`.
        doing: &'static str,
        /// The path.
        object: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// Iceberg metadata couldn't be built.
    #[error("table icegate.{table}: can't {doing}: {source}")]
    Iceberg {
        /// The table.
        table: Table,
        /// What was being built.
        doing: &'static str,
        /// What the library said.
        source: Box<iceberg::Error>,
    },
    /// Metadata couldn't be written as JSON.
    #[error("table icegate.{table}: can't write {what} as json: {source}")]
    Json {
        /// The table.
        table: Table,
        /// What it was.
        what: &'static str,
        /// What the library said.
        source: serde_json::Error,
    },
    /// Rows couldn't be sorted or gathered.
    #[error("table icegate.{table}: can't arrange rows: {source}")]
    Arrow {
        /// The table.
        table: Table,
        /// What the library said.
        source: arrow::error::ArrowError,
    },
    /// Rows couldn't be encoded.
    #[error("table icegate.{table}: can't encode a data file: {source}")]
    Parquet {
        /// The table.
        table: Table,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
    /// The encoding task was cancelled or died.
    #[error("table icegate.{table}: the encoding task ended early: {source}")]
    Task {
        /// The table.
        table: Table,
        /// Why it ended.
        source: tokio::task::JoinError,
    },
}

impl TablesError {
    /// What the caller has to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoTable { .. } => ErrorKind::NotFound,
            Self::Rows { .. } | Self::Behind { .. } => ErrorKind::Invalid,
            Self::SchemaChange { .. } | Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::AlreadyShifted { .. } | Self::StateReplaced { .. } | Self::Contended { .. } => ErrorKind::Conflict,
            Self::OutcomeUnknown { .. } | Self::TooLate { .. } | Self::Forgotten { .. } => ErrorKind::Unavailable,
            Self::RowCount { .. } | Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Store { source, .. } => icegate_storage::kind_of(source),
            Self::Catalog { kind, .. } => *kind,
            Self::Place { source, .. } => source.kind(),
            Self::Iceberg { .. } | Self::Json { .. } | Self::Arrow { .. } | Self::Parquet { .. } | Self::Task { .. } => {
                ErrorKind::Internal
            }
        }
    }
}

/// Says what was being done where an iceberg call fails.
pub(crate) trait IcebergContext<T> {
    fn iceberg(self, table: Table, doing: &'static str) -> Result<T, TablesError>;
}

impl<T> IcebergContext<T> for iceberg::Result<T> {
    fn iceberg(self, table: Table, doing: &'static str) -> Result<T, TablesError> {
        self.map_err(|source| TablesError::Iceberg { table, doing, source: Box::new(source) })
    }
}

/// An object that can't be understood.
pub(crate) fn corrupt(object: impl Into<String>, reason: impl ToString) -> TablesError {
    TablesError::Corrupt { object: object.into(), reason: reason.to_string() }
}
