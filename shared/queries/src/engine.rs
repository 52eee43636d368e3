use std::sync::Arc;
use std::time::Duration;

use icegate_engine::{Engine, EngineConfig, EngineError};
use icegate_runtime::config::Config;
use prometheus_client::registry::Registry;

use crate::Data;

/// What all query APIs of a process read with: over the tables and, unless it is switched off, the WAL. One a process, since it holds
/// the memory bound.
///
/// # Errors
/// Those of [`Engine::new`].
pub fn engine(config: &Config, data: &Data, registry: &mut Registry) -> Result<Arc<Engine>, EngineError> {
    let wal = config.engine.wal_query_enabled.then(|| Arc::clone(&data.wal));
    let engine = Engine::new(Arc::clone(&data.tables), wal, bounds(config))?;
    engine.metrics().register(registry);
    Ok(Arc::new(engine))
}

fn bounds(config: &Config) -> EngineConfig {
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
