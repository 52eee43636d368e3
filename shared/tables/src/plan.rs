//! A commit as requirements and updates, and the counts that it must keep.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{
    MAIN_BRANCH, ManifestFile, Operation, Snapshot, SnapshotRef, SnapshotReference, SnapshotRetention, Summary, TableMetadata,
};
use iceberg::{TableRequirement, TableUpdate};
use icegate_model::{Table, Timestamp};

use crate::catalog::MetadataChange;
use crate::error::{TablesError, corrupt};
use crate::ledger::{COMMIT_KEY, Entry, LEDGER_KEY};
use crate::manifest::live_rows;
use crate::write::WrittenFile;

/// Key of a snapshot's summary: its ledger is a checkpoint.
const CHECKPOINT_KEY: &str = "icegate.checkpoint";
const TOTAL_RECORDS: &str = "total-records";
const TOTAL_DATA_FILES: &str = "total-data-files";
const TOTAL_FILES_SIZE: &str = "total-files-size";

/// Rows, files and bytes of a table or of an addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    partitions: usize,
}

impl Counts {
    pub(crate) fn of_files(files: &[WrittenFile]) -> Self {
        let partitions: HashSet<_> = files.iter().map(|file| file.file.partition()).collect();
        Self {
            rows: files.iter().map(WrittenFile::rows).sum(),
            files: files.len() as u64,
            bytes: files.iter().map(WrittenFile::size).sum(),
            partitions: partitions.len(),
        }
    }

    /// What the table holds, by the newest summary, which has to agree with the manifests. Of another writer's snapshot that
    /// states no totals the manifests are counted.
    pub(crate) fn before(table: Table, metadata: &TableMetadata, manifests: &[ManifestFile]) -> Result<Self, TablesError> {
        let Some(snapshot) = metadata.current_snapshot() else { return Ok(Self::default()) };
        check_replaced(table, snapshot)?;
        let counted = rows_of(manifests)?;
        let rows = stated(snapshot, TOTAL_RECORDS).unwrap_or(counted);
        check(table, "by manifest and by summary", rows, counted)?;
        let files = stated(snapshot, TOTAL_DATA_FILES).unwrap_or_else(|| files_of(manifests));
        Ok(Self { rows, files, bytes: stated(snapshot, TOTAL_FILES_SIZE).unwrap_or(0), partitions: 0 })
    }

    /// SHIFT-2 on the manifests of the new snapshot.
    pub(crate) fn check_after(&self, table: Table, added: &Self, manifests: &[ManifestFile]) -> Result<(), TablesError> {
        check(table, "before and added", self.rows + added.rows, rows_of(manifests)?)
    }
}

fn check(table: Table, what: &'static str, expected: u64, found: u64) -> Result<(), TablesError> {
    if expected == found { Ok(()) } else { Err(TablesError::RowCount { table, what, expected, found }) }
}

fn stated(snapshot: &SnapshotRef, key: &str) -> Option<u64> {
    snapshot.summary().additional_properties.get(key)?.parse().ok()
}

/// A compaction, by whomever, adds the rows that it removes.
fn check_replaced(table: Table, snapshot: &SnapshotRef) -> Result<(), TablesError> {
    let counts = (stated(snapshot, "deleted-records"), stated(snapshot, "added-records"));
    match (&snapshot.summary().operation, counts) {
        (Operation::Replace, (Some(deleted), Some(added))) => check(table, "replaced", deleted, added),
        _ => Ok(()),
    }
}

fn files_of(manifests: &[ManifestFile]) -> u64 {
    let files = |manifest: &ManifestFile| {
        u64::from(manifest.added_files_count.unwrap_or(0)) + u64::from(manifest.existing_files_count.unwrap_or(0))
    };
    manifests.iter().map(files).sum()
}

fn rows_of(manifests: &[ManifestFile]) -> Result<u64, TablesError> {
    let rows = |manifest: &ManifestFile| live_rows(manifest).ok_or_else(|| corrupt(&manifest.manifest_path, "it counts no rows"));
    manifests.iter().map(rows).sum()
}

/// The summary of an append.
pub(crate) fn summary_of(before: &Counts, added: &Counts, commit: &str, ledger_url: &str) -> Summary {
    let mut properties = counted(before, added);
    properties.insert(COMMIT_KEY.to_owned(), commit.to_owned());
    properties.insert(LEDGER_KEY.to_owned(), ledger_url.to_owned());
    Summary { operation: Operation::Append, additional_properties: properties }
}

/// The summary of a snapshot that changes no row and whose ledger is a checkpoint.
pub(crate) fn checkpoint_summary(before: &Counts, commit: &str, ledger_url: &str) -> Summary {
    let mut summary = summary_of(before, &Counts::default(), commit, ledger_url);
    summary.operation = Operation::Replace;
    summary.additional_properties.insert(CHECKPOINT_KEY.to_owned(), "true".to_owned());
    summary
}

/// Whether the snapshot's ledger is a checkpoint.
pub(crate) fn is_checkpoint(snapshot: &SnapshotRef) -> bool {
    snapshot.summary().additional_properties.contains_key(CHECKPOINT_KEY)
}

fn counted(before: &Counts, added: &Counts) -> HashMap<String, String> {
    let counts = [
        ("added-data-files", added.files),
        ("added-records", added.rows),
        ("added-files-size", added.bytes),
        ("changed-partition-count", added.partitions as u64),
        (TOTAL_DATA_FILES, before.files + added.files),
        (TOTAL_RECORDS, before.rows + added.rows),
        (TOTAL_FILES_SIZE, before.bytes + added.bytes),
        ("total-delete-files", 0),
        ("total-position-deletes", 0),
        ("total-equality-deletes", 0),
    ];
    counts.into_iter().map(|(key, count)| (key.to_owned(), count.to_string())).collect()
}

/// When a commit on this metadata happens, in milliseconds. Clocks differ between machines, but the table's time only goes
/// forward.
pub(crate) fn commit_millis(metadata: &TableMetadata, now: Timestamp) -> i64 {
    now.millis().max(metadata.last_updated_ms())
}

/// A new snapshot on the main branch, valid on exactly this metadata's newest snapshot.
pub(crate) fn append(
    metadata: &TableMetadata,
    entry: &Entry,
    manifest_list: String,
    ledger_url: &str,
    summary: Summary,
) -> MetadataChange {
    let parent = metadata.current_snapshot_id();
    let snapshot = Snapshot::builder()
        .with_snapshot_id(entry.snapshot_id)
        .with_parent_snapshot_id(parent)
        .with_sequence_number(metadata.next_sequence_number())
        .with_timestamp_ms(entry.committed_millis)
        .with_manifest_list(manifest_list)
        .with_summary(summary)
        .with_schema_id(metadata.current_schema_id())
        .build();
    let retention = SnapshotRetention::Branch { min_snapshots_to_keep: None, max_snapshot_age_ms: None, max_ref_age_ms: None };
    let updates = vec![
        TableUpdate::AddSnapshot { snapshot },
        TableUpdate::SetSnapshotRef {
            ref_name: MAIN_BRANCH.to_owned(),
            reference: SnapshotReference::new(entry.snapshot_id, retention),
        },
        TableUpdate::SetProperties { updates: HashMap::from([(LEDGER_KEY.to_owned(), ledger_url.to_owned())]) },
    ];
    MetadataChange { updates, ..unchanged(metadata) }
}

/// No change, valid on exactly this metadata's newest snapshot.
pub(crate) fn unchanged(metadata: &TableMetadata) -> MetadataChange {
    let snapshot_id = metadata.current_snapshot_id();
    let requirements = vec![
        TableRequirement::UuidMatch { uuid: metadata.uuid() },
        TableRequirement::RefSnapshotIdMatch { r#ref: MAIN_BRANCH.to_owned(), snapshot_id },
    ];
    MetadataChange { requirements, updates: Vec::new() }
}
