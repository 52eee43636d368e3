//! The words that every other crate uses: tenants, signals, tables, time, ids and error kinds.
//!
//! This is the bottom row: it names no other crate of the workspace, does no I/O and holds no policy beyond the validity of
//! its own values. Two invariants start here:
//!
//! - **TENANT-1** a [`TenantId`] holds `[A-Za-z0-9_-]{1,64}` only, so it can be a path segment of an object key as it is.
//! - Every range of time is half-open ([`TimeRange`]).
//!
//! ```
//! use icegate_model::{TenantId, TimeRange, Timestamp};
//!
//! let tenant: TenantId = "team-a".parse()?;
//! assert_eq!(tenant.as_str(), "team-a");
//! assert!("../x".parse::<TenantId>().is_err());
//!
//! let hour = TimeRange::new(Timestamp::from_secs(0), Timestamp::from_secs(3600))?;
//! assert!(!hour.contains(Timestamp::from_secs(3600)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod error_kind;
mod id;
mod signal;
mod tenant;
mod time;

/// Target of the log lines, at level debug, by which a request is followed: its id, its segments, the snapshot that they came into.
/// They cost a line a request, so that only hosts which are paid by the request ask for them by default.
pub const TRAIL: &str = "icegate::trail";

pub use clock::{Clock, SystemClock};
pub use error_kind::ErrorKind;
pub use id::{IdGenerator, RandomIds, RequestId, UniqueId};
pub use signal::{Signal, Table};
pub use tenant::{AccountId, InvalidTenant, TenantId};
pub use time::{InvalidRange, TimeRange, Timestamp};
