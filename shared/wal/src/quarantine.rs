//! Marks beside the segments that nobody can read: what is marked is left alone, and never deleted.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use icegate_model::{Table, Timestamp};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::error::StoreOperation;
use crate::name::SegmentName;
use crate::{Segment, Wal, WalError};

/// Prefix of the marks, beside the tables' prefixes.
const PREFIX: &str = "quarantine";
const EXTENSION: &str = ".json";
/// Most marks of one table that are read: as many unreadable segments mean that something else is wrong.
const MAX_MARKS: usize = 100_000;

/// Why a segment is set aside. Deleting the mark's object makes shifters try the segment again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mark {
    /// The segment's file name.
    pub segment: String,
    /// What was wrong with it at the last reading.
    pub reason: String,
    /// How many passes found it so.
    pub failed_passes: u32,
    /// Who set it aside.
    pub by: String,
    /// When, microseconds UTC.
    pub at_micros: i64,
}

impl Mark {
    /// When the segment was set aside.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at_micros)
    }
}

impl Wal {
    /// Sets a segment aside for all shifters, now and after restarts. The segment itself is not touched.
    ///
    /// # Errors
    /// [`WalError::Store`].
    pub async fn quarantine(&self, segment: &Segment, mark: &Mark) -> Result<(), WalError> {
        let path = self.mark_path(segment.table, &segment.name);
        let bytes = serde_json::to_vec(mark).map_err(|error| WalError::corrupt(&path, error))?;
        let put = self.root().store.put(&path, bytes.into()).await;
        put.map(drop).map_err(|error| WalError::store(StoreOperation::Write, &path, error))
    }

    /// The file names of the table's segments that are set aside. One listing.
    ///
    /// # Errors
    /// [`WalError::Store`]; [`WalError::TooManySegments`].
    pub async fn quarantined(&self, table: Table) -> Result<BTreeSet<String>, WalError> {
        let prefix = self.root().path(PREFIX).join(table.name());
        let mut objects = self.root().store.list(Some(&prefix));
        let failed = |error| WalError::store(StoreOperation::List, &prefix, error);
        let mut names = BTreeSet::new();
        while let Some(object) = objects.try_next().await.map_err(failed)? {
            let name = object.location.filename().and_then(|file| file.strip_suffix(EXTENSION));
            names.extend(name.filter(|name| SegmentName::parse(name).is_some()).map(str::to_owned));
            if names.len() > MAX_MARKS {
                return Err(WalError::TooManySegments { table, limit: MAX_MARKS });
            }
        }
        Ok(names)
    }

    /// What a segment's mark says.
    ///
    /// # Errors
    /// [`WalError::Store`] with kind `NotFound` where there is none; [`WalError::Corrupt`] where it is not a mark.
    pub async fn quarantine_mark(&self, table: Table, segment: &str) -> Result<Mark, WalError> {
        let path = self.mark_path(table, segment);
        let failed = |error| WalError::store(StoreOperation::Read, &path, error);
        let bytes = self.root().store.get(&path).await.map_err(failed)?.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|error| WalError::corrupt(&path, error))
    }

    /// Takes a segment's mark away, so that it is tried again; fine where there is none.
    ///
    /// # Errors
    /// [`WalError::Store`].
    pub async fn release(&self, table: Table, segment: &str) -> Result<(), WalError> {
        let path = self.mark_path(table, segment);
        match self.root().store.delete(&path).await {
            Err(error) if !icegate_storage::is_not_found(&error) => Err(WalError::store(StoreOperation::Delete, &path, error)),
            _ => Ok(()),
        }
    }

    /// Where a segment's mark is, whether or not it is there.
    #[must_use]
    pub fn mark_path(&self, table: Table, segment: &str) -> Path {
        self.root().path(PREFIX).join(table.name()).join(format!("{segment}{EXTENSION}"))
    }
}
