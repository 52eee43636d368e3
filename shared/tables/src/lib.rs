//! The four Iceberg tables: their files, their commits and what has been shifted into them.
//!
//! Row 2, beside `wal`. Shift writes files with [`Tables::write_files`] and makes them visible with [`Tables::commit`]; the
//! engine asks [`Tables::snapshot`] which files there are and which WAL segments they already hold; the migrate step calls
//! [`Tables::migrate_create`] and [`Tables::migrate_upgrade`], maintenance [`Tables::expire`] and [`Tables::sweep`].
//!
//! - **SHIFT-1** a commit names its segments and requests in a ledger object, which the snapshot's summary names in turn, so
//!   ledger and rows appear together. Each attempt of a commit compares its ledger with every newer one, on the very metadata
//!   that the swap asserts; the loser gets [`TablesError::AlreadyShifted`]. Where a commit rests on what another left to it
//!   ([`NextState`]), that is asserted too.
//! - **SHIFT-2** rows after a commit = rows before + rows added, by summary and by manifest, checked at every commit.
//! - **OPEN-1** tables are plain format v2 (identity, identity and day partitions, zstd Parquet with field ids), so any Iceberg
//!   reader opens them at any commit.
//!
//! Which metadata is a table's newest is known by a catalog: the object store itself, memory, an Iceberg REST server, AWS Glue
//! or AWS S3 Tables. What lies where, below a table's location, which is `{warehouse}/icegate/{table}` unless the catalog
//! chooses it:
//!
//! ```text
//! metadata/v{N}.metadata.json               object store: one per commit, create-only: creating v{N+1} is the compare-and-set
//! metadata/version-hint.text                object store: the newest N for readers that can't list; never trusted here
//! metadata/{N}-{uuid}.metadata.json         Glue and S3 Tables, which point to it
//! metadata/snap-{snapshot}-{attempt}-{commit}.avro     manifest list
//! metadata/{commit}-m{n}.avro               manifest
//! ledger/{commit}-{attempt}.json            segments and requests of a commit, and the ledgers before it; or a checkpoint of them
//! state/{commit}.json                       what a commit leaves to the next of its kind
//! data/tenant_id={t}/account_id={a|null}/timestamp_day={YYYY-MM-DD}/{write}-{n}.parquet
//! index/{write}.bloom                       which trace ids may be in the files of that name, advisory; see `index`
//! index/groups                              the groups that maintenance gathers such objects in
//! ```
//!
//! This crate knows neither the WAL's layout nor a query language, and starts no clock of its own: time and ids are handed in.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_model::{RandomIds, SystemClock, Table};
//! # use icegate_storage::Root;
//! # use icegate_tables::{Append, FileOptions, Ledger, Tables, TablesError};
//! # async fn example(batches: Vec<arrow::record_batch::RecordBatch>) -> Result<(), TablesError> {
//! let tables = Tables::object_store(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds));
//! tables.migrate_create(false).await?;
//! let files = tables.write_files(Table::Logs, batches, FileOptions::default()).await?;
//! tables.commit(Table::Logs, Append { files, ledger: Ledger::default() }).await?;
//! assert_eq!(tables.snapshot(Table::Logs).await?.files().len(), 1);
//! # Ok(())
//! # }
//! ```

mod cache;
mod catalog;
mod checkpoint;
mod commit;
mod data_file;
mod definition;
mod error;
mod evolve;
mod expire;
mod field_ids;
mod index;
mod layout;
mod ledger;
mod manifest;
mod merge;
mod migrate;
mod orphans;
mod plan;
mod reachable;
mod snapshot;
mod state;
mod tables;
mod time;
mod write;

pub use catalog::{GlueOptions, RestAuthentication, RestOptions};
pub use checkpoint::InWal;
pub use commit::{Append, Committed, LONGEST_COMMIT};
pub use data_file::{Bound, ColumnBounds, DataFile};
pub use error::TablesError;
pub use expire::{Expired, Retention};
pub use index::{FileKey, IdHash, IndexDirectory, IndexGroup, IndexGroups, IndexMerge, IndexObject, Look, RowPlace};
pub use ledger::{Ledger, Shifted, segment_of};
pub use migrate::Change;
pub use orphans::{MIN_ORPHAN_GRACE, Swept};
pub use snapshot::Snapshot;
pub use state::NextState;
pub use tables::Tables;
pub use write::{FileOptions, WrittenFile};
