//! Many small index objects become few large ones.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use icegate_model::{Table, UniqueId};
use icegate_schema::indexed_id;
use icegate_storage::is_not_found;

use super::{FileKey, Filters, IndexGroup, IndexGroups, IndexObject};
use crate::Tables;
use crate::catalog::Loaded;
use crate::data_file::DataFile;
use crate::error::{TablesError, corrupt};
use crate::layout::Layout;
use crate::ledger::CONCURRENT_READS;

/// Files of a group: a row of as many blocks is 16 KiB.
const GROUP_FILES: usize = 512;
/// Bytes of filters of a group, which is in memory while it is made.
const GROUP_BYTES: usize = 32 << 20;
/// Files that aren't in a group yet, before it is worth making one.
const MIN_FRESH: usize = 16;
/// Files whose objects are looked at together.
const CHUNK_FILES: usize = 64;
/// Bytes of objects that are kept meanwhile, since the files of a write are in several chunks.
const KEPT_BYTES: usize = 64 << 20;

/// What was merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexMerge {
    /// Groups that were made.
    pub groups: usize,
    /// Files in them.
    pub files: usize,
}

impl Tables {
    /// Gathers the index objects of the table's writes in groups, so that a scan reads one row of bytes for hundreds of files. Objects that
    /// can't be read are passed over. Two that do it at once do no harm: the list is one's or the other's.
    ///
    /// # Errors
    /// [`TablesError::Store`]; those of loading the table. The index is then as it was.
    pub async fn merge_index(&self, table: Table) -> Result<IndexMerge, TablesError> {
        if indexed_id(table).is_none() {
            return Ok(IndexMerge::default());
        }
        let loaded = self.newest(table).await?;
        let files = self.live_files(table, &loaded).await?;
        let listed = list(&loaded.layout).await?.unwrap_or_default();
        let live: HashSet<FileKey> = files.iter().filter_map(|file| FileKey::of(&file.path)).collect();
        let fresh = live.iter().filter(|file| listed.of(**file).is_none()).count();
        let (kept, replaced) = sorted_out(&loaded.layout, listed, &live, fresh >= MIN_FRESH).await?;
        if fresh < MIN_FRESH && replaced.is_empty() {
            return Ok(IndexMerge::default());
        }
        let mut groups = IndexGroups::new(kept, replaced);
        let made = Merging::of(self, &loaded, files, &groups).run().await?;
        let merge = IndexMerge { groups: made.len(), files: made.iter().map(|group| group.directory().files().count()).sum() };
        groups.groups.extend(made);
        loaded.layout.write(&IndexGroups::path(&loaded.layout.root), groups.encode()).await?;
        Ok(merge)
    }
}

/// The list of groups; none where there is none that can be understood.
pub(crate) async fn list(layout: &Layout) -> Result<Option<IndexGroups>, TablesError> {
    let path = IndexGroups::path(&layout.root);
    match layout.read(&path).await {
        Ok(bytes) => match IndexGroups::decode(&bytes) {
            Ok(groups) => Ok(Some(groups)),
            Err(reason) => {
                tracing::warn!(object = %path, reason, "list of index groups can't be read");
                Ok(None)
            }
        },
        Err(TablesError::Store { source, .. }) if is_not_found(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The groups that stay, and the ids of those that don't: their object is gone, half of their files is, or they have room.
async fn sorted_out(
    layout: &Layout,
    listed: IndexGroups,
    live: &HashSet<FileKey>,
    fill: bool,
) -> Result<(Vec<IndexGroup>, Vec<UniqueId>), TablesError> {
    let (mut kept, mut replaced) = (Vec::new(), Vec::new());
    let heads = stream::iter(listed.groups).map(|group| async move {
        let there = match layout.root.store.get_opts(&group.path(&layout.root), head()).await {
            Ok(found) => found.meta.size == group.directory().object_bytes(),
            Err(error) if is_not_found(&error) => false,
            Err(source) => {
                let object = group.path(&layout.root).to_string();
                return Err(TablesError::Store { doing: "read", object, source });
            }
        };
        Ok((group, there))
    });
    let mut heads = heads.buffered(CONCURRENT_READS);
    while let Some((group, there)) = heads.try_next().await? {
        let directory = group.directory();
        let (files, bytes) = (directory.files().count(), usize::try_from(directory.object_bytes()).unwrap_or(usize::MAX));
        let alive = directory.files().filter(|file| live.contains(file)).count();
        let is_full = files >= GROUP_FILES / 2 || bytes >= GROUP_BYTES / 2;
        if there && alive * 2 >= files && (is_full || !fill) {
            kept.push(group);
        } else {
            replaced.push(group.id);
        }
    }
    Ok((kept, replaced))
}

fn head() -> object_store::GetOptions {
    object_store::GetOptions { head: true, ..object_store::GetOptions::default() }
}

/// Makes groups of the files that are in none.
struct Merging<'a> {
    tables: &'a Tables,
    layout: &'a Layout,
    files: Vec<FileKey>,
    /// Objects by their write; none for one that can't be read.
    objects: HashMap<UniqueId, Option<IndexObject>>,
    bytes: usize,
}

impl<'a> Merging<'a> {
    fn of(tables: &'a Tables, loaded: &'a Loaded, mut files: Vec<Arc<DataFile>>, groups: &IndexGroups) -> Self {
        // A query asks for one tenant and mostly for late times.
        files.sort_by(|a, b| (&a.tenant, a.day, a.min_timestamp).cmp(&(&b.tenant, b.day, b.min_timestamp)));
        let files = files.iter().filter_map(|file| FileKey::of(&file.path)).filter(|file| groups.of(*file).is_none()).collect();
        Self { tables, layout: &loaded.layout, files, objects: HashMap::new(), bytes: 0 }
    }

    async fn run(mut self) -> Result<Vec<IndexGroup>, TablesError> {
        let (mut groups, mut filters) = (Vec::new(), Filters::default());
        let files = std::mem::take(&mut self.files);
        for chunk in files.chunks(CHUNK_FILES) {
            self.fetch(chunk).await?;
            for file in chunk {
                let object = self.objects.get(&file.write()).and_then(Option::as_ref);
                if let Some(filter) = object.and_then(|object| object.filter(*file)) {
                    filters.add_filter(*file, filter);
                }
                if filters.files() as usize >= GROUP_FILES || filters.bytes() >= GROUP_BYTES {
                    groups.push(self.write(std::mem::take(&mut filters)).await?);
                }
            }
        }
        if filters.files() > 0 {
            groups.push(self.write(filters).await?);
        }
        Ok(groups)
    }

    /// Gets the objects that cover these files.
    async fn fetch(&mut self, files: &[FileKey]) -> Result<(), TablesError> {
        if self.bytes > KEPT_BYTES {
            (self.objects, self.bytes) = (HashMap::new(), 0);
        }
        let wanted: BTreeSet<_> =
            files.iter().filter(|file| !self.objects.contains_key(&file.write())).map(|file| (file.write(), *file)).collect();
        let mut writes: Vec<(UniqueId, FileKey)> = wanted.into_iter().collect();
        writes.dedup_by_key(|(write, _)| *write);
        let layout = self.layout;
        let reads = stream::iter(writes).map(|(write, file)| async move { (write, object(layout, file).await) });
        let mut reads = reads.buffered(CONCURRENT_READS);
        while let Some((write, object)) = reads.next().await {
            let object = object?;
            let bytes = object.as_ref().map_or(0, |object| object.directory().object_bytes());
            self.bytes += usize::try_from(bytes).unwrap_or(usize::MAX);
            self.objects.insert(write, object);
        }
        Ok(())
    }

    async fn write(&self, filters: Filters) -> Result<IndexGroup, TablesError> {
        let id = self.tables.ids().unique();
        let (group, bytes) = IndexGroup::of_filters(id, filters).map_err(|reason| corrupt("an index group", reason))?;
        self.layout.write(&group.path(&self.layout.root), bytes).await?;
        Ok(group)
    }
}

/// The object that covers a file; none that is gone or damaged.
async fn object(layout: &Layout, file: FileKey) -> Result<Option<IndexObject>, TablesError> {
    let path = file.index_path(&layout.root);
    let bytes: Bytes = match layout.read(&path).await {
        Ok(bytes) => bytes,
        Err(TablesError::Store { source, .. }) if is_not_found(&source) => return Ok(None),
        Err(error) => return Err(error),
    };
    match IndexObject::decode(bytes) {
        Ok(object) => Ok(Some(object)),
        Err(reason) => {
            tracing::warn!(object = %path, reason, "index of trace ids can't be read, its files are in no group");
            Ok(None)
        }
    }
}
