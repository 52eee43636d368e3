//! Who asks, and for whom: credentials become a [`Grant`] of tenants and scopes, and a grant lets a request through or refuses it.
//!
//! Row 2, before every surface. A host reads a request's grant (from its API key or JWT, or from what the gateway's authorizer has
//! said) and calls [`Grant::admit`] before any API sees the request. Knows no server, no route and no AWS.
//!
//! - **TENANT-1** [`Grant::admit`] leaves exactly one `X-Scope-OrgID` in the headers, and it names a tenant of the grant; so
//!   what reads the tenant from the headers later can't read another one.
//! - Secrets are never kept (only their hashes), printed, logged or named in a [`Refusal`]; a key's id is named only after its secret
//!   was verified.
//!
//! ```
//! use http::{HeaderMap, HeaderValue};
//! use icegate_auth::{Grant, Scope};
//!
//! let grant = Grant::new(vec!["team-a".parse()?, "team-b".parse()?], [Scope::Read])?;
//! let mut headers = HeaderMap::new();
//! grant.admit(&mut headers, Scope::Read)?;
//! assert_eq!(headers["x-scope-orgid"], "team-a");
//!
//! headers.insert("x-scope-orgid", HeaderValue::from_static("team-c"));
//! assert!(grant.admit(&mut headers, Scope::Read).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authenticator;
mod credentials;
mod document;
mod error;
mod grant;
mod iam;
mod jwks;
mod jwt;
mod key;
mod keys;
mod metrics;
mod refreshed;
mod refusal;
mod scope;
mod source;
#[cfg(test)]
mod testing;
mod url;

pub use authenticator::{Authenticator, Outside};
pub use error::AuthError;
pub use grant::{EmptyGrant, Grant, MAX_TENANTS};
pub use iam::Iam;
pub use key::{ApiKey, KeyHash, KeyId, KeyIdError, SECRET_BYTES};
pub use keys::{Keys, Rejected};
pub use metrics::Metrics;
pub use refusal::Refusal;
pub use scope::{Scope, Scopes};
pub use source::{Fetched, FileSource, Source};
pub use url::UrlSource;
