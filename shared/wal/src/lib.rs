//! The write-ahead log: rows that are durable and not yet in a table, as Parquet segments on object storage.
//!
//! Row 2, between `otlp` and `shift`. A [`Writer`] turns requests into segments; [`Wal`] lists, reads and deletes them for
//! shifters and queries. Nothing here knows OTLP, HTTP, Iceberg or DataFusion, and no writer knows of another one.
//!
//! - **WAL-1** [`Writer::append`] returns `Ok` only when every row of the request is durable; otherwise the caller acknowledges
//!   nothing.
//! - **BOUND-1** what waits is bounded in requests and bytes, and each append is answered within [`WriterConfig::flush_interval`] and
//!   [`WriterConfig::write_deadline`], encoding aside, whatever the store does: 8.7 s by default, below the 10 s after which OTLP's
//!   exporters stop waiting. The writer's attempts ([`WriterConfig::put_timeout`], [`WriterConfig::write_retries`]) and what the store
//!   repeats by itself all lie within it.
//! - **WAL-3** writers never coordinate. A segment's name is unique, its put is repeated with the same name and bytes, and a
//!   name's bytes never change. A request that is sent again and written alone ([`Gathering::Alone`]) is another segment, later by its
//!   time; readers leave its rows out by its id, as they do wherever it lies.
//! - **TENANT-1** a row group holds rows of one tenant and account only.
//!
//! # Layout
//!
//! One object per segment, below the WAL's root:
//!
//! ```text
//! {table}/{created}.{id}.{tenant}.{min}.{max}.parquet
//!    │        │      │      │       │     └── latest row, microseconds UTC, may be negative
//!    │        │      │      │       └──────── earliest row
//!    │        │      │      └──────────────── the only tenant in it, or `!` for several
//!    │        │      └─────────────────────── 32 hexadecimal digits: never given out twice, or the id of the only request in it
//!    │        └────────────────────────────── when it was written, microseconds UTC, 20 digits: a listing is in this order
//!    └─────────────────────────────────────── logs, spans, metrics, events
//! ```
//!
//! A listing alone therefore tells which segments a query of one tenant and time range can skip. The object is Parquet with
//! exactly the columns of `icegate_schema::arrow_schema(table)`; one of an earlier release may lack nullable ones, which read as NULL:
//!
//! ```text
//! ┌──────────────┬──────────────┬─────┬──────────────────────────────────────────────┐
//! │ row group 0  │ row group 1  │  …  │ Parquet metadata                             │
//! │ tenant a     │ tenant a     │     │   key `icegate.wal`: the Footer as JSON       │
//! │ account 1    │ no account   │     │   {"version":1,"row_groups":[…],"requests":[…]}│
//! └──────────────┴──────────────┴─────┴──────────────────────────────────────────────┘
//! ```
//!
//! The footer also holds a checksum of every column of every row group, and the metadata one of the footer, so that readers find
//! flipped bits before they decode them (`icegate_schema::Checksums`).
//!
//! A segment that nobody can read stays where it is. Shifters set it aside with a small JSON object ([`Mark`]) at
//! `quarantine/{table}/{segment name}.json` below the same root; deleting that object makes them try it again.
//!
//! Rows are in the order of their arrival within a tenant and account. The rows of one request are one run, counted over the
//! whole file; see [`RequestRows`].
//!
//! ```
//! use icegate_storage::Root;
//! use icegate_wal::Wal;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let wal = Wal::new(Root::memory().child("queue"));
//! assert!(wal.list(icegate_model::Table::Logs).await?.segments.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
pub mod conformance;
mod encode;
mod error;
mod fetched;
mod flush;
mod footer;
mod gather;
mod metrics;
mod name;
mod quarantine;
mod read;
mod request;
mod seal;
mod segment;
mod writer;

pub use config::{Gathering, WriterConfig};
pub use error::{StoreOperation, WalError};
pub use footer::{Footer, RequestRows, RowGroup};
pub use metrics::Metrics;
pub use quarantine::Mark;
pub use request::{Durable, Request};
pub use segment::{Listing, Segment, SegmentTenants, Wal};
pub use writer::{Writer, WriterTask};
