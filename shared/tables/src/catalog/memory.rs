use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use iceberg::spec::TableMetadata;
use icegate_model::{Clock, Table};
use icegate_storage::Root;

use super::{Catalog, Loaded, MetadataChange, Swap, apply};
use crate::definition::Definition;
use crate::error::TablesError;
use crate::layout::Layout;
use crate::time::Moment;

/// Pointers that live and die with the process.
#[derive(Debug)]
pub(crate) struct MemoryCatalog {
    warehouse: Root,
    clock: Arc<dyn Clock>,
    tables: Mutex<HashMap<Table, Loaded>>,
    versions: AtomicU64,
}

impl MemoryCatalog {
    pub(crate) fn new(warehouse: Root, clock: Arc<dyn Clock>) -> Self {
        Self { warehouse, clock, tables: Mutex::default(), versions: AtomicU64::new(1) }
    }

    fn loaded(&self, table: Table, layout: Arc<Layout>, metadata: TableMetadata) -> Loaded {
        let location = format!("memory:{table}/v{}", self.versions.fetch_add(1, Ordering::Relaxed));
        Loaded { metadata: Arc::new(metadata), token: location.clone(), location, layout, seen: Moment::now(self.clock.as_ref()) }
    }
}

#[async_trait]
impl Catalog for MemoryCatalog {
    async fn load(&self, table: Table, _known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tables.get(&table).cloned())
    }

    async fn create(&self, definition: Definition) -> Result<Swap, TablesError> {
        let table = definition.table;
        let layout = Arc::new(Layout::in_warehouse(&self.warehouse, table));
        let metadata = definition.metadata_at(layout.location())?;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.contains_key(&table) {
            return Ok(Swap::Conflict);
        }
        let loaded = self.loaded(table, layout, metadata);
        tables.insert(table, loaded.clone());
        Ok(Swap::Swapped(loaded))
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.get(&table).is_none_or(|current| current.token != base.token) {
            return Ok(Swap::Conflict);
        }
        let Some((metadata, _)) = apply(table, base, change)? else {
            return Ok(Swap::Conflict);
        };
        let loaded = self.loaded(table, Arc::clone(&base.layout), metadata);
        tables.insert(table, loaded.clone());
        Ok(Swap::Swapped(loaded))
    }

    fn location(&self, table: Table) -> Option<String> {
        Some(Layout::in_warehouse(&self.warehouse, table).location().to_owned())
    }
}
