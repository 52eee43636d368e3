//! Another writer on our tables, such as AWS's managed compaction: its snapshots have no ledger.

use std::collections::HashMap;
use std::sync::Arc;

use iceberg::TableUpdate;
use iceberg::io::{MemoryStorage, OutputFile, Storage};
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, FormatVersion, MAIN_BRANCH, Manifest, ManifestFile, ManifestList,
    ManifestListWriter, ManifestWriter, ManifestWriterBuilder, Operation, Snapshot, SnapshotReference, SnapshotRetention,
    Summary, TableMetadata,
};
use icegate_model::{ErrorKind, Table};
use icegate_storage::Root;
use icegate_tables::TablesError;
use object_store::ObjectStoreExt;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::backends::{Bench, on_files, on_s3_tables};
use crate::conformance::{ledger, write_and_commit};
use crate::rows::{NEW_YEAR, log, read_all};

/// The table `logs` as the other writer sees it.
struct Foreign<'a> {
    bench: &'a Bench,
    root: Root,
    location: String,
    metadata: TableMetadata,
}

impl<'a> Foreign<'a> {
    async fn open(bench: &'a Bench) -> Self {
        let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
        let (root, location) = (snapshot.root().clone(), snapshot.metadata_location().to_owned());
        let metadata = serde_json::from_slice(&get(&root, &location).await).unwrap();
        Self { bench, root, location, metadata }
    }

    async fn manifests(&self) -> Vec<ManifestFile> {
        let list = get(&self.root, self.metadata.current_snapshot().unwrap().manifest_list()).await;
        ManifestList::parse_with_version(&list, FormatVersion::V2).unwrap().consume_entries().into_iter().collect()
    }

    async fn put(&self, name: &str, bytes: Vec<u8>) -> String {
        let path = self.root.path(name);
        self.root.store.put(&path, bytes.into()).await.unwrap();
        self.root.url_of(&path)
    }

    async fn manifest(&self, name: &str, deletes: bool, fill: impl FnOnce(&mut ManifestWriter)) -> ManifestFile {
        let url = self.root.url_of(&self.root.path(name));
        let scratch = Arc::new(MemoryStorage::new());
        let output = OutputFile::new(Arc::clone(&scratch) as Arc<dyn Storage>, url.clone());
        let (schema, spec) =
            (Arc::clone(self.metadata.current_schema()), self.metadata.default_partition_spec().as_ref().clone());
        let builder = ManifestWriterBuilder::new(output, Some(ID), schema, spec);
        let mut writer = if deletes { builder.build_v2_deletes() } else { builder.build_v2_data() };
        fill(&mut writer);
        let manifest = writer.write_manifest_file().await.unwrap();
        self.put(name, scratch.read(&url).await.unwrap().to_vec()).await;
        manifest
    }

    /// Makes a snapshot of these manifests the newest.
    async fn commit(self, manifests: Vec<ManifestFile>, operation: Operation, summary: &[(&str, &str)]) {
        let (parent, number) = (self.metadata.current_snapshot_id(), self.metadata.next_sequence_number());
        let scratch = MemoryStorage::new();
        let mut list = ManifestListWriter::v2(scratch.writer("list").await.unwrap(), ID, parent, number);
        list.add_manifests(manifests.into_iter()).unwrap();
        list.close().await.unwrap();
        let list = self.put("metadata/snap-foreign.avro", scratch.read("list").await.unwrap().to_vec()).await;
        let properties = summary.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<HashMap<_, _>>();
        let snapshot = Snapshot::builder()
            .with_snapshot_id(ID)
            .with_parent_snapshot_id(parent)
            .with_sequence_number(number)
            .with_timestamp_ms(self.metadata.last_updated_ms() + 1)
            .with_manifest_list(list)
            .with_summary(Summary { operation, additional_properties: properties })
            .with_schema_id(self.metadata.current_schema_id())
            .build();
        let retention =
            SnapshotRetention::Branch { min_snapshots_to_keep: None, max_snapshot_age_ms: None, max_ref_age_ms: None };
        let reference = SnapshotReference::new(ID, retention);
        let mut builder = self.metadata.clone().into_builder(Some(self.location.clone()));
        for update in
            [TableUpdate::AddSnapshot { snapshot }, TableUpdate::SetSnapshotRef { ref_name: MAIN_BRANCH.to_owned(), reference }]
        {
            builder = update.apply(builder).unwrap();
        }
        self.point(&builder.build().unwrap().metadata).await;
    }

    /// Swaps the catalog's pointer.
    async fn point(&self, metadata: &TableMetadata) {
        let bytes = serde_json::to_vec(metadata).unwrap();
        let Some((client, bucket)) = &self.bench.table_bucket else {
            let version: u64 = self.location.rsplit_once("/v").unwrap().1.split('.').next().unwrap().parse().unwrap();
            self.put(&format!("metadata/v{}.metadata.json", version + 1), bytes).await;
            return;
        };
        let location = self.put("metadata/00099-foreign.metadata.json", bytes).await;
        let get = client.get_table_metadata_location().table_bucket_arn(bucket).namespace("icegate").name("logs");
        let token = get.send().await.unwrap().version_token;
        let update = client.update_table_metadata_location().table_bucket_arn(bucket).namespace("icegate").name("logs");
        update.version_token(token).metadata_location(location).send().await.unwrap();
    }

    /// All files' rows as one file, and those that it replaces with their sequence numbers.
    async fn merged(&self) -> (DataFile, Vec<(DataFile, i64)>) {
        let mut entries = Vec::new();
        let mut writer: Option<ArrowWriter<Vec<u8>>> = None;
        for manifest in self.manifests().await {
            let parsed = Manifest::parse_avro(&get(&self.root, &manifest.manifest_path).await).unwrap();
            for entry in parsed.entries() {
                let bytes = get(&self.root, entry.file_path()).await;
                let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
                for batch in reader.map(Result::unwrap) {
                    let writer = writer.get_or_insert_with(|| ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap());
                    writer.write(&batch).unwrap();
                }
                entries.push((entry.data_file().clone(), entry.sequence_number().unwrap_or(manifest.sequence_number)));
            }
        }
        let bytes = writer.unwrap().into_inner().unwrap();
        let size = bytes.len() as u64;
        let url = self.put("data/foreign.parquet", bytes).await;
        let replaced = &entries[0].0;
        let merged = DataFileBuilder::default()
            .content(DataContentType::Data)
            .file_path(url)
            .file_format(DataFileFormat::Parquet)
            .partition(replaced.partition().clone())
            .partition_spec_id(self.metadata.default_partition_spec_id())
            .record_count(entries.iter().map(|(file, _)| file.record_count()).sum())
            .file_size_in_bytes(size)
            .build()
            .unwrap();
        (merged, entries)
    }

    /// What AWS's compaction does: all files become one.
    async fn compact(self, summary: &[(&str, &str)]) {
        let (merged, replaced) = self.merged().await;
        let added = self.manifest("metadata/foreign-m0.avro", false, |writer| writer.add_file(merged, -1).unwrap()).await;
        let fill = |writer: &mut ManifestWriter| {
            for (file, number) in replaced {
                writer.add_delete_file(file, number, Some(number)).unwrap();
            }
        };
        let removed = self.manifest("metadata/foreign-m1.avro", false, fill).await;
        self.commit(vec![added, removed], Operation::Replace, summary).await;
    }
}

const ID: i64 = 4_711;
const COMPACTED: [(&str, &str); 6] = [
    ("added-data-files", "1"),
    ("deleted-data-files", "2"),
    ("added-records", "3"),
    ("deleted-records", "3"),
    ("total-data-files", "1"),
    ("total-records", "3"),
];

async fn get(root: &Root, url: &str) -> Vec<u8> {
    root.store.get(&root.path_of_url(url).unwrap()).await.unwrap().bytes().await.unwrap().to_vec()
}

/// Three rows in two files of one partition, by two segments.
async fn fill(bench: &Bench) {
    write_and_commit(&bench.tables, &[log("a", "s", NEW_YEAR, "1")], ledger(&["s1"], &[1])).await.unwrap();
    let rows = [log("a", "s", NEW_YEAR + 1, "2"), log("a", "s", NEW_YEAR + 2, "3")];
    write_and_commit(&bench.tables, &rows, ledger(&["s2"], &[2])).await.unwrap();
}

async fn a_compaction_by_another_keeps_rows_and_history(bench: Bench) {
    fill(&bench).await;
    let before = read_all(&bench.tables.snapshot(Table::Logs).await.unwrap()).await;
    Foreign::open(&bench).await.compact(&COMPACTED).await;

    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.id(), snapshot.files().len(), snapshot.total_rows()), (Some(ID), 1, 3));
    assert_eq!(read_all(&snapshot).await, before);
    assert!(snapshot.shifted().contains("s1") && snapshot.shifted().contains("s2"));

    let error = write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s2"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
    let another = bench.another(2).await;
    let committed = write_and_commit(&another, &[log("a", "s", NEW_YEAR + 3, "4")], ledger(&["s3"], &[])).await.unwrap();
    assert_eq!((committed.rows_before, committed.rows_added), (3, 1));
    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!((snapshot.files().len(), read_all(&snapshot).await.len()), (2, 4));
    assert_eq!(snapshot.shifted().segments().count(), 3);
}

#[tokio::test]
async fn a_compaction_by_another_is_read_and_built_on() {
    a_compaction_by_another_keeps_rows_and_history(on_files().await).await;
}

#[tokio::test]
async fn a_compaction_of_a_table_bucket_is_read_and_built_on() {
    if let Some(bench) = on_s3_tables("foreign::a_compaction_of_a_table_bucket_is_read_and_built_on").await {
        a_compaction_by_another_keeps_rows_and_history(bench).await;
    }
}

#[tokio::test]
async fn history_is_found_where_the_snapshots_that_hold_it_are_gone() {
    let bench = on_files().await;
    fill(&bench).await;
    Foreign::open(&bench).await.compact(&COMPACTED).await;
    let foreign = Foreign::open(&bench).await;
    let expired = foreign.metadata.snapshots().map(|snapshot| snapshot.snapshot_id()).filter(|id| *id != ID).collect::<Vec<_>>();
    assert_eq!(expired.len(), 2);
    let builder = foreign.metadata.clone().into_builder(Some(foreign.location.clone())).remove_snapshots(&expired);
    foreign.point(&builder.build().unwrap().metadata).await;

    let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
    assert!(snapshot.shifted().contains("s1") && snapshot.shifted().contains("s2"));
    let error = write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s1"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::AlreadyShifted { .. }), "{error}");
}

#[tokio::test]
async fn a_compaction_that_lost_a_row_stops_commits() {
    let bench = on_files().await;
    fill(&bench).await;
    let mut summary = COMPACTED;
    summary[3] = ("deleted-records", "4");
    Foreign::open(&bench).await.compact(&summary).await;
    let error = write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s3"], &[])).await.unwrap_err();
    assert!(matches!(error, TablesError::RowCount { expected: 4, found: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_snapshot_that_states_no_totals_is_counted() {
    let bench = on_files().await;
    fill(&bench).await;
    Foreign::open(&bench).await.compact(&[]).await;
    let committed = write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s3"], &[])).await.unwrap();
    assert_eq!((committed.rows_before, committed.rows_added), (3, 1));
}

#[tokio::test]
async fn a_table_with_delete_files_is_neither_read_nor_written() {
    let bench = on_files().await;
    fill(&bench).await;
    let foreign = Foreign::open(&bench).await;
    let (data, _) = foreign.merged().await;
    let deletes = DataFileBuilder::default()
        .content(DataContentType::PositionDeletes)
        .file_path(foreign.put("data/deletes.parquet", Vec::new()).await)
        .file_format(DataFileFormat::Parquet)
        .partition(data.partition().clone())
        .partition_spec_id(foreign.metadata.default_partition_spec_id())
        .record_count(1)
        .file_size_in_bytes(0)
        .build()
        .unwrap();
    let deletes = foreign.manifest("metadata/foreign-m0.avro", true, |writer| writer.add_file(deletes, -1).unwrap()).await;
    let manifests = foreign.manifests().await.into_iter().chain([deletes]).collect();
    foreign.commit(manifests, Operation::Delete, &[]).await;
    let error = bench.tables.snapshot(Table::Logs).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let error = write_and_commit(&bench.tables, &[log("a", "s", 0, "x")], ledger(&["s3"], &[])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
