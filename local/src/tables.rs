use std::collections::BTreeMap;
use std::sync::Arc;

use icegate_model::{Clock, IdGenerator};
use icegate_runtime::config::{CatalogBackend, Config};
use icegate_storage::Stores;
use icegate_storage::aws::AwsOptions;
use icegate_tables::{GlueOptions, RestAuthentication, RestOptions, Tables};

use crate::error::ProcessError;
use crate::stores;

/// Opens the tables at the catalog that the configuration names; their files with `stores`.
pub(crate) async fn open(
    config: &Config,
    stores: &Stores,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
) -> Result<Tables, ProcessError> {
    let warehouse = || stores::open(stores, stores::WAREHOUSE, &config.catalog.warehouse);
    Ok(match &config.catalog.backend {
        CatalogBackend::ObjectStore => Tables::object_store(warehouse()?, clock, ids),
        CatalogBackend::Memory => Tables::memory(warehouse()?, clock, ids),
        CatalogBackend::Rest { uri } => Tables::rest(rest(config, uri)?, stores.clone(), clock, ids)?,
        CatalogBackend::Glue { catalog_id } => {
            let (catalog_id, warehouse) = (catalog_id.clone(), config.catalog.warehouse.clone());
            let options = GlueOptions { catalog_id, warehouse, aws: control_plane(config) };
            Box::pin(Tables::glue(options, stores.clone(), clock, ids)).await
        }
        CatalogBackend::S3Tables { table_bucket_arn } => {
            let (arn, aws) = (table_bucket_arn.clone(), control_plane(config));
            Box::pin(Tables::s3_tables(arn, &aws, stores.clone(), clock, ids)).await
        }
    })
}

/// Says what is wrong with the catalog's properties, without opening it.
pub(crate) fn check(config: &Config) -> Result<(), ProcessError> {
    match &config.catalog.backend {
        CatalogBackend::Rest { uri } => rest(config, uri).map(drop),
        CatalogBackend::ObjectStore | CatalogBackend::Memory => Ok(()),
        CatalogBackend::Glue { .. } | CatalogBackend::S3Tables { .. } => nothing_left(config.catalog.properties.clone()),
    }
}

/// AWS's own services, where the storage's endpoint is none of theirs.
fn control_plane(config: &Config) -> AwsOptions {
    AwsOptions { endpoint: None, ..stores::aws(config) }
}

/// `catalog.properties` by the names that Iceberg's own clients give them.
fn rest(config: &Config, uri: &str) -> Result<RestOptions, ProcessError> {
    let mut properties = config.catalog.properties.clone();
    let authentication = match (properties.remove("token"), properties.remove("credential")) {
        (Some(token), None) => RestAuthentication::Bearer(token),
        (None, Some(credential)) => {
            let server_uri = properties.remove("oauth2-server-uri");
            RestAuthentication::OAuth2 { credential, server_uri, scope: properties.remove("scope") }
        }
        (None, None) => RestAuthentication::None,
        (Some(_), Some(_)) => return Err(property("token", "excludes credential")),
    };
    let headers: Vec<_> =
        properties.iter().filter_map(|(name, value)| Some((name.strip_prefix("header.")?.to_owned(), value.clone()))).collect();
    properties.retain(|name, _| !name.starts_with("header."));
    let options = RestOptions {
        uri: uri.to_owned(),
        warehouse: Some(properties.remove("warehouse").unwrap_or_else(|| config.catalog.warehouse.clone())),
        prefix: properties.remove("prefix"),
        authentication,
        headers,
    };
    nothing_left(properties)?;
    Ok(options)
}

fn nothing_left(properties: BTreeMap<String, String>) -> Result<(), ProcessError> {
    match properties.into_keys().next() {
        Some(name) => Err(property(&name, "is not known to this catalog")),
        None => Ok(()),
    }
}

fn property(name: &str, message: &'static str) -> ProcessError {
    ProcessError::CatalogProperty { name: name.to_owned(), message }
}
