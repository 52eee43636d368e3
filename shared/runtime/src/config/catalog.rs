//! What a catalog may be configured with.

use super::check::refuse;
use super::{CatalogBackend, Config, StorageBackend};
use crate::ConfigError;

/// Properties of a REST catalog. Beside them `header.NAME` is a header of every request.
const REST: [&str; 5] = ["prefix", "token", "credential", "oauth2-server-uri", "scope"];
const HEADER: &str = "header.";
/// Properties of AWS's catalogs.
const AWS: [&str; 2] = ["region", "endpoint"];

impl Config {
    pub(super) fn check_catalog(&self) -> Result<(), ConfigError> {
        match &self.catalog.backend {
            CatalogBackend::ObjectStore | CatalogBackend::Memory => self.check_properties(&[], "none"),
            CatalogBackend::Rest { uri } => {
                check_url("catalog.backend.rest.uri", uri)?;
                self.check_properties(&REST, "prefix, token, credential, oauth2-server-uri, scope and header.NAME")?;
                self.check_authentication()
            }
            CatalogBackend::Glue { catalog_id } => {
                if let Some(id) = catalog_id.as_ref().filter(|id| id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()))
                {
                    return refuse("catalog.backend.glue.catalog_id", format!("{id:?}: it has 12 digits"));
                }
                self.check_properties(&AWS, "region and endpoint")
            }
            CatalogBackend::S3Tables { table_bucket_arn: arn } => {
                self.check_table_bucket(arn)?;
                self.check_properties(&AWS, "region and endpoint")
            }
        }
    }

    fn check_properties(&self, known: &[&str], allowed: &str) -> Result<(), ConfigError> {
        let is_header = |key: &str| known.contains(&"token") && key.len() > HEADER.len() && key.starts_with(HEADER);
        match self.catalog.properties.keys().find(|key| !known.contains(&key.as_str()) && !is_header(key)) {
            Some(key) => refuse(
                &format!("catalog.properties.{key}"),
                format!("is not known for this catalog.backend, allowed are {allowed}"),
            ),
            None => self.catalog.property("endpoint").map_or(Ok(()), |url| check_url("catalog.properties.endpoint", url)),
        }
    }

    fn check_authentication(&self) -> Result<(), ConfigError> {
        let is_set = |key: &str| self.catalog.properties.contains_key(key);
        if is_set("token") && is_set("credential") {
            return refuse("catalog.properties.token", "and credential exclude each other");
        }
        if let Some(key) = ["oauth2-server-uri", "scope"].into_iter().find(|key| is_set(key) && !is_set("credential")) {
            return refuse(&format!("catalog.properties.{key}"), "says nothing without credential");
        }
        self.catalog.property("oauth2-server-uri").map_or(Ok(()), |url| check_url("catalog.properties.oauth2-server-uri", url))
    }

    fn check_table_bucket(&self, arn: &str) -> Result<(), ConfigError> {
        const KEY: &str = "catalog.backend.s3tables.table_bucket_arn";
        let parts: Vec<_> = arn.split(':').collect();
        let ["arn", partition, "s3tables", region, _, bucket] = parts.as_slice() else {
            return refuse(KEY, format!("{arn:?}: it has the form arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME"));
        };
        if !partition.starts_with("aws") || region.is_empty() || !bucket.starts_with("bucket/") {
            return refuse(KEY, format!("{arn:?}: it has the form arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME"));
        }
        match &self.storage.backend {
            // Tables are read and written with the storage's own settings.
            StorageBackend::S3 { region: storage, .. } if storage != region => {
                refuse(KEY, format!("{arn:?}: it is not in storage.backend.s3.region, {storage:?}"))
            }
            _ => Ok(()),
        }
    }
}

fn check_url(key: &str, url: &str) -> Result<(), ConfigError> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(());
    }
    refuse(key, format!("{url:?}: it starts with http:// or https://"))
}
