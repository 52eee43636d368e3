//! Rows back to OTLP: the inverse of [`crate::decode`], for query APIs that answer in OTLP and for proving LOSSLESS-1.
//!
//! Batches must have the columns of [`icegate_schema::arrow_schema`] with exactly its types; a projection must keep all but
//! the tenant's, the account's and the merged view. Consecutive rows of equal resource and scope (and metric) become one
//! message, so rows keep their order. Rows of several tenants are not told apart.

mod attributes;
mod cells;
mod group;
mod logs;
mod metrics;
mod points;
mod spans;
mod value;

pub use logs::logs;
pub use metrics::metrics;
pub use spans::spans;
