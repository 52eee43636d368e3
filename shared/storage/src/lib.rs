//! Object stores: opened from a URL, durable on a directory, on S3 with bounded retries, counted.
//!
//! Row 1. The WAL, the tables and the engine get a [`Root`] (a store and the place in it that is theirs) and talk to it through
//! `object_store`'s own trait; what is particular to a kind of store stays here.
//!
//! - **DURABLE-1** when a put returns, its bytes and its name survive a power cut ([`DurableFiles`]).
//! - **CREATE-1** of several writers that create one key, exactly one succeeds and the others get `AlreadyExists`.
//! - **CREATE-2** `AlreadyExists` and `Precondition` are never about the put's own object. A conditional put whose reply is lost is an
//!   error of kind `Unavailable`; the caller looks at what is there.
//! - **WHOLE-1** a read gives all the bytes of its range or an error.
//!
//! S3 is asked through one client a bucket ([`Stores`]), with the AWS SDK's credential chain ([`aws`]). A request that fails is
//! repeated for 3 s, and given up when the server is silent for the request timeout ([`aws::REQUEST_TIMEOUT`]), so that a call of small
//! objects ends within about 9 s. 503 `SlowDown`, 409 and 412 are told apart as the table in `s3.rs` says.
//!
//! [`conformance`] states these as functions that any store can be given to. Nothing here knows tables, segments or tenants.
//!
//! ```
//! use icegate_storage::Stores;
//!
//! let warehouse = Stores::default().open("memory:///warehouse/")?;
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
mod s3;
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
