//! Gives DataFusion the rows of one tenant, those in the tables and those still in the WAL, each exactly once.
//!
//! Row 3. A query API opens a table for a tenant and a range of time ([`Engine::open`]) and hands what it gets to a query
//! language; the language builds plans over the provider and never learns where a row came from or whose it is.
//!
//! - **READ-1** the WAL is listed before the table's snapshot is loaded, and the segments and requests of the snapshot's
//!   ledgers are left out. A segment that moves to the table in between is in the listing and in a ledger, so its rows count
//!   once; the other order would miss them. The rows of a repeated request count once as well.
//! - **READ-2** an object that vanished is an error that [`is_stale`] recognises, never a shorter answer; [`Engine::with_replan`]
//!   plans once more. A segment that can't be read is left out of the plan and named by the report's warnings
//!   ([`ScanReport::warnings`]); a table file that can't be read is an error that names it.
//! - **TENANT-1** rows of other tenants are removed below the provider: table files by their partition, segments by the tenant of
//!   each row group and again row by row, in a filter that no optimiser may move or drop.
//! - **BOUND-1** [`EngineConfig`] bounds the memory of all queries together and the number of objects in one scan; the errors name
//!   the bound.
//!
//! [`Engine::open_followed`] and [`Engine::follow`] are the same for one who stays: what comes to the WAL after the first answer, once
//! each (READ-1), out of the segments alone.
//!
//! A scan for few trace ids asks the index beside the data files which of them may hold one, and opens only those; where the index
//! can't be read the files are opened.
//!
//! Times prune, they don't filter: a provider may hold rows outside the range that it was opened for.
//!
//! This crate must not know a query language, HTTP or how a commit works.
//!
//! ```no_run
//! # async fn example(tables: std::sync::Arc<icegate_tables::Tables>, wal: std::sync::Arc<icegate_wal::Wal>) -> Result<(), Box<dyn std::error::Error>> {
//! use icegate_engine::{Engine, EngineConfig};
//! use icegate_model::{Table, TenantId, TimeRange};
//!
//! let engine = Engine::new(tables, Some(wal), EngineConfig::default())?;
//! let opened = engine.open(Table::Logs, &TenantId::default_tenant(), TimeRange::ALL).await?;
//! let rows = opened.session.read_table(opened.provider)?.count().await?;
//! println!("{rows} rows from\n{}", opened.report);
//! # Ok(())
//! # }
//! ```

mod config;
mod engine;
mod error;
mod follow;
mod footers;
mod id_index;
mod index_groups;
mod marks;
mod memory;
mod metrics;
mod plan;
mod provider;
mod reader;
mod reads;
mod report;
mod schema;
mod segment_scan;
mod segments;
mod snapshots;
mod sought;
mod sources;
mod statistics;
mod table_scan;
mod tenant_filter;

pub use config::{EngineConfig, PredicatePushdown};
pub use engine::{Engine, Opened};
pub use error::{EngineError, is_damaged, is_out_of_memory, is_stale, kind_of};
pub use follow::Follower;
pub use metrics::Metrics;
pub use reads::{ReadFigures, Reads};
pub use report::{FileReport, ScanReport, SegmentReport};
pub use schema::read_schema;
