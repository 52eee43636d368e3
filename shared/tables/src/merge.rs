//! Keeps manifest lists short: many small manifests become one, with every entry's numbers kept.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};
use iceberg::spec::ManifestFile;
use icegate_model::{Table, UniqueId};

use crate::catalog::Loaded;
use crate::error::TablesError;
use crate::ledger::CONCURRENT_READS;
use crate::manifest::{encode_manifest, live_entries};

/// Small manifests that a table may have before a commit merges them.
const MIN_COUNT: usize = 100;
/// Bytes of manifests that are merged into one.
const TARGET_BYTES: i64 = 8 * 1024 * 1024;

/// A manifest that stands for others.
#[derive(Debug)]
pub(crate) struct Merged {
    manifest: ManifestFile,
    replaced: HashSet<String>,
}

impl Merged {
    /// The list with the merged manifest in place of those that it replaces; `None` where some of them are no longer listed.
    pub(crate) fn replace(&self, manifests: &[ManifestFile]) -> Option<Vec<ManifestFile>> {
        let (replaced, mut kept): (Vec<_>, Vec<_>) =
            manifests.iter().cloned().partition(|manifest| self.replaced.contains(&manifest.manifest_path));
        (replaced.len() == self.replaced.len()).then(|| {
            kept.insert(0, self.manifest.clone());
            kept
        })
    }
}

/// The manifests to merge; none where there are few.
fn small(manifests: &[ManifestFile], spec_id: i32) -> Vec<&ManifestFile> {
    let mut bytes = 0;
    let small: Vec<_> = manifests
        .iter()
        .filter(|manifest| manifest.partition_spec_id == spec_id && manifest.manifest_length < TARGET_BYTES)
        .take_while(|manifest| {
            bytes += manifest.manifest_length;
            bytes < TARGET_BYTES
        })
        .collect();
    if small.len() < MIN_COUNT { Vec::new() } else { small }
}

/// Writes one manifest for the small ones among these; `None` where they are few.
pub(crate) async fn merge(
    table: Table,
    base: &Loaded,
    manifests: &[ManifestFile],
    snapshot_id: i64,
    names: (UniqueId, usize),
) -> Result<Option<Merged>, TablesError> {
    let (layout, metadata) = (&base.layout, &base.metadata);
    let small = small(manifests, metadata.default_partition_spec_id());
    if small.is_empty() {
        return Ok(None);
    }
    let reads: Vec<_> = small.iter().map(|manifest| live_entries(layout, manifest)).collect();
    let entries: Vec<_> = stream::iter(reads).buffered(CONCURRENT_READS).try_concat().await?;
    let path = layout.manifest(names.0, names.1);
    let (manifest, bytes) = encode_manifest(table, metadata, snapshot_id, layout.url(&path), |writer| {
        entries.into_iter().try_for_each(|entry| {
            let numbers = (entry.snapshot_id, entry.sequence_number, Some(entry.file_sequence_number));
            writer.add_existing_file(entry.file, numbers.0, numbers.1, numbers.2)
        })
    })
    .await?;
    layout.write(&path, bytes).await?;
    Ok(Some(Merged { manifest, replaced: small.iter().map(|manifest| manifest.manifest_path.clone()).collect() }))
}
