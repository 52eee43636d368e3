use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Result;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use icegate_model::Table;
use icegate_storage::Store;

use crate::footers::Damaged;
use crate::reader::PinnedReaders;

/// Where the objects of one kind are, for DataFusion.
#[derive(Clone)]
pub(crate) struct Source {
    /// Under this URL DataFusion finds the store; it says nothing of where the store is.
    pub(crate) url: ObjectStoreUrl,
    pub(crate) readers: Arc<PinnedReaders>,
}

impl Source {
    /// Makes a store known under a name; what its readers find damaged is noted in `damaged`, where that may be left out of an
    /// answer.
    pub(crate) fn register(runtime: &RuntimeEnv, name: &str, store: &Store, damaged: Option<Damaged>) -> Result<Self> {
        let url = ObjectStoreUrl::parse(format!("icegate-{name}://store/"))?;
        runtime.register_object_store(url.as_ref(), Arc::clone(store));
        let cache = runtime.cache_manager.get_file_metadata_cache();
        Ok(Self { url, readers: Arc::new(PinnedReaders::new(Arc::clone(store), cache, damaged)) })
    }
}

/// The stores of the tables. Each table has its own, which is only known once the table was loaded.
#[derive(Default)]
pub(crate) struct TableSources {
    known: Mutex<HashMap<Table, (Store, Source)>>,
}

impl TableSources {
    pub(crate) fn of(&self, runtime: &RuntimeEnv, table: Table, store: &Store) -> Result<Source> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, source)) = known.get(&table).filter(|(same, _)| Arc::ptr_eq(same, store)) {
            return Ok(source.clone());
        }
        let source = Source::register(runtime, &format!("table-{table}"), store, None)?;
        known.insert(table, (Arc::clone(store), source.clone()));
        Ok(source)
    }
}
