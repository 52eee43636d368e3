use std::sync::Arc;

use icegate_model::{Clock, IdGenerator};
use icegate_runtime::config::{Catalog, CatalogBackend, Config};
use icegate_storage::Stores;
use icegate_storage::aws::AwsOptions;
use icegate_tables::{GlueOptions, RestAuthentication, RestOptions, Tables};

use crate::{LakeError, places};

/// Opens the tables of the catalog that the configuration names. Makes no request to it.
pub(crate) fn open_tables(
    config: &Config,
    stores: &Stores,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
) -> Result<Tables, LakeError> {
    let catalog = &config.catalog;
    let warehouse = || places::open(stores, places::WAREHOUSE, &catalog.warehouse);
    Ok(match &catalog.backend {
        CatalogBackend::ObjectStore => Tables::object_store(warehouse()?, clock, ids),
        CatalogBackend::Memory => Tables::memory(warehouse()?, clock, ids),
        CatalogBackend::Rest { uri } => Tables::rest(rest_options(uri, catalog), stores.clone(), clock, ids)?,
        CatalogBackend::Glue { catalog_id } => {
            let (catalog_id, warehouse) = (catalog_id.clone(), catalog.warehouse.clone());
            let options = GlueOptions { catalog_id, warehouse, aws: catalog_aws_options(config, None) };
            Tables::glue(options, stores.clone(), clock, ids)
        }
        CatalogBackend::S3Tables { table_bucket_arn: arn } => {
            let aws = catalog_aws_options(config, arn.split(':').nth(3));
            Tables::s3_tables(arn.clone(), aws, stores.clone(), clock, ids)
        }
    })
}

fn rest_options(uri: &str, catalog: &Catalog) -> RestOptions {
    let property = |key: &str| catalog.property(key).map(str::to_owned);
    let authentication = match (property("token"), property("credential")) {
        (Some(token), _) => RestAuthentication::Bearer(token),
        (None, Some(credential)) => {
            RestAuthentication::OAuth2 { credential, server_uri: property("oauth2-server-uri"), scope: property("scope") }
        }
        (None, None) => RestAuthentication::None,
    };
    let headers = catalog.properties.iter().filter_map(|(key, value)| Some((key.strip_prefix("header.")?, value.reveal())));
    RestOptions {
        uri: uri.to_owned(),
        warehouse: Some(catalog.warehouse.clone()).filter(|warehouse| !warehouse.is_empty()),
        prefix: property("prefix"),
        authentication,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// Where the catalog's service is: a server that stands in for S3 doesn't stand in for it.
fn catalog_aws_options(config: &Config, region: Option<&str>) -> AwsOptions {
    let region = config.catalog.property("region").or(region).map(str::to_owned);
    let AwsOptions { region: of_storage, .. } = places::aws_options(config);
    let endpoint = config.catalog.property("endpoint").map(str::to_owned);
    AwsOptions { region: region.or(of_storage), endpoint, ..AwsOptions::default() }
}
