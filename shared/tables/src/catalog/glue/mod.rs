//! AWS Glue: the pointer is a parameter of a Glue table, swapped with the table's version.

mod columns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_glue::Client;
use aws_sdk_glue::config::http::HttpResponse;
use aws_sdk_glue::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{DatabaseInput, StorageDescriptor, Table as GlueTable, TableInput};
use iceberg::spec::TableMetadata;
use icegate_model::{Clock, ErrorKind, IdGenerator, Table};
use icegate_storage::Stores;
use icegate_storage::aws::AwsOptions;

use self::columns::columns;
use super::staged::StagedMetadata;
use super::{Catalog, Loaded, MetadataChange, NAMESPACE, Swap, aws};
use crate::definition::Definition;
use crate::error::{TablesError, corrupt};

const TABLE_TYPE: &str = "table_type";
const METADATA_LOCATION: &str = "metadata_location";
const PREVIOUS_METADATA_LOCATION: &str = "previous_metadata_location";

/// Where Glue is asked and where new tables go.
#[derive(Clone, Debug)]
pub struct GlueOptions {
    /// The account whose catalog it is; `None` means the caller's.
    pub catalog_id: Option<String>,
    /// URL below which new tables are put.
    pub warehouse: String,
    /// Region, endpoint and credentials.
    pub aws: AwsOptions,
}

/// Pointers in Glue's database `icegate`.
#[derive(Debug)]
pub(crate) struct GlueCatalog {
    client: aws::Lazy<Client>,
    catalog_id: Option<String>,
    warehouse: String,
    staged: StagedMetadata,
    /// The last seen definition of each table: what others put there stays when the pointer moves.
    seen: Mutex<HashMap<Table, GlueTable>>,
}

impl GlueCatalog {
    pub(crate) fn new(options: GlueOptions, stores: Stores, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        let GlueOptions { catalog_id, warehouse, aws } = options;
        let client = aws::Lazy::new(aws, |config| {
            Client::from_conf(aws_sdk_glue::config::Builder::from(config).timeout_config(aws::timeouts()).build())
        });
        let staged = StagedMetadata::new(stores, clock, ids);
        Self { client, catalog_id, warehouse, staged, seen: Mutex::default() }
    }

    fn place(&self, table: Table) -> String {
        format!("{}/{NAMESPACE}/{table}", self.warehouse.trim_end_matches('/'))
    }

    async fn create_database(&self, table: Table) -> Result<(), TablesError> {
        let input = DatabaseInput::builder().name(NAMESPACE).build().map_err(|error| invalid("create", table, error))?;
        let request = self.client.get().await.create_database().set_catalog_id(self.catalog_id.clone());
        match request.database_input(input).send().await {
            Err(error) if code(&error) != Some("AlreadyExistsException") => Err(failed("create", table, error)),
            _ => Ok(()),
        }
    }

    /// The definition that `base` was loaded with; `None` where a newer one was seen since.
    fn definition_of(&self, table: Table, base: &Loaded) -> Option<GlueTable> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&table).filter(|known| known.version_id() == Some(base.token.as_str())).cloned()
    }
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn load(&self, table: Table, known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError> {
        let request = self.client.get().await.get_table().set_catalog_id(self.catalog_id.clone());
        let found = match request.database_name(NAMESPACE).name(table.to_string()).send().await {
            Ok(found) => found.table,
            Err(error) if code(&error) == Some("EntityNotFoundException") => None,
            Err(error) => return Err(failed("load", table, error)),
        };
        let Some(found) = found else { return Ok(None) };
        let (location, version) = pointer(table, &found)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(table, found);
        self.staged.read(table, location, version, known).await.map(Some)
    }

    async fn create(&self, definition: Definition) -> Result<Swap, TablesError> {
        let (table, location) = (definition.table, self.place(definition.table));
        let metadata = definition.metadata_at(&location)?;
        let described = described(table, &metadata)?;
        let staged = self.staged.create(table, &location, metadata).await?;
        let parameters = parameters(HashMap::new(), &staged.location, None);
        let input = TableInput::builder().name(table.to_string()).table_type("EXTERNAL_TABLE").set_parameters(Some(parameters));
        let input = input.storage_descriptor(described).build().map_err(|error| invalid("create", table, error))?;
        let client = self.client.get().await;
        let create = || {
            let request = client.create_table().set_catalog_id(self.catalog_id.clone());
            request.database_name(NAMESPACE).table_input(input.clone()).send()
        };
        let mut created = create().await;
        if matches!(&created, Err(error) if code(error) == Some("EntityNotFoundException")) {
            self.create_database(table).await?;
            created = create().await;
        }
        match created {
            Ok(_) => Ok(Swap::Swapped(self.staged.swapped(staged, String::new()))),
            Err(error) if code(&error) == Some("AlreadyExistsException") => Ok(Swap::Conflict),
            Err(error) if aws::is_unknown(&error) => Ok(Swap::Unknown(DisplayErrorContext(error).to_string().into())),
            Err(error) => Err(failed("create", table, error)),
        }
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        // Also after a swap, which doesn't tell the new version.
        let Some(known) = self.definition_of(table, base) else { return Ok(Swap::Conflict) };
        let Some(staged) = self.staged.change(table, base, change).await? else { return Ok(Swap::Conflict) };
        let parameters = parameters(known.parameters.clone().unwrap_or_default(), &staged.location, Some(&base.location));
        let input =
            moved(known, parameters, described(table, &staged.metadata)?).map_err(|error| invalid("commit", table, error))?;
        let request = self.client.get().await.update_table().set_catalog_id(self.catalog_id.clone()).database_name(NAMESPACE);
        match request.table_input(input).version_id(&base.token).skip_archive(true).send().await {
            Ok(_) => Ok(Swap::Swapped(self.staged.swapped(staged, String::new()))),
            Err(error) if code(&error) == Some("ConcurrentModificationException") => Ok(Swap::Conflict),
            Err(error) if aws::is_unknown(&error) => Ok(Swap::Unknown(DisplayErrorContext(error).to_string().into())),
            Err(error) => Err(failed("commit", table, error)),
        }
    }

    fn location(&self, table: Table) -> Option<String> {
        Some(self.place(table))
    }
}

/// URL of the metadata and version of a Glue table.
fn pointer(table: Table, found: &GlueTable) -> Result<(String, String), TablesError> {
    let parameter = |key: &str| found.parameters().and_then(|parameters| parameters.get(key));
    if !parameter(TABLE_TYPE).is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg")) {
        return Err(TablesError::Unsupported { table, what: "another table type in Glue than ICEBERG".to_owned() });
    }
    let missing = |what: &str| corrupt(format!("Glue's table {NAMESPACE}.{table}"), format!("it has no {what}"));
    let location = parameter(METADATA_LOCATION).ok_or_else(|| missing(METADATA_LOCATION))?;
    let version = found.version_id().ok_or_else(|| missing("version"))?;
    Ok((location.clone(), version.to_owned()))
}

fn parameters(mut others: HashMap<String, String>, location: &str, previous: Option<&str>) -> HashMap<String, String> {
    others.insert("EXTERNAL".to_owned(), "TRUE".to_owned());
    others.insert(TABLE_TYPE.to_owned(), "ICEBERG".to_owned());
    others.insert(METADATA_LOCATION.to_owned(), location.to_owned());
    if let Some(previous) = previous {
        others.insert(PREVIOUS_METADATA_LOCATION.to_owned(), previous.to_owned());
    }
    others
}

/// Where the table is and its columns, for engines that look here before they read the metadata.
fn described(table: Table, metadata: &TableMetadata) -> Result<StorageDescriptor, TablesError> {
    let columns = columns(metadata.current_schema()).map_err(|error| invalid("commit", table, error))?;
    Ok(StorageDescriptor::builder().location(metadata.location()).set_columns(Some(columns)).build())
}

/// The same table with a new pointer and new columns.
fn moved(
    known: GlueTable,
    parameters: HashMap<String, String>,
    described: StorageDescriptor,
) -> Result<TableInput, aws_sdk_glue::error::BuildError> {
    let descriptor = match known.storage_descriptor {
        Some(mut descriptor) => {
            (descriptor.location, descriptor.columns) = (described.location, described.columns);
            descriptor
        }
        None => described,
    };
    TableInput::builder()
        .name(known.name)
        .set_description(known.description)
        .set_owner(known.owner)
        .retention(known.retention)
        .set_table_type(known.table_type)
        .set_partition_keys(known.partition_keys)
        .set_parameters(Some(parameters))
        .storage_descriptor(descriptor)
        .build()
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn invalid(doing: &'static str, table: Table, error: aws_sdk_glue::error::BuildError) -> TablesError {
    TablesError::Catalog { doing, object: format!("{NAMESPACE}.{table}"), kind: ErrorKind::Internal, source: error.into() }
}

fn failed<E>(doing: &'static str, table: Table, error: SdkError<E, HttpResponse>) -> TablesError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let kind = match code(&error) {
        Some("EntityNotFoundException") => ErrorKind::NotFound,
        Some("InvalidInputException") => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    let source = DisplayErrorContext(error).to_string().into();
    TablesError::Catalog { doing, object: format!("{NAMESPACE}.{table}"), kind, source }
}
