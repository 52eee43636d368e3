use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use iceberg::spec::TableMetadata;
use icegate_model::{Clock, Table};

use super::{Catalog, Loaded, MetadataChange, Swap, apply};
use crate::error::TablesError;

/// Pointers that live and die with the process.
#[derive(Debug)]
pub(crate) struct MemoryCatalog {
    clock: Arc<dyn Clock>,
    tables: Mutex<HashMap<Table, Loaded>>,
}

impl MemoryCatalog {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tables: Mutex::default() }
    }

    fn loaded(&self, table: Table, metadata: TableMetadata, token: u64) -> Loaded {
        let location = format!("memory:{table}/v{token}");
        Loaded { metadata: Arc::new(metadata), location, token, seen: self.clock.now() }
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn load(&self, table: Table) -> Result<Option<Loaded>, TablesError> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tables.get(&table).cloned())
    }

    async fn refresh(&self, table: Table, _known: &Loaded) -> Result<Option<Loaded>, TablesError> {
        self.load(table).await
    }

    async fn create(&self, table: Table, metadata: TableMetadata) -> Result<Swap, TablesError> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.contains_key(&table) {
            return Ok(Swap::Conflict);
        }
        let loaded = self.loaded(table, metadata, 1);
        tables.insert(table, loaded.clone());
        Ok(Swap::Swapped(loaded))
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.get(&table).is_none_or(|current| current.token != base.token) {
            return Ok(Swap::Conflict);
        }
        let Some((metadata, _)) = apply(table, base, change, self.clock.now())? else {
            return Ok(Swap::Conflict);
        };
        let loaded = self.loaded(table, metadata, base.token + 1);
        tables.insert(table, loaded.clone());
        Ok(Swap::Swapped(loaded))
    }
}
