//! The query APIs as a configuration wants them: their engine, bounds and routes.
//!
//! Row 5, between the APIs and their hosts: the process and the functions serve the same routes, so that a key of the configuration means
//! the same in both. Links DataFusion, which what opens the data (`icegate-lake`) does not.
//!
//! ```
//! # use std::sync::Arc;
//! # use icegate_model::{RandomIds, SystemClock};
//! # use icegate_storage::Root;
//! use icegate_queries::{BuildInfo, Data, Reader, loki, prometheus, tempo};
//! use icegate_runtime::Config;
//! use prometheus_client::registry::Registry;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # let (tables, wal) = (Root::memory(), icegate_wal::Wal::new(Root::memory()));
//! # let tables = icegate_tables::Tables::memory(tables, Arc::new(SystemClock), Arc::new(RandomIds));
//! let config = Config::from_yaml("loki: { query_timeout_secs: 20 }", std::path::Path::new("data"))?;
//! let data = Data { tables: Arc::new(tables), wal: Arc::new(wal), clock: Arc::new(SystemClock) };
//! let mut registry = Registry::default();
//! let reader = Reader::new(&config, &data, &mut registry)?;
//! let loki: axum::Router = loki(&config, &reader, BuildInfo::default(), &mut registry);
//! let tempo: axum::Router = tempo(&config, &reader, BuildInfo::default(), &mut registry);
//! let prometheus: axum::Router = prometheus(&config, &reader, BuildInfo::default());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod loki;
mod prometheus;
mod reader;
mod tempo;

use std::fmt;
use std::sync::Arc;

use icegate_model::Clock;
use icegate_tables::Tables;
use icegate_wal::Wal;

pub use icegate_engine::EngineError;
pub use icegate_loki_api::{BuildInfo, ErrorFormat, refuse as refuse_loki};
pub use icegate_prometheus_api::refuse as refuse_prometheus;
pub use icegate_tempo_api::{Method as TempoMethod, Streams as TempoStreams, TempoError, refuse as refuse_tempo};
pub use loki::{loki, loki_errors};
pub use prometheus::prometheus;
pub use reader::Reader;
pub use tempo::{tempo, tempo_and_streams};

/// What queries read.
#[derive(Clone)]
pub struct Data {
    /// The tables.
    pub tables: Arc<Tables>,
    /// What isn't in them yet.
    pub wal: Arc<Wal>,
    /// Decides what "now" is.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").finish_non_exhaustive()
    }
}
