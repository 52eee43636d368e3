use icegate_runtime::config::{Config, StorageBackend};
use icegate_storage::aws::AwsOptions;
use icegate_storage::{Root, Stores};

use crate::error::ProcessError;

pub(crate) const WAREHOUSE: &str = "catalog.warehouse";
pub(crate) const QUEUE: &str = "queue.common.base_path";

/// Where AWS is, for everything in the process that speaks to it. What is not configured comes from the environment.
pub(crate) fn aws(config: &Config) -> AwsOptions {
    match &config.storage.backend {
        StorageBackend::S3 { region, endpoint, .. } => {
            AwsOptions { region: Some(region.clone()), endpoint: endpoint.clone(), ..AwsOptions::default() }
        }
        StorageBackend::Filesystem { .. } | StorageBackend::Memory => AwsOptions::default(),
    }
}

/// What opens the places that the configuration names.
pub(crate) fn stores(config: &Config) -> Stores {
    Stores::new(aws(config))
}

/// Opens the place that a key names.
pub(crate) fn open(stores: &Stores, key: &'static str, url: &str) -> Result<Root, ProcessError> {
    stores.open(url).map_err(|source| ProcessError::Storage { key, source })
}

/// Whether the places can be opened, without opening them.
pub(crate) fn check(config: &Config) -> Result<(), ProcessError> {
    let stores = stores(config);
    let warehouse = config.catalog.place().map(|url| (WAREHOUSE, url));
    warehouse
        .into_iter()
        .chain([(QUEUE, config.queue.common.base_path.as_str())])
        .try_for_each(|(key, url)| stores.check(url).map_err(|source| ProcessError::Storage { key, source }))
}
