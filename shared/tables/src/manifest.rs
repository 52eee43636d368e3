//! Manifests and manifest lists: bytes in the object store to and from iceberg's types.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use iceberg::io::{MemoryStorage, OutputFile, Storage};
use iceberg::spec::{
    DataFile as IcebergFile, FormatVersion, Manifest, ManifestContentType, ManifestFile, ManifestList, ManifestListWriter,
    ManifestStatus, ManifestWriter, ManifestWriterBuilder, TableMetadata,
};
use icegate_model::Table;

use crate::Tables;
use crate::catalog::Loaded;
use crate::data_file::{DataFile, DataFileReader};
use crate::definition::PARTITIONS;
use crate::error::{IcebergContext, TablesError, corrupt};
use crate::layout::Layout;
use crate::ledger::CONCURRENT_READS;

/// An entry of a manifest that is alive, with the numbers that it was committed under.
#[derive(Clone, Debug)]
pub(crate) struct LiveEntry {
    pub(crate) file: IcebergFile,
    pub(crate) snapshot_id: i64,
    pub(crate) sequence_number: i64,
    pub(crate) file_sequence_number: i64,
}

/// A manifest's bytes and the manifest list's line about it.
pub(crate) async fn encode_manifest(
    table: Table,
    metadata: &TableMetadata,
    snapshot_id: i64,
    url: String,
    fill: impl FnOnce(&mut ManifestWriter) -> iceberg::Result<()>,
) -> Result<(ManifestFile, Bytes), TablesError> {
    let scratch = Arc::new(MemoryStorage::new());
    let output = OutputFile::new(Arc::clone(&scratch) as Arc<dyn Storage>, url.clone());
    let spec = metadata.default_partition_spec().as_ref().clone();
    let schema = Arc::clone(metadata.current_schema());
    let mut writer = ManifestWriterBuilder::new(output, Some(snapshot_id), schema, spec).build_v2_data();
    fill(&mut writer).iceberg(table, "fill a manifest")?;
    let written = writer.write_manifest_file().await.iceberg(table, "encode a manifest")?;
    let bytes = scratch.read(&url).await.iceberg(table, "encode a manifest")?;
    Ok((written, bytes))
}

/// A manifest list's bytes. Lines without a sequence number get this snapshot's.
pub(crate) async fn encode_manifest_list(
    table: Table,
    snapshot_id: i64,
    parent: Option<i64>,
    sequence_number: i64,
    manifests: Vec<ManifestFile>,
) -> Result<Bytes, TablesError> {
    const SCRATCH: &str = "list";
    let scratch = MemoryStorage::new();
    let output = scratch.writer(SCRATCH).await.iceberg(table, "encode a manifest list")?;
    let mut writer = ManifestListWriter::v2(output, snapshot_id, parent, sequence_number);
    writer.add_manifests(manifests.into_iter()).iceberg(table, "fill a manifest list")?;
    writer.close().await.iceberg(table, "encode a manifest list")?;
    scratch.read(SCRATCH).await.iceberg(table, "encode a manifest list")
}

/// Rows that a manifest list's line counts as alive.
pub(crate) fn live_rows(manifest: &ManifestFile) -> Option<u64> {
    Some(manifest.added_rows_count? + manifest.existing_rows_count?)
}

/// The live entries of a manifest.
pub(crate) async fn live_entries(layout: &Layout, manifest: &ManifestFile) -> Result<Vec<LiveEntry>, TablesError> {
    let url = &manifest.manifest_path;
    let bytes = layout.read(&layout.path_of(url)?).await?;
    let parsed = Manifest::parse_avro(&bytes).map_err(|error| corrupt(url, error))?;
    let alive = parsed.entries().iter().filter(|entry| entry.is_alive());
    alive
        .map(|entry| {
            // An added entry inherits what it leaves out from the list's line.
            let inherited = (entry.status() == ManifestStatus::Added).then_some(manifest.sequence_number);
            let missing = |what: &str| corrupt(url, format!("an existing entry has no {what}"));
            Ok(LiveEntry {
                file: entry.data_file().clone(),
                snapshot_id: entry.snapshot_id().unwrap_or(manifest.added_snapshot_id),
                sequence_number: entry.sequence_number().or(inherited).ok_or_else(|| missing("sequence number"))?,
                file_sequence_number: entry.file_sequence_number.or(inherited).ok_or_else(|| missing("file sequence number"))?,
            })
        })
        .collect()
}

impl Tables {
    /// The manifests of the newest snapshot, data only.
    pub(crate) async fn manifests(&self, table: Table, loaded: &Loaded) -> Result<Vec<ManifestFile>, TablesError> {
        let Some(snapshot) = loaded.metadata.current_snapshot() else { return Ok(Vec::new()) };
        let (layout, url) = (&loaded.layout, snapshot.manifest_list());
        let bytes = layout.read(&layout.path_of(url)?).await?;
        let list = ManifestList::parse_with_version(&bytes, FormatVersion::V2).map_err(|error| corrupt(url, error))?;
        let manifests: Vec<_> = list.consume_entries().into_iter().collect();
        match manifests.iter().find(|manifest| manifest.content == ManifestContentType::Deletes) {
            Some(deletes) => Err(TablesError::Unsupported { table, what: format!("delete manifest {}", deletes.manifest_path) }),
            None => Ok(manifests),
        }
    }

    /// All live data files of the newest snapshot. Manifests never change, so each is read once; those of other snapshots are
    /// dropped from memory.
    pub(crate) async fn live_files(&self, table: Table, loaded: &Loaded) -> Result<Vec<Arc<DataFile>>, TablesError> {
        let manifests = self.manifests(table, loaded).await?;
        let reads: Vec<_> = manifests.iter().map(|manifest| self.files_of(table, loaded, manifest)).collect();
        let files: Vec<_> = stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await?;
        let reachable: HashSet<_> = manifests.iter().map(|manifest| manifest.manifest_path.as_str()).collect();
        self.state(table).manifests.retain(&reachable);
        Ok(files.iter().flat_map(|files| files.iter().map(Arc::clone)).collect())
    }

    async fn files_of(
        &self,
        table: Table,
        loaded: &Loaded,
        manifest: &ManifestFile,
    ) -> Result<Arc<Vec<Arc<DataFile>>>, TablesError> {
        let known = &self.state(table).manifests;
        if let Some(files) = known.get(&manifest.manifest_path) {
            return Ok(files);
        }
        check_partitions(table, &loaded.metadata, manifest.partition_spec_id)?;
        let reader = DataFileReader { table, layout: &loaded.layout, metadata: &loaded.metadata };
        let entries = live_entries(&loaded.layout, manifest).await?;
        let files: Result<Vec<_>, _> = entries.iter().map(|entry| reader.read(&entry.file).map(Arc::new)).collect();
        Ok(known.insert(&manifest.manifest_path, files?))
    }
}

/// Files of another partition spec can't be told apart by tenant.
pub(crate) fn check_partitions(table: Table, metadata: &TableMetadata, spec_id: i32) -> Result<(), TablesError> {
    let fields = metadata.partition_spec_by_id(spec_id).map(|spec| spec.fields());
    let same = fields.is_some_and(|fields| {
        fields.len() == PARTITIONS.len()
            && fields
                .iter()
                .zip(PARTITIONS)
                .all(|(field, (name, _, transform))| field.name == name && field.transform == transform)
    });
    if same { Ok(()) } else { Err(TablesError::Unsupported { table, what: format!("partition spec {spec_id}") }) }
}
