//! Tables in memory that every environment reaches.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::{Deadline, Invocation};
use icegate_function_migrate::Migrate;
use icegate_lake::{Lake, Surroundings};
use icegate_model::{Clock, SystemClock, Table};
use icegate_runtime::Config;
use icegate_storage::Store;
use object_store::memory::InMemory;
use prometheus_client::registry::Registry;

pub(crate) struct World {
    store: Store,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { store: Arc::new(InMemory::new()) }
    }

    fn surroundings(&self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> Surroundings {
        let store = Arc::clone(&self.store);
        Surroundings::default().with_wrap(move |_| wrap(Arc::clone(&store)))
    }

    pub(crate) async fn environment(&self, wrap: impl Fn(Store) -> Store + Send + Sync + 'static) -> Migrate {
        Migrate::open_in(config(), self.surroundings(wrap), &mut Registry::default()).await.unwrap()
    }

    /// The tables that there are.
    pub(crate) async fn tables(&self) -> Vec<Table> {
        let lake = Lake::open_in(config(), self.surroundings(|store| store), &mut Registry::default()).unwrap();
        let tables = lake.tables().unwrap();
        let mut found = Vec::new();
        for table in Table::ALL {
            if tables.snapshot(table).await.is_ok() {
                found.push(table);
            }
        }
        found
    }
}

fn config() -> Config {
    Config::from_yaml("storage: { backend: memory }", Path::new("data")).unwrap()
}

pub(crate) fn invocation(time: Duration) -> Invocation {
    let millis = (SystemClock.now() + time).millis();
    Invocation { request_id: "invocation".to_owned(), deadline: Deadline::from_millis(u64::try_from(millis).unwrap()) }
}
