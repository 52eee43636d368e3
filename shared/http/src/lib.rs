//! What every HTTP surface reads and answers the same way: whose request it is, its parameters, its status.
//!
//! Row 1. Knows no server, no router and no endpoint.
//!
//! - **TENANT-1** [`TenantScope::of`] is the only way from headers to a tenant; an id that isn't allowed is an error, never another
//!   tenant.
//! - [`status`] is the one place where an error's kind becomes an HTTP status.
//!
//! ```
//! use http::HeaderMap;
//! use icegate_http::TenantScope;
//!
//! assert_eq!(TenantScope::of(&HeaderMap::new())?.tenant.as_str(), "default");
//! # Ok::<(), icegate_http::HttpError>(())
//! ```

mod accept;
mod build;
mod error;
mod params;
mod status;
mod tenant;
mod time;

pub use accept::accepts;
pub use build::BuildInfo;
pub use error::HttpError;
pub use params::Params;
pub use status::{RETRY_AFTER_SECONDS, challenge, error_type, retry_after, status};
pub use tenant::{ACCOUNT_HEADER, TENANT_HEADER, TenantScope};
pub use time::time;
