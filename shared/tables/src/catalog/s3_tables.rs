//! AWS S3 Tables: each table has a bucket of its own, whose service compacts, expires and cleans up beside us.
//!
//! The pointer is swapped with the version token of the last look. Nothing here or above lists or deletes in a table bucket.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3tables::Client;
use aws_sdk_s3tables::config::http::HttpResponse;
use aws_sdk_s3tables::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3tables::types::OpenTableFormat;
use icegate_model::{Clock, ErrorKind, IdGenerator, Table};
use icegate_storage::Stores;
use icegate_storage::aws::AwsOptions;

use super::staged::{Staged, StagedMetadata};
use super::{Catalog, Loaded, MetadataChange, NAMESPACE, Swap, aws};
use crate::definition::Definition;
use crate::error::TablesError;

/// Pointers in a table bucket.
#[derive(Debug)]
pub(crate) struct S3TablesCatalog {
    client: aws::Lazy<Client>,
    bucket: String,
    staged: StagedMetadata,
}

/// What the service knows of a table.
struct Pointer {
    token: String,
    /// `None` before the first commit.
    metadata: Option<String>,
    warehouse: String,
}

impl S3TablesCatalog {
    /// `bucket` is the table bucket's ARN.
    pub(crate) fn new(bucket: String, aws: AwsOptions, stores: Stores, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        let client = aws::Lazy::new(aws, |config| {
            Client::from_conf(aws_sdk_s3tables::config::Builder::from(config).timeout_config(aws::timeouts()).build())
        });
        Self { client, bucket, staged: StagedMetadata::new(stores, clock, ids) }
    }

    async fn pointer(&self, table: Table) -> Result<Option<Pointer>, TablesError> {
        let request = self.client.get().await.get_table_metadata_location().table_bucket_arn(&self.bucket);
        match request.namespace(NAMESPACE).name(table.to_string()).send().await {
            Ok(found) => Ok(Some(Pointer {
                token: found.version_token,
                metadata: found.metadata_location,
                warehouse: found.warehouse_location,
            })),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(None),
            Err(error) => Err(failed("load", table, error)),
        }
    }

    /// Makes the table without metadata, and its namespace, where they are missing.
    async fn prepare(&self, table: Table) -> Result<(), TablesError> {
        let client = self.client.get().await;
        let create = || {
            let request = client.create_table().table_bucket_arn(&self.bucket).namespace(NAMESPACE);
            request.name(table.to_string()).format(OpenTableFormat::Iceberg).send()
        };
        let mut created = create().await;
        if matches!(&created, Err(error) if code(error) == Some("NotFoundException")) {
            let namespace = client.create_namespace().table_bucket_arn(&self.bucket).namespace(NAMESPACE).send().await;
            match namespace {
                Err(error) if code(&error) != Some("ConflictException") => return Err(failed("create", table, error)),
                _ => created = create().await,
            }
        }
        match created {
            Err(error) if code(&error) != Some("ConflictException") => Err(failed("create", table, error)),
            _ => Ok(()),
        }
    }

    async fn point(&self, table: Table, token: &str, staged: Staged) -> Result<Swap, TablesError> {
        let request =
            self.client.get().await.update_table_metadata_location().table_bucket_arn(&self.bucket).namespace(NAMESPACE);
        let request = request.name(table.to_string()).version_token(token).metadata_location(&staged.location);
        match request.send().await {
            Ok(updated) => Ok(Swap::Swapped(self.staged.swapped(staged, updated.version_token))),
            Err(error) if code(&error) == Some("ConflictException") => Ok(Swap::Conflict),
            Err(error) if aws::is_unknown(&error) => Ok(Swap::Unknown(DisplayErrorContext(error).to_string().into())),
            Err(error) => Err(failed("commit", table, error)),
        }
    }
}

#[async_trait]
impl Catalog for S3TablesCatalog {
    async fn load(&self, table: Table, known: Option<&Loaded>) -> Result<Option<Loaded>, TablesError> {
        match self.pointer(table).await? {
            Some(Pointer { token, metadata: Some(location), .. }) => {
                self.staged.read(table, location, token, known).await.map(Some)
            }
            // Made, but without metadata: whoever made it didn't get any further.
            Some(_) | None => Ok(None),
        }
    }

    async fn create(&self, definition: Definition) -> Result<Swap, TablesError> {
        let table = definition.table;
        self.prepare(table).await?;
        let Some(pointer) = self.pointer(table).await?.filter(|pointer| pointer.metadata.is_none()) else {
            return Ok(Swap::Conflict);
        };
        let location = pointer.warehouse.trim_end_matches('/');
        let staged = self.staged.create(table, location, definition.metadata_at(location)?).await?;
        self.point(table, &pointer.token, staged).await
    }

    async fn swap(&self, table: Table, base: &Loaded, change: MetadataChange) -> Result<Swap, TablesError> {
        match self.staged.change(table, base, change).await? {
            Some(staged) => self.point(table, &base.token, staged).await,
            None => Ok(Swap::Conflict),
        }
    }

    fn location(&self, _table: Table) -> Option<String> {
        None
    }

    fn is_managed(&self) -> bool {
        true
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn failed<E>(doing: &'static str, table: Table, error: SdkError<E, HttpResponse>) -> TablesError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let kind = match code(&error) {
        Some("NotFoundException") => ErrorKind::NotFound,
        Some("BadRequestException") => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    let source = DisplayErrorContext(error).to_string().into();
    TablesError::Catalog { doing, object: format!("{NAMESPACE}.{table}"), kind, source }
}
