use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use icegate_model::{Table, TenantId, Timestamp};
use icegate_storage::{Root, is_not_found};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::WalError;
use crate::error::StoreOperation;
use crate::name::SegmentName;

/// Most segments of one table that a listing holds: days of writing without a shift.
const MAX_LISTED: usize = 1_000_000;

/// A writer whose clock is further ahead of the store's is not believed: a segment is in no commit before it was received, and is
/// due when the store has had it for long enough.
const AHEAD: Duration = Duration::from_secs(60);

/// Where the segments are.
#[derive(Clone, Debug)]
pub struct Wal {
    root: Root,
}

/// One object of the WAL, as its name and its listing describe it. Its bytes never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Whose rows these are.
    pub table: Table,
    /// The file name: unique in its table, over all times.
    pub name: String,
    /// Where in the store.
    pub path: Path,
    /// Bytes of the object.
    pub size: u64,
    /// The store's tag of the object. A put that was repeated may have changed it, with the same bytes under it.
    pub e_tag: Option<String>,
    /// When it was written, by the writer's clock; in a listing never later than the store received it, but for a minute.
    pub created: Timestamp,
    /// Whose rows it holds.
    pub tenants: SegmentTenants,
    /// Earliest timestamp in it, microseconds UTC.
    pub min: i64,
    /// Latest timestamp in it, microseconds UTC.
    pub max: i64,
}

/// Whose rows a segment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentTenants {
    /// Those of one tenant.
    One(TenantId),
    /// Those of several; the footer names them.
    Many,
}

impl SegmentTenants {
    /// Whether rows of `tenant` may be there.
    #[must_use]
    pub fn may_hold(&self, tenant: &TenantId) -> bool {
        match self {
            Self::One(only) => only == tenant,
            Self::Many => true,
        }
    }
}

/// What lies under a table's prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The segments, sorted by name: oldest first, as far as the writers' clocks agree.
    pub segments: Vec<Segment>,
    /// Objects that no writer has named so.
    pub unknown: Vec<Path>,
}

impl Wal {
    /// The WAL under `root`.
    #[must_use]
    pub fn new(root: Root) -> Self {
        Self { root }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// All segments of a table that were durable when the call started; later ones may be among them.
    ///
    /// # Errors
    /// [`WalError::Store`]; [`WalError::TooManySegments`] rather than a part of them.
    pub async fn list(&self, table: Table) -> Result<Listing, WalError> {
        let prefix = self.root.path(table.name());
        let mut listing = Listing::default();
        let mut objects = self.root.store.list(Some(&prefix));
        let failed = |error| WalError::store(StoreOperation::List, &prefix, error);
        while let Some(object) = objects.try_next().await.map_err(failed)? {
            match Segment::of(table, &prefix, &object) {
                Some(segment) => listing.segments.push(segment),
                None => listing.unknown.push(object.location),
            }
            if listing.segments.len() + listing.unknown.len() > MAX_LISTED {
                return Err(WalError::TooManySegments { table, limit: MAX_LISTED });
            }
        }
        listing.segments.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// Deletes segments; those that are gone already are fine. Tries all of them, also after a failure.
    ///
    /// # Errors
    /// The first [`WalError::Store`]; which of the segments are left is for a listing to tell.
    pub async fn delete(&self, segments: &[Segment]) -> Result<(), WalError> {
        let paths: Vec<_> = segments.iter().map(|segment| Ok(segment.path.clone())).collect();
        let mut deleted = self.root.store.delete_stream(futures::stream::iter(paths).boxed());
        let mut first_failure = None;
        while let Some(result) = deleted.next().await {
            match result {
                Err(error) if !is_not_found(&error) => first_failure = first_failure.or(Some(error)),
                _ => {}
            }
        }
        match first_failure {
            None => Ok(()),
            Some(source) => Err(WalError::Store {
                operation: StoreOperation::Delete,
                path: self.root.prefix.clone(),
                source: Arc::new(source),
            }),
        }
    }

    pub(crate) fn path(&self, table: Table, name: &str) -> Path {
        self.root.path(table.name()).join(name)
    }
}

impl Segment {
    /// What a listed object is; `None` for one that isn't a segment directly under the table's prefix.
    fn of(table: Table, prefix: &Path, object: &ObjectMeta) -> Option<Self> {
        let mut below = object.location.prefix_match(prefix)?;
        let (file, None) = (below.next()?, below.next()) else { return None };
        let name = SegmentName::parse(file.as_ref())?;
        let mut segment = Self::new(table, object.location.clone(), name, object.size);
        segment.e_tag.clone_from(&object.e_tag);
        let received = Timestamp::from_millis(object.last_modified.timestamp_millis());
        if segment.created > received + AHEAD {
            segment.created = received;
        }
        Some(segment)
    }

    pub(crate) fn new(table: Table, path: Path, name: SegmentName, size: u64) -> Self {
        Self {
            table,
            name: name.to_string(),
            path,
            size,
            e_tag: None,
            created: Timestamp::from_micros(i64::try_from(name.created).unwrap_or(i64::MAX)),
            tenants: name.tenants,
            min: name.min,
            max: name.max,
        }
    }
}
