//! Keeps tables and WAL small: old snapshots, objects that nothing refers to, objects in the WAL that no writer wrote.
//!
//! Row 4, between `wal` and `tables`. Removes nothing that a query, a shift or an outside reader may still need; how that is made
//! sure of is said where it is done, in `tables` (`expire`, `orphans`). Knows nothing of OTLP, HTTP or queries.
//!
//! Maintenance of a table:
//!
//! ```text
//! list the WAL ─▶ expire snapshots, keeping the ledgers that the listing asks for ─▶ list the table's place
//!    ─▶ subtract what the metadata refers to and what is young ─▶ replace the newest snapshot ─▶ subtract again ─▶ delete
//!    ─▶ gather the index objects of many writes in groups
//! ```
//!
//! - **SHIFT-1**, **WAL-2** what was shifted stays known within the horizon, and longer for segments that are still in the WAL.
//! - **READ-1** nothing is removed within [`MaintainConfig::retention`] of its last use.
//! - Any number of processes may do it at the same time: each step is a compare-and-set, or the deletion of what nobody can refer to
//!   any more.
//!
//! Segments are deleted by the shift, which has listed them and read the ledgers anyway; here they are only counted. An object in the
//! WAL that no writer named so is counted, named in the log, and left alone. Where the catalog's backend keeps the tables' files itself
//! (AWS S3 Tables), their snapshots and files are left to it.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_maintain::{Maintainer, MaintainConfig, MaintainError, Metrics};
//! # use icegate_model::{RandomIds, SystemClock, Table};
//! # use icegate_storage::Root;
//! # use icegate_tables::Tables;
//! # use icegate_wal::Wal;
//! # async fn example() -> Result<(), MaintainError> {
//! let root = Root::memory();
//! let tables = Arc::new(Tables::object_store(root.child("warehouse"), Arc::new(SystemClock), Arc::new(RandomIds)));
//! tables.migrate_create(false).await?;
//! let wal = Arc::new(Wal::new(root.child("queue")));
//! let maintainer = Maintainer::new(tables, wal, MaintainConfig::default(), Arc::new(SystemClock), Metrics::default());
//! let report = maintainer.maintain(Table::Logs, false).await?;
//! assert_eq!(report.expired.removed, 0);
//! # Ok(())
//! # }
//! ```

mod config;
mod error;
mod maintainer;
mod metrics;
mod report;

pub use config::MaintainConfig;
pub use error::MaintainError;
pub use maintainer::Maintainer;
pub use metrics::Metrics;
pub use report::Report;
