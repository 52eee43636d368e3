//! The data that a configuration names: its stores, the WAL and the tables, and what works on them.
//!
//! Row 5, between the stages and their hosts: the process and the functions open the same [`Lake`], so that a key of the configuration
//! means the same in both. It links no DataFusion: what queries need is put together where they are answered.
//!
//! - **COUNTED-1** every request to a store that a lake's parts make is counted in one [`RequestMetrics`](icegate_storage::RequestMetrics),
//!   leases and metadata included.
//! - Opening makes no request. Tables, shifter and maintainer are made when they are asked for, so that a host that only writes to the
//!   WAL neither opens nor links the tables.
//!
//! ```
//! use icegate_lake::Lake;
//! use icegate_runtime::Config;
//! use prometheus_client::registry::Registry;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let config = Config::from_yaml("storage: { backend: memory }", std::path::Path::new("data"))?;
//! let lake = Lake::open(config, &mut Registry::default())?;
//! assert_eq!(lake.requests().counts().list, 0);
//! assert!(lake.wal().list(icegate_model::Table::Logs).await?.segments.is_empty());
//! assert_eq!(lake.requests().counts().list, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod error;
mod generator;
mod jobs;
mod lake;
mod places;
mod surroundings;
mod writer;

pub use error::LakeError;
pub use lake::Lake;
pub use places::{aws_options, check};
pub use surroundings::Surroundings;
pub use writer::writer_config;
