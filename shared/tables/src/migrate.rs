//! Creates the tables and brings them up to this release's schema.

use std::fmt;

use iceberg::spec::TableMetadataBuilder;
use iceberg::{TableRequirement, TableUpdate};
use icegate_model::{ErrorKind, Table};

use crate::Tables;
use crate::catalog::{Loaded, MetadataChange, Swap};
use crate::definition::Definition;
use crate::error::TablesError;
use crate::evolve::{Addition, evolve};

/// Attempts at one table while others change it.
const ATTEMPTS: u32 = 8;

/// Something that a migration did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A table that didn't exist.
    CreateTable {
        /// The table.
        table: Table,
        /// Its URL; `None` before the catalog has chosen it.
        location: Option<String>,
    },
    /// A column that the table didn't have.
    AddColumn {
        /// The table.
        table: Table,
        /// The column, nested ones with dots.
        column: String,
        /// Its Iceberg type.
        data_type: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateTable { table, location: Some(location) } => write!(f, "create table icegate.{table} at {location}"),
            Self::CreateTable { table, location: None } => write!(f, "create table icegate.{table}"),
            Self::AddColumn { table, column, data_type } => write!(f, "add column {column} {data_type} to icegate.{table}"),
        }
    }
}

impl Tables {
    /// Creates every table that doesn't exist; leaves the others as they are. With `dry_run` only says what it would do.
    /// Of several creators at once one creates a table and the others report no change.
    ///
    /// # Errors
    /// [`TablesError::Store`] and [`TablesError::Catalog`] where those fail; repeating is safe.
    pub async fn migrate_create(&self, dry_run: bool) -> Result<Vec<Change>, TablesError> {
        let mut changes = Vec::new();
        for table in Table::ALL {
            if self.catalog().load(table, None).await?.is_none() {
                changes.extend(self.create_table(table, dry_run).await?);
            }
        }
        Ok(changes)
    }

    /// Creates missing tables and adds the columns that a table lacks: nullable, last, also inside lists and structs. With
    /// `dry_run` only says what it would do. Nothing to do answers no changes.
    ///
    /// # Errors
    /// [`TablesError::SchemaChange`] for any other difference; tables before it in the order stay upgraded.
    pub async fn migrate_upgrade(&self, dry_run: bool) -> Result<Vec<Change>, TablesError> {
        let mut changes = Vec::new();
        for table in Table::ALL {
            match self.catalog().load(table, None).await? {
                None => changes.extend(self.create_table(table, dry_run).await?),
                Some(loaded) => changes.extend(self.upgrade_table(table, loaded, dry_run).await?),
            }
        }
        Ok(changes)
    }

    async fn create_table(&self, table: Table, dry_run: bool) -> Result<Option<Change>, TablesError> {
        let create = |location| Change::CreateTable { table, location };
        if dry_run {
            return Ok(Some(create(self.catalog().location(table))));
        }
        let definition = Definition::new(table, self.ids(), self.clock().now())?;
        let created = |loaded: Loaded| Some(create(Some(loaded.metadata.location().to_owned())));
        match self.catalog().create(definition).await? {
            Swap::Swapped(loaded) => Ok(created(loaded)),
            Swap::Conflict => Ok(None),
            // If it is there now, it may have been made by this request or at the same time by another.
            Swap::Unknown(source) => match self.catalog().load(table, None).await? {
                Some(loaded) => Ok(created(loaded)),
                None => {
                    let object = format!("icegate.{table}");
                    Err(TablesError::Catalog { doing: "create", object, kind: ErrorKind::Unavailable, source })
                }
            },
        }
    }

    async fn upgrade_table(&self, table: Table, mut loaded: Loaded, dry_run: bool) -> Result<Vec<Change>, TablesError> {
        for attempt in 0..ATTEMPTS {
            let (schema, added) = evolve(table, loaded.metadata.current_schema(), loaded.metadata.last_column_id())?;
            if added.is_empty() || dry_run {
                return Ok(named(table, added));
            }
            let change = MetadataChange {
                requirements: vec![
                    TableRequirement::UuidMatch { uuid: loaded.metadata.uuid() },
                    TableRequirement::CurrentSchemaIdMatch { current_schema_id: loaded.metadata.current_schema_id() },
                ],
                updates: vec![
                    TableUpdate::AddSchema { schema },
                    TableUpdate::SetCurrentSchema { schema_id: TableMetadataBuilder::LAST_ADDED },
                ],
            };
            // After a lost reply the next attempt finds nothing left to add, and then these were not ours to report.
            if let Swap::Swapped(_) = self.catalog().swap(table, &loaded, change).await? {
                return Ok(named(table, added));
            }
            self.pause(attempt).await;
            loaded = self.catalog().load(table, None).await?.ok_or(TablesError::NoTable { table })?;
        }
        Err(TablesError::Contended { table, attempts: ATTEMPTS })
    }
}

fn named(table: Table, added: Vec<Addition>) -> Vec<Change> {
    added.into_iter().map(|Addition { column, data_type }| Change::AddColumn { table, column, data_type }).collect()
}
