//! Which files may hold an id, by the index beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use icegate_model::Table;
use icegate_schema::indexed_id;
use icegate_storage::{Root, is_not_found};
use icegate_tables::{Bound, DataFile, FileKey, IdHash, IndexDirectory, IndexGroups, IndexObject, Look, RowPlace};
use moka::future::Cache;
use object_store::path::Path;
use object_store::{GetOptions, GetRange};

use crate::index_groups::ListedGroups;
use crate::{Metrics, Reads};

/// Index objects and rows that one scan fetches at once.
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

/// Objects of the index, kept between queries; clones share them. They never change, so nothing expires but the list of groups.
#[derive(Clone)]
pub(crate) struct IdIndex {
    cache: Cache<Key, Known>,
    groups: Arc<ListedGroups>,
    metrics: Metrics,
}

/// An object of a table's index, or a row of one.
type Key = (Table, Path, Option<RowPlace>);

#[derive(Clone)]
enum Known {
    Object(Arc<IndexObject>),
    Row(bytes::Bytes),
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

/// What one scan has learnt.
#[derive(Default)]
struct Learnt {
    /// The files that may hold an id.
    possible: BTreeSet<FileKey>,
    /// Bytes that were fetched.
    bytes: usize,
}

/// What a row of a group is asked: which column may hold which id, for a file.
type Questions = Vec<(FileKey, u32, IdHash)>;

impl IndexedFiles {
    /// The files that may hold one of the ids. Those of which the index can't tell are among them.
    pub(crate) async fn that_may_hold(&self, ids: &BTreeSet<Vec<u8>>, reads: &Reads) -> Vec<Arc<DataFile>> {
        let Some((index, root)) = &self.index else { return self.files.clone() };
        let mut kept: Vec<_> = self.files.iter().filter(|file| !self.is_out_of_bounds(file, ids)).map(Arc::clone).collect();
        let keys: Vec<_> = kept.iter().filter_map(|file| FileKey::of(&file.path)).collect();
        let hashes: Vec<_> = ids.iter().map(|id| IdHash::of(id)).collect();
        let learnt = index.ask(self.table, root, &keys, &hashes).await;
        kept.retain(|file| FileKey::of(&file.path).is_none_or(|key| learnt.possible.contains(&key)));
        let pruned = self.files.len() - kept.len();
        index.metrics.index_scans.inc();
        index.metrics.index_files_pruned.inc_by(pruned as u64);
        index.metrics.index_bytes.inc_by(learnt.bytes as u64);
        reads.count_index(pruned, learnt.bytes);
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
        Self { cache, groups: Arc::default(), metrics }
    }

    /// Which of the files may hold one of the ids: by the rows of groups, and by the object of its write for a file that is in none.
    async fn ask(&self, table: Table, root: &Root, files: &[FileKey], ids: &[IdHash]) -> Learnt {
        let (groups, bytes) = self.groups.of(table, root, files.len()).await;
        let mut learnt = Learnt { bytes, ..Learnt::default() };
        let (in_groups, alone): (Vec<_>, Vec<_>) =
            files.iter().copied().partition(|file| groups.as_ref().is_some_and(|groups| groups.of(*file).is_some()));
        let mut unanswered = BTreeSet::from_iter(alone);
        if let Some(groups) = &groups {
            unanswered.extend(self.ask_groups(table, root, groups, &in_groups, ids, &mut learnt).await);
        }
        self.ask_objects(table, root, unanswered, ids, &mut learnt).await;
        learnt
    }

    /// Asks the groups; the files of rows that can't be read.
    async fn ask_groups(
        &self,
        table: Table,
        root: &Root,
        groups: &IndexGroups,
        files: &[FileKey],
        ids: &[IdHash],
        learnt: &mut Learnt,
    ) -> Vec<FileKey> {
        let mut rows: BTreeMap<(Path, RowPlace), (&IndexDirectory, Questions)> = BTreeMap::new();
        for (file, group) in files.iter().filter_map(|file| Some((*file, groups.of(*file)?))) {
            for id in ids {
                if let Some(Look::At(row, column)) = group.directory().look(file, *id) {
                    let asked = rows.entry((group.path(root), row)).or_insert_with(|| (group.directory(), Vec::new()));
                    asked.1.push((file, column, *id));
                }
            }
        }
        let asked: Vec<_> =
            rows.into_iter()
                .map(|((path, row), (directory, questions))| async move {
                    (self.row(table, root, path, directory, row).await, questions)
                })
                .collect();
        let (mut answers, mut unanswered) = (stream::iter(asked).buffer_unordered(CONCURRENT_READS), Vec::new());
        while let Some(((row, bytes), questions)) = answers.next().await {
            learnt.bytes += bytes;
            match row {
                Some(row) => {
                    let found = questions.into_iter().filter(|(_, column, id)| RowPlace::may_hold(&row, *column, *id));
                    learnt.possible.extend(found.map(|(file, ..)| file));
                }
                None => unanswered.extend(questions.into_iter().map(|(file, ..)| file)),
            }
        }
        unanswered
    }

    /// Asks the object of each file's write. One that can't be read says of no file that it doesn't hold an id.
    async fn ask_objects(&self, table: Table, root: &Root, files: BTreeSet<FileKey>, ids: &[IdHash], learnt: &mut Learnt) {
        let mut objects: BTreeMap<Path, Vec<FileKey>> = BTreeMap::new();
        for file in files {
            objects.entry(file.index_path(root)).or_default().push(file);
        }
        let asked: Vec<_> =
            objects.into_iter().map(|(path, files)| async move { (self.object(table, root, path).await, files) }).collect();
        let mut answers = stream::iter(asked).buffer_unordered(CONCURRENT_READS);
        while let Some(((object, bytes), files)) = answers.next().await {
            learnt.bytes += bytes;
            let may_hold = |file: &FileKey| {
                object.as_ref().is_none_or(|object| ids.iter().any(|id| object.may_hold(*file, *id) != Some(false)))
            };
            learnt.possible.extend(files.into_iter().filter(may_hold));
        }
    }

    /// An object, if it can be read, and the bytes that were fetched.
    async fn object(&self, table: Table, root: &Root, path: Path) -> (Option<Arc<IndexObject>>, usize) {
        let decode = |bytes| Ok(Known::Object(Arc::new(IndexObject::decode(bytes)?)));
        match self.known((table, path, None), root, None, decode).await {
            (Known::Object(object), bytes) => (Some(object), bytes),
            (_, bytes) => (None, bytes),
        }
    }

    /// A row of a group, if it can be read, and the bytes that were fetched.
    async fn row(
        &self,
        table: Table,
        root: &Root,
        path: Path,
        directory: &IndexDirectory,
        row: RowPlace,
    ) -> (Option<bytes::Bytes>, usize) {
        let decode = |bytes: bytes::Bytes| directory.check(row, &bytes).map(|()| Known::Row(bytes));
        let range = Some(GetRange::Bounded(directory.range(row)));
        match self.known((table, path, Some(row)), root, range, decode).await {
            (Known::Row(row), bytes) => (Some(row), bytes),
            (_, bytes) => (None, bytes),
        }
    }

    /// What is known of an object or a row, and the bytes that were fetched to know it. Scans that start together fetch it once.
    async fn known(
        &self,
        key: Key,
        root: &Root,
        range: Option<GetRange>,
        decode: impl Fn(bytes::Bytes) -> Result<Known, String>,
    ) -> (Known, usize) {
        let mut fetched = 0;
        let (table, path, _) = key.clone();
        let read = async {
            let read = match fetch(root, &path, range.clone(), &decode, &mut fetched).await {
                // The network may have cut the bytes short or changed them.
                Err(Unread::Unusable(_)) if fetched > 0 => fetch(root, &path, range, &decode, &mut fetched).await,
                read => read,
            };
            let (reason, known) = match read {
                Ok(known) => return Ok(known),
                Err(Unread::Unusable(reason)) => (reason, Ok(Known::Unusable)),
                // Asked again by the next scan.
                Err(Unread::Failed(error)) => (error.to_string(), Err(())),
            };
            self.metrics.index_unreadable.inc();
            tracing::warn!(%table, object = %path, reason, "index of trace ids can't be read, the files that it covers are opened");
            known
        };
        let known = self.cache.try_get_with(key, read).await.unwrap_or(Known::Unusable);
        (known, fetched)
    }
}

async fn fetch(
    root: &Root,
    path: &Path,
    range: Option<GetRange>,
    decode: impl Fn(bytes::Bytes) -> Result<Known, String>,
    fetched: &mut usize,
) -> Result<Known, Unread> {
    let options = GetOptions { range, ..GetOptions::default() };
    let read = async { root.store.get_opts(path, options).await?.bytes().await };
    let bytes = read.await.map_err(|error| match is_not_found(&error) {
        true => Unread::Unusable("it is gone".to_owned()),
        false => Unread::Failed(error),
    })?;
    *fetched += bytes.len();
    decode(bytes).map_err(Unread::Unusable)
}

fn weight(known: &Known) -> u32 {
    let bytes = match known {
        Known::Object(object) => {
            let directory = object.directory();
            usize::try_from(directory.object_bytes()).unwrap_or(usize::MAX).saturating_add(directory.files().count() * FILE_BYTES)
        }
        Known::Row(row) => row.len(),
        Known::Unusable => 0,
    };
    u32::try_from(bytes.saturating_add(OBJECT_BYTES)).unwrap_or(u32::MAX)
}
