use icegate_runtime::config::{Config, StorageBackend};
use icegate_storage::aws::AwsOptions;
use icegate_storage::{Root, Stores};

use crate::LakeError;

pub(crate) const WAREHOUSE: &str = "catalog.warehouse";
pub(crate) const QUEUE: &str = "queue.common.base_path";

/// Where AWS is, for everything in a host that speaks to it. What is not configured comes from the environment.
#[must_use]
pub fn aws_options(config: &Config) -> AwsOptions {
    match &config.storage.backend {
        StorageBackend::S3 { region, endpoint, .. } => {
            AwsOptions { region: Some(region.clone()), endpoint: endpoint.clone(), ..AwsOptions::default() }
        }
        StorageBackend::Filesystem { .. } | StorageBackend::Memory => AwsOptions::default(),
    }
}

/// Opens the place that a key names.
pub(crate) fn open(stores: &Stores, key: &'static str, url: &str) -> Result<Root, LakeError> {
    stores.open(url).map_err(|source| LakeError::Place { key, source })
}

/// Whether the places can be opened, without opening them.
///
/// # Errors
/// [`LakeError::Place`], for the first that can't.
pub fn check(config: &Config) -> Result<(), LakeError> {
    let stores = Stores::new(aws_options(config));
    let warehouse = config.catalog.place().map(|url| (WAREHOUSE, url));
    warehouse
        .into_iter()
        .chain([(QUEUE, config.queue.common.base_path.as_str())])
        .try_for_each(|(key, url)| stores.check(url).map_err(|source| LakeError::Place { key, source }))
}
