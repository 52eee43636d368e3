//! What a table's metadata refers to, by whatever way.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::{FormatVersion, Manifest, ManifestList, SnapshotRef};
use icegate_model::{Table, Timestamp};
use object_store::path::Path;

use crate::Tables;
use crate::catalog::Loaded;
use crate::error::{TablesError, corrupt};
use crate::index::{FileKey, GROUPS, list};
use crate::layout::TIME;
use crate::ledger::{CONCURRENT_READS, RecordedLedger, ledger_of};
use crate::state::state_of;

/// Readers that can't list look for it; no metadata names it.
const VERSION_HINT: &str = "version-hint.text";

/// The file names of everything that some metadata refers to. Names alone, since they are unique in a table, while other writers
/// spell the way to them differently (`s3a:`, escapes): what can't be told apart stays.
#[derive(Debug, Default)]
pub(crate) struct Reachable {
    names: HashSet<String>,
    /// Manifest lists and manifests whose contents are in `names`. They never change.
    walked: HashSet<String>,
}

impl Reachable {
    pub(crate) fn holds(&self, path: &Path) -> bool {
        path.filename().is_none_or(|name| {
            let is_fixed = [VERSION_HINT, TIME, GROUPS].contains(&name);
            is_fixed || self.names.contains(name)
        })
    }

    fn add(&mut self, url: &str) {
        let name = url.rsplit('/').next().unwrap_or(url);
        let escaped = Path::default().join(name).to_string();
        if escaped != name {
            self.names.insert(escaped);
        }
        self.names.insert(name.to_owned());
    }

    /// Adds a data file and the index object that covers it.
    fn add_data_file(&mut self, url: &str) {
        self.add(url);
        if let Some(key) = FileKey::of_url(url) {
            self.names.insert(key.index_name());
        }
    }

    /// Adds an object that refers to others; `true` the first time.
    fn add_to_walk(&mut self, url: &str) -> bool {
        self.add(url);
        self.walked.insert(url.to_owned())
    }

    /// What the metadata itself names.
    fn add_metadata(&mut self, loaded: &Loaded) {
        let metadata = &loaded.metadata;
        self.add(&loaded.location);
        metadata.metadata_log().iter().for_each(|entry| self.add(&entry.metadata_file));
        metadata.statistics_iter().for_each(|file| self.add(&file.statistics_path));
        metadata.partition_statistics_iter().for_each(|file| self.add(&file.statistics_path));
        state_of(metadata).into_iter().for_each(|url| self.add(url));
        for snapshot in metadata.snapshots() {
            ledger_of(snapshot).into_iter().for_each(|url| self.add(url));
        }
    }
}

impl Tables {
    /// Adds everything that the metadata refers to: all snapshots, not only the newest, and the ledgers that those read who loaded the
    /// table at `since` or later.
    ///
    /// # Errors
    /// Where something can't be read, and so what it refers to isn't known. Nothing may be removed then.
    pub(crate) async fn reach(
        &self,
        table: Table,
        loaded: &Loaded,
        since: Timestamp,
        reachable: &mut Reachable,
    ) -> Result<(), TablesError> {
        reachable.add_metadata(loaded);
        let is_last = |ledger: &RecordedLedger| ledger.checkpoint.is_some() && ledger.committed <= since;
        for (url, _) in self.ledger_chain(table, loaded, |_| true, is_last).await? {
            reachable.add(&url);
        }
        // A list that can't be understood names no group: they are advisory, and the next merge makes others.
        if let Some(groups) = list(&loaded.layout).await? {
            reachable.names.extend(groups.names());
        }
        let mut lists: Vec<&SnapshotRef> =
            loaded.metadata.snapshots().filter(|snapshot| reachable.add_to_walk(snapshot.manifest_list())).collect();
        // The metadata holds them in no order; the same run of a simulation asks for them in the same.
        lists.sort_unstable_by_key(|snapshot| snapshot.sequence_number());
        let reads: Vec<_> = lists.into_iter().map(|snapshot| manifest_urls(loaded, snapshot)).collect();
        let listed: Vec<String> = stream::iter(reads).buffered(CONCURRENT_READS).try_concat().await?;
        let manifests: Vec<String> = listed.into_iter().filter(|url| reachable.add_to_walk(url)).collect();
        let reads: Vec<_> = manifests.iter().map(|url| file_urls(loaded, url)).collect();
        let mut files = stream::iter(reads).buffered(CONCURRENT_READS);
        while let Some(urls) = files.try_next().await? {
            urls.iter().for_each(|url| reachable.add_data_file(url));
        }
        Ok(())
    }
}

/// Every manifest of a snapshot, whatever it holds.
async fn manifest_urls(loaded: &Loaded, snapshot: &SnapshotRef) -> Result<Vec<String>, TablesError> {
    let url = snapshot.manifest_list();
    let bytes = loaded.layout.read(&loaded.layout.path_of(url)?).await?;
    let version = loaded.metadata.format_version().max(FormatVersion::V2);
    let list = ManifestList::parse_with_version(&bytes, version).map_err(|error| corrupt(url, error))?;
    Ok(list.consume_entries().into_iter().map(|manifest| manifest.manifest_path).collect())
}

/// Every file that a manifest has alive.
async fn file_urls(loaded: &Loaded, url: &str) -> Result<Vec<String>, TablesError> {
    let bytes = loaded.layout.read(&loaded.layout.path_of(url)?).await?;
    let manifest = Manifest::parse_avro(&bytes).map_err(|error| corrupt(url, error))?;
    let alive = manifest.entries().iter().filter(|entry| entry.is_alive());
    Ok(alive.map(|entry| entry.file_path().to_owned()).collect())
}
