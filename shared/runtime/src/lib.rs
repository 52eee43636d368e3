//! What a process needs before it does anything: its configuration, its own telemetry, and a way to stop.
//!
//! Row 1, used by the hosts. It knows the keys that users write and no part of the work that they configure.
//!
//! - A configuration with an unknown key, a wrong type or a bad value never starts a process: [`Config::load`] names the key's path,
//!   the value and what is allowed.
//! - Secrets don't print ([`Secret`]).
//!
//! ```
//! use icegate_runtime::Config;
//!
//! let config = Config::from_yaml("loki: { port: 3101 }", std::path::Path::new("data"))?;
//! assert_eq!(config.loki.port, 3101);
//! let error = Config::from_yaml("loki: { prot: 3101 }", std::path::Path::new("data")).unwrap_err();
//! assert!(error.to_string().contains("prot"));
//! # Ok::<(), icegate_runtime::ConfigError>(())
//! ```

pub mod config;
mod error;
mod secret;
mod shutdown;
mod telemetry;

pub use config::Config;
pub use error::ConfigError;
pub use secret::Secret;
pub use shutdown::stop_on_signal;
pub use telemetry::{Telemetry, TelemetryError};
