//! An Iceberg REST catalog: it holds the metadata itself and applies changes that are sent to it.
//!
//! A status says what is known of a change: 409 that another was first, 500, 502 and 504 and a lost reply that nobody knows,
//! everything else that nothing happened. Credentials that a server offers for its storage are not asked for: files are read
//! and written with the process's own.

mod authentication;
mod client;
mod creation;
mod options;

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use iceberg::TableUpdate;
use iceberg::spec::TableMetadata;
use icegate_model::{Clock, ErrorKind, IdGenerator, Table};
use icegate_storage::Stores;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use self::client::{Client, Failure, Reply, RestError};
use self::creation::{Creator, creation, staging};
pub use self::options::{RestAuthentication, RestOptions};
use super::places::Places;
use super::{Catalog, Loaded, MetadataChange, NAMESPACE, Swap};
use crate::commit::snapshot_id;
use crate::definition::Definition;
use crate::error::TablesError;
use crate::time::Moment;

/// Pointers on a server.
#[derive(Debug)]
pub(crate) struct RestCatalog {
    client: Client,
    /// The URL with `/v1`.
    base: String,
    warehouse: Option<String>,
    prefix: Option<String>,
    places: Places,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    /// The URL below which namespaces are, once the server was asked.
    namespaces: OnceCell<String>,
}

#[derive(Deserialize)]
struct ConfigReply {
    #[serde(default)]
    defaults: HashMap<String, Option<String>>,
    #[serde(default)]
    overrides: HashMap<String, Option<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct TableReply<'a> {
    metadata_location: String,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

#[derive(Deserialize)]
struct StagedReply {
    metadata: TableMetadata,
}

impl RestCatalog {
    pub(crate) fn new(
        options: RestOptions,
        stores: Stores,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, TablesError> {
        let base = format!("{}/v1", options.uri.trim_end_matches('/'));
        let client = Client::new(&options, &base, Arc::clone(&clock))
            .map_err(|error| failed("open", options.uri.clone(), ErrorKind::Invalid, error))?;
        let RestOptions { warehouse, prefix, .. } = options;
        Ok(Self { client, base, warehouse, prefix, places: Places::new(stores), clock, ids, namespaces: OnceCell::new() })
    }

    /// The URL below which namespaces are: what the server overrides, else what is configured, else what it suggests.
    async fn namespaces(&self) -> Result<&str, TablesError> {
        let ask = || async {
            let mut url = format!("{}/config", self.base);
            if let Some(warehouse) = &self.warehouse {
                url.push_str("?warehouse=");
                url.push_str(&encoded(warehouse, |_| false));
            }
            let failed = |error| failed("load", "its configuration".to_owned(), ErrorKind::Unavailable, error);
            let reply = self.client.call(Method::GET, &url, None).await.map_err(|failure| failed(failure.into_error()))?;
            if !reply.status.is_success() {
                return Err(refused("load", "its configuration".to_owned(), &reply));
            }
            let ConfigReply { mut defaults, mut overrides } = reply.json("configuration").map_err(failed)?;
            let mut setting = |key: &str, own: Option<&String>| {
                let overridden = overrides.remove(key).flatten();
                overridden.or_else(|| own.cloned()).or_else(|| defaults.remove(key).flatten())
            };
            let base = match setting("uri", None) {
                Some(uri) => format!("{}/v1", uri.trim_end_matches('/')),
                None => self.base.clone(),
            };
            Ok(match setting("prefix", self.prefix.as_ref()) {
                Some(prefix) if !prefix.is_empty() => {
                    // A server may give it encoded already.
                    format!("{base}/{}/namespaces", encoded(&prefix, |byte| b"%/".contains(&byte)))
                }
                _ => format!("{base}/namespaces"),
            })
        };
        self.namespaces.get_or_try_init(ask).await.map(String::as_str)
    }

    async fn table_url(&self, table: Table) -> Result<String, TablesError> {
        Ok(format!("{}/{NAMESPACE}/tables/{table}", self.namespaces().await?))
    }

    fn loaded(&self, table: Table, reply: &Reply) -> Result<Loaded, TablesError> {
        let unreadable = |error| failed("load", name(table), ErrorKind::Corrupt, error);
        let TableReply { metadata_location: location, metadata } = reply.json("table").map_err(unreadable)?;
        let metadata = metadata_of(metadata.get()).map_err(|error| unreadable(RestError::reply("metadata", error)))?;
        let layout = self.places.open(table, metadata.location())?;
        Ok(Loaded {
            metadata: Arc::new(metadata),
            token: location.clone(),
            location,
            layout,
            seen: Moment::now(self.clock.as_ref()),
        })
    }

    async fn create_namespace(&self) -> Result<(), TablesError> {
        let url = self.namespaces().await?;
        let object = || format!("namespace {NAMESPACE}");
        let failed = |failure: Failure| failed("create", object(), ErrorKind::Unavailable, failure.into_error());
        let found = self.client.call(Method::GET, &format!("{url}/{NAMESPACE}"), None).await.map_err(failed)?;
        if found.status.is_success() {
            return Ok(());
        }
        let body = json!({ "namespace": [NAMESPACE], "properties": {} });
        let created = self.client.call(Method::POST, url, Some(&body)).await.map_err(failed)?;
        match created.status {
            StatusCode::CONFLICT => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(refused("create", object(), &created)),
        }
    }

    /// What the server would make of a table; `None` where it exists.
    async fn stage(&self, definition: &Definition) -> Result<Option<TableMetadata>, TablesError> {
        let table = definition.table;
        let url = format!("{}/{NAMESPACE}/tables", self.namespaces().await?);
        let mut body = staging(definition)?;
        let failed = |failure: Failure| failed("create", name(table), ErrorKind::Unavailable, failure.into_error());
        let mut reply = self.client.call(Method::POST, &url, Some(&body)).await.map_err(failed)?;
        let wants_place = reply.status == StatusCode::BAD_REQUEST && mentions_location(&reply);
        if let Some(place) = self.place(table).filter(|_| wants_place) {
            body["location"] = place.into();
            reply = self.client.call(Method::POST, &url, Some(&body)).await.map_err(failed)?;
        }
        match reply.status {
            StatusCode::CONFLICT => Ok(None),
            status if status.is_success() => {
                let unreadable = |error| self::failed("create", name(table), ErrorKind::Corrupt, error);
                let StagedReply { metadata } = reply.json("staged table").map_err(unreadable)?;
                Ok(Some(metadata))
            }
            _ => Err(refused("create", name(table), &reply)),
        }
    }

    async fn change(&self, doing: &'static str, table: Table, change: MetadataChange) -> Result<Swap, TablesError> {
        let MetadataChange { requirements, updates } = change;
        let updates: Vec<_> = updates.iter().map(update).collect();
        let identifier = json!({ "namespace": [NAMESPACE], "name": table.to_string() });
        let body = json!({ "identifier": identifier, "requirements": requirements, "updates": updates });
        let changed = self.client.call(Method::POST, &self.table_url(table).await?, Some(&body)).await;
        self.outcome(doing, table, changed)
    }

    /// What came of a request that changes a table.
    fn outcome(&self, doing: &'static str, table: Table, result: Result<Reply, Failure>) -> Result<Swap, TablesError> {
        let reply = match result {
            Ok(reply) => reply,
            Err(Failure::Lost(error)) => return Ok(Swap::Unknown(error.into())),
            Err(Failure::NotSent(error)) => return Err(failed(doing, name(table), ErrorKind::Unavailable, error)),
        };
        match reply.status.as_u16() {
            200..=299 => match self.loaded(table, &reply) {
                Ok(loaded) => Ok(Swap::Swapped(loaded)),
                // It happened, but what happened can't be read; another look will tell.
                Err(error) => Ok(Swap::Unknown(error.into())),
            },
            409 => Ok(Swap::Conflict),
            500 | 502 | 504 => Ok(Swap::Unknown(reply.error().into())),
            _ => Err(refused(doing, name(table), &reply)),
        }
    }

    /// A place for servers that don't choose one themselves.
    fn place(&self, table: Table) -> Option<String> {
        let warehouse = self.warehouse.as_ref().filter(|warehouse| warehouse.contains("://"))?;
        Some(format!("{}/{NAMESPACE}/{table}", warehouse.trim_end_matches('/')))
    }
}

#[async_trait]
impl Catalog for RestCatalog {
    async fn load(&self, table: Table, _known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError> {
        let reply = self.client.call(Method::GET, &self.table_url(table).await?, None).await;
        let reply = reply.map_err(|failure| failed("load", name(table), ErrorKind::Unavailable, failure.into_error()))?;
        match reply.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => self.loaded(table, &reply).map(Some),
            _ => Err(refused("load", name(table), &reply)),
        }
    }

    async fn create(&self, definition: Definition) -> Result<Swap, TablesError> {
        self.create_namespace().await?;
        let table = definition.table;
        let Some(staged) = self.stage(&definition).await? else { return Ok(Swap::Conflict) };
        let layout = self.places.open(table, staged.location())?;
        let creator = Creator {
            commit: self.ids.unique(),
            snapshot_id: snapshot_id(self.ids.unique()),
            at_millis: self.clock.now().millis(),
        };
        let change = creation(definition, &staged, &layout, creator).await?;
        self.change("create", table, change).await
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        if change.requirements.iter().any(|requirement| requirement.check(Some(&base.metadata)).is_err()) {
            return Ok(Swap::Conflict);
        }
        self.change("commit", table, change).await
    }

    fn location(&self, _table: Table) -> Option<String> {
        None
    }

    /// A server may keep branches and versions that a table's metadata doesn't show (Nessie does), so that a file which looks
    /// unneeded from here may be needed there. The server's own tools know.
    fn is_managed(&self) -> bool {
        true
    }
}

fn name(table: Table) -> String {
    format!("{NAMESPACE}.{table}")
}

/// An update as it is sent.
fn update(update: &TableUpdate) -> Value {
    let mut value = json!(update);
    if let TableUpdate::AddSchema { schema } = update {
        // The protocol leaves it out by now; servers that are a little older insist on it.
        value["last-column-id"] = schema.highest_field_id().into();
    }
    value
}

/// A table's metadata. A server that stamps it with its own clock may have one that is behind ours, and then the metadata seems
/// older than its newest snapshot, which the library takes for damage.
fn metadata_of(text: &str) -> serde_json::Result<TableMetadata> {
    let error = match serde_json::from_str(text) {
        Ok(metadata) => return Ok(metadata),
        Err(error) => error,
    };
    let mut value: Value = serde_json::from_str(text)?;
    let times = |key: &str| value[key].as_array().into_iter().flatten().filter_map(|entry| entry["timestamp-ms"].as_i64());
    let newest = times("snapshot-log").chain(times("metadata-log")).max();
    match (newest, value["last-updated-ms"].as_i64()) {
        (Some(newest), Some(stamped)) if newest > stamped => value["last-updated-ms"] = newest.into(),
        _ => return Err(error),
    }
    serde_json::from_value(value)
}

fn mentions_location(reply: &Reply) -> bool {
    reply.error().to_string().to_lowercase().contains("location")
}

/// Text as part of a URL; `keep` says what stays beside letters, digits and `-._~`.
fn encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn failed(doing: &'static str, object: String, kind: ErrorKind, error: RestError) -> TablesError {
    TablesError::Catalog { doing, object, kind, source: error.into() }
}

/// A reply that says that nothing happened.
fn refused(doing: &'static str, object: String, reply: &Reply) -> TablesError {
    let kind = match reply.status.as_u16() {
        404 => ErrorKind::NotFound,
        400 | 405 | 406 | 422 => ErrorKind::Invalid,
        409 => ErrorKind::Conflict,
        // Refused credentials too: the data behind them is right, and the request can be repeated.
        _ => ErrorKind::Unavailable,
    };
    failed(doing, object, kind, reply.error())
}

#[cfg(test)]
mod tests {
    use icegate_model::{RandomIds, SystemClock};

    use super::*;

    #[test]
    fn metadata_of_a_server_whose_clock_is_behind_is_read() {
        let definition = Definition::new(Table::Logs, &RandomIds, SystemClock.now()).unwrap();
        let mut value = serde_json::to_value(definition.metadata_at("s3://b/t").unwrap()).unwrap();
        value["last-updated-ms"] = 5_000.into();
        value["metadata-log"] = json!([{ "metadata-file": "s3://b/t/metadata/0.json", "timestamp-ms": 100_000 }]);
        assert!(serde_json::from_value::<TableMetadata>(value.clone()).is_err());
        assert_eq!(metadata_of(&value.to_string()).unwrap().last_updated_ms(), 100_000);
        value["format-version"] = 9.into();
        assert!(metadata_of(&value.to_string()).is_err());
    }

    #[test]
    fn a_warehouse_is_encoded_and_an_encoded_prefix_stays() {
        assert_eq!(encoded("s3://w/a b", |_| false), "s3%3A%2F%2Fw%2Fa%20b");
        assert_eq!(encoded("main|w%2Fx/y", |byte| b"%/".contains(&byte)), "main%7Cw%2Fx/y");
    }
}
