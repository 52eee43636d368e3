//! Which files may hold an id, by the index beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::{StreamExt, stream};
use icegate_model::Table;
use icegate_schema::indexed_id;
use icegate_storage::{Root, is_not_found};
use icegate_tables::{Bound, DataFile, FileKey, IdHash, IndexObject};
use moka::future::Cache;
use object_store::path::Path;

use crate::{Metrics, Reads};

/// Index objects that one scan fetches at once.
const CONCURRENT_READS: usize = 32;
/// What an object takes in memory beside its bytes, and a file in its directory.
const OBJECT_BYTES: usize = 512;
const FILE_BYTES: usize = 64;

/// The files of a table that a scan may read.
#[derive(Clone)]
pub(crate) struct IndexedFiles {
    pub(crate) table: Table,
    pub(crate) files: Vec<Arc<DataFile>>,
    /// Where the index of the files is; none where every file is opened.
    pub(crate) index: Option<(IdIndex, Root)>,
}

/// Objects of the index, kept between queries; clones share them. They never change, so nothing expires.
#[derive(Clone)]
pub(crate) struct IdIndex {
    cache: Cache<(Table, Path), Known>,
    metrics: Metrics,
}

#[derive(Clone)]
enum Known {
    Object(Arc<IndexObject>),
    /// It is gone or damaged.
    Unusable,
}

/// Why an object says nothing.
enum Unread {
    /// For good.
    Unusable(String),
    /// The store failed.
    Failed(object_store::Error),
}

impl IndexedFiles {
    /// The files that may hold one of the ids. Those of which the index can't tell are among them.
    pub(crate) async fn that_may_hold(&self, ids: &BTreeSet<Vec<u8>>, reads: &Reads) -> Vec<Arc<DataFile>> {
        let Some((index, root)) = &self.index else { return self.files.clone() };
        let mut kept: Vec<_> = self.files.iter().filter(|file| !self.is_out_of_bounds(file, ids)).map(Arc::clone).collect();
        let mut writes: BTreeMap<Path, Vec<FileKey>> = BTreeMap::new();
        for key in kept.iter().filter_map(|file| FileKey::of(&file.path)) {
            writes.entry(key.index_path(root)).or_default().push(key);
        }
        let hashes: Vec<_> = ids.iter().map(|id| IdHash::of(id)).collect();
        let asked = stream::iter(writes).map(|(path, files)| index.without(self.table, root, path, files, &hashes));
        let (mut without, mut bytes) = (BTreeSet::new(), 0);
        let mut answers = asked.buffer_unordered(CONCURRENT_READS);
        while let Some((files, fetched)) = answers.next().await {
            without.extend(files);
            bytes += fetched;
        }
        kept.retain(|file| FileKey::of(&file.path).is_none_or(|key| !without.contains(&key)));
        let pruned = self.files.len() - kept.len();
        index.metrics.index_scans.inc();
        index.metrics.index_files_pruned.inc_by(pruned as u64);
        index.metrics.index_bytes.inc_by(bytes as u64);
        reads.count_index(pruned, bytes);
        kept
    }

    /// Whether the manifest excludes all of the ids, as it may where a file holds few.
    fn is_out_of_bounds(&self, file: &DataFile, ids: &BTreeSet<Vec<u8>>) -> bool {
        let Some(bounds) = indexed_id(self.table).and_then(|column| file.bounds_of(column)) else { return false };
        let excludes = |id: &Vec<u8>| {
            let below = matches!(&bounds.min, Some(Bound::Bytes(min)) if id < min);
            below || matches!(&bounds.max, Some(Bound::Bytes(max)) if id > max)
        };
        ids.iter().all(excludes)
    }
}

impl IdIndex {
    pub(crate) fn new(bytes: usize, metrics: Metrics) -> Self {
        let cache = Cache::builder().max_capacity(bytes as u64).weigher(|_, known| weight(known)).build();
        Self { cache, metrics }
    }

    /// Those of one object's files that certainly hold none of the ids, and the bytes that were fetched to learn it.
    async fn without(&self, table: Table, root: &Root, path: Path, files: Vec<FileKey>, ids: &[IdHash]) -> (Vec<FileKey>, usize) {
        let (object, fetched) = self.object(table, root, path).await;
        let Some(object) = object else { return (Vec::new(), fetched) };
        let holds_none = |file: &FileKey| ids.iter().all(|id| object.may_hold(*file, *id) == Some(false));
        (files.into_iter().filter(holds_none).collect(), fetched)
    }

    /// An object, if it can be read, and the bytes that were fetched.
    async fn object(&self, table: Table, root: &Root, path: Path) -> (Option<Arc<IndexObject>>, usize) {
        let mut fetched = 0;
        let read = async {
            let read = match fetch(root, &path, &mut fetched).await {
                // The network may have cut the bytes short or changed them.
                Err(Unread::Unusable(_)) if fetched > 0 => fetch(root, &path, &mut fetched).await,
                read => read,
            };
            let unreadable = |reason: &dyn fmt::Display| {
                self.metrics.index_unreadable.inc();
                tracing::warn!(%table, object = %path, %reason, "index of trace ids can't be read, the files that it covers are opened");
            };
            match read {
                Ok(object) => Ok(Known::Object(Arc::new(object))),
                Err(Unread::Unusable(reason)) => {
                    unreadable(&reason);
                    Ok(Known::Unusable)
                }
                // Asked again by the next scan.
                Err(Unread::Failed(error)) => {
                    unreadable(&error);
                    Err(())
                }
            }
        };
        // Scans that start together fetch it once.
        let known = self.cache.try_get_with((table, path.clone()), read).await;
        match known {
            Ok(Known::Object(object)) => (Some(object), fetched),
            Ok(Known::Unusable) | Err(_) => (None, fetched),
        }
    }
}

async fn fetch(root: &Root, path: &Path, fetched: &mut usize) -> Result<IndexObject, Unread> {
    let read = async { root.store.get_opts(path, object_store::GetOptions::default()).await?.bytes().await };
    let bytes = read
        .await
        .map_err(|error| if is_not_found(&error) { Unread::Unusable("it is gone".to_owned()) } else { Unread::Failed(error) })?;
    *fetched += bytes.len();
    IndexObject::decode(bytes).map_err(Unread::Unusable)
}

fn weight(known: &Known) -> u32 {
    let bytes = match known {
        Known::Object(object) => {
            let directory = object.directory();
            usize::try_from(directory.object_bytes()).unwrap_or(usize::MAX).saturating_add(directory.files().count() * FILE_BYTES)
        }
        Known::Unusable => 0,
    };
    u32::try_from(bytes.saturating_add(OBJECT_BYTES)).unwrap_or(u32::MAX)
}
