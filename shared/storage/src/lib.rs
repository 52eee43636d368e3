//! Object stores: opened from a URL, durable on a directory, counted.
//!
//! Row 1. The WAL, the tables and the engine get a [`Root`] (a store and the place in it that is theirs) and talk to it through
//! `object_store`'s own trait; what is particular to a kind of store stays here.
//!
//! - **DURABLE-1** when a put returns, its bytes and its name survive a power cut ([`DurableFiles`]).
//! - **CREATE-1** of several writers that create one key, exactly one succeeds and the others get `AlreadyExists`.
//!
//! [`conformance`] states these as functions that any store can be given to. Nothing here knows tables, segments or tenants.
//!
//! ```
//! use icegate_storage::Root;
//!
//! let warehouse = Root::open("memory:///warehouse/")?;
//! let path = warehouse.child("logs").path("a/b.parquet");
//! assert_eq!(path.as_ref(), "warehouse/logs/a/b.parquet");
//! assert_eq!(warehouse.url_of(&path), "memory:///warehouse/logs/a/b.parquet");
//! # Ok::<(), icegate_storage::StorageError>(())
//! ```

pub mod aws;
pub mod conformance;
mod counted;
mod durable_files;
mod error;
mod location;
mod multipart;
mod root;
mod stores;

use std::sync::Arc;

pub use counted::{Counted, RequestCounts, RequestMetrics};
pub use durable_files::DurableFiles;
pub use error::{StorageError, is_not_found, kind_of};
pub use location::Location;
pub use root::Root;
pub use stores::Stores;

/// An object store that several parts of the process share.
pub type Store = Arc<dyn object_store::ObjectStore>;
