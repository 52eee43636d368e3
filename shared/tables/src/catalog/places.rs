use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use icegate_model::Table;
use icegate_storage::Stores;

use crate::error::TablesError;
use crate::layout::Layout;

/// Opens tables where a catalog says that they are; each place once.
#[derive(Debug)]
pub(super) struct Places {
    stores: Stores,
    open: Mutex<HashMap<Table, Arc<Layout>>>,
}

impl Places {
    pub(super) fn new(stores: Stores) -> Self {
        Self { stores, open: Mutex::default() }
    }

    /// The place at a table's location, with or without a slash at its end. Makes no request.
    pub(super) fn open(&self, table: Table, location: &str) -> Result<Arc<Layout>, TablesError> {
        let location = location.trim_end_matches('/');
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = open.get(&table).filter(|layout| layout.location() == location) {
            return Ok(Arc::clone(layout));
        }
        let root = self.stores.open(&format!("{location}/"));
        let root = root.map_err(|source| TablesError::Place { table, location: location.to_owned(), source })?;
        let layout = Arc::new(Layout { root });
        open.insert(table, Arc::clone(&layout));
        Ok(layout)
    }
}
