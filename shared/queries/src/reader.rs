use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use icegate_engine::{Engine, EngineConfig, EngineError};
use icegate_model::Clock;
use icegate_runtime::config::Config;
use prometheus_client::registry::Registry;

use crate::Data;

/// What all query APIs of a host read by: one engine, so that they share its memory and its caches.
#[derive(Clone)]
pub struct Reader {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Reader {
    /// Reads the tables and, unless it is switched off, the WAL.
    ///
    /// # Errors
    /// Those of [`Engine::new`].
    pub fn new(config: &Config, data: &Data, registry: &mut Registry) -> Result<Self, EngineError> {
        let wal = config.engine.wal_query_enabled.then(|| Arc::clone(&data.wal));
        let engine = Engine::new(Arc::clone(&data.tables), wal, engine(config))?;
        engine.metrics().register(registry);
        Ok(Self { engine: Arc::new(engine), clock: Arc::clone(&data.clock) })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("engine", &self.engine).finish_non_exhaustive()
    }
}

fn engine(config: &Config) -> EngineConfig {
    let (engine, default) = (&config.engine, EngineConfig::default());
    EngineConfig {
        batch_size: engine.batch_size,
        target_partitions: engine.target_partitions,
        memory_bytes: engine.memory_size_mb << 20,
        footer_cache_entries: config.queue.read.metadata_entries_cache_capacity,
        wal_metadata_size_hint: engine.wal_metadata_size_hint.unwrap_or(default.wal_metadata_size_hint),
        max_age: Duration::from_secs(engine.max_age_secs),
        ..default
    }
}
