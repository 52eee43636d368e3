//! A commit as requirements and updates, and the counts that it must keep.

use std::collections::{HashMap, HashSet};

use iceberg::spec::{
    MAIN_BRANCH, ManifestFile, Operation, Snapshot, SnapshotRef, SnapshotReference, SnapshotRetention, Summary, TableMetadata,
};
use iceberg::{TableRequirement, TableUpdate};
use icegate_model::{Table, Timestamp, UniqueId};

use crate::catalog::MetadataChange;
use crate::checkpoint::CHECKPOINT_KEY;
use crate::error::{TablesError, corrupt};
use crate::ledger::{COMMIT_KEY, LEDGER_KEY};
use crate::manifest::live_rows;
use crate::write::WrittenFile;

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

    /// The totals that a snapshot's summary states; what it doesn't state counts as zero.
    pub(crate) fn of_summary(snapshot: &SnapshotRef) -> Self {
        let properties = &snapshot.summary().additional_properties;
        let stated = |key: &str| properties.get(key).and_then(|value| value.parse().ok()).unwrap_or(0);
        Self { rows: stated(TOTAL_RECORDS), files: stated(TOTAL_DATA_FILES), bytes: stated(TOTAL_FILES_SIZE), partitions: 0 }
    }

    /// What the table holds, by the newest summary, which has to agree with the manifests.
    pub(crate) fn before(table: Table, metadata: &TableMetadata, manifests: &[ManifestFile]) -> Result<Self, TablesError> {
        let Some(snapshot) = metadata.current_snapshot() else { return Ok(Self::default()) };
        let stated = Self::of_summary(snapshot);
        check(table, "by manifest and by summary", stated.rows, rows_of(manifests)?)?;
        Ok(stated)
    }

    /// SHIFT-2 on the manifests of the new snapshot.
    pub(crate) fn check_after(&self, table: Table, added: &Self, manifests: &[ManifestFile]) -> Result<(), TablesError> {
        check(table, "before and added", self.rows + added.rows, rows_of(manifests)?)
    }
}

fn check(table: Table, what: &'static str, expected: u64, found: u64) -> Result<(), TablesError> {
    if expected == found { Ok(()) } else { Err(TablesError::RowCount { table, what, expected, found }) }
}

fn rows_of(manifests: &[ManifestFile]) -> Result<u64, TablesError> {
    let rows = |manifest: &ManifestFile| live_rows(manifest).ok_or_else(|| corrupt(&manifest.manifest_path, "it counts no rows"));
    manifests.iter().map(rows).sum()
}

/// The summary of an append.
pub(crate) fn summary_of(before: &Counts, added: &Counts, commit: UniqueId, ledger_url: &str) -> Summary {
    let mut properties = counted(before, added);
    properties.insert(COMMIT_KEY.to_owned(), commit.to_string());
    properties.insert(LEDGER_KEY.to_owned(), ledger_url.to_owned());
    Summary { operation: Operation::Append, additional_properties: properties }
}

/// The summary of a snapshot that changes no row and holds a checkpoint of the ledgers.
pub(crate) fn checkpoint_summary(before: &Counts, commit: UniqueId, checkpoint_url: &str) -> Summary {
    let mut properties = counted(before, &Counts::default());
    properties.insert(COMMIT_KEY.to_owned(), commit.to_string());
    properties.insert(CHECKPOINT_KEY.to_owned(), checkpoint_url.to_owned());
    Summary { operation: Operation::Replace, additional_properties: properties }
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

/// A new snapshot on the main branch, valid on exactly this metadata's newest snapshot.
pub(crate) fn append(
    metadata: &TableMetadata,
    snapshot_id: i64,
    manifest_list: String,
    summary: Summary,
    now: Timestamp,
) -> MetadataChange {
    let parent = metadata.current_snapshot_id();
    let snapshot = Snapshot::builder()
        .with_snapshot_id(snapshot_id)
        .with_parent_snapshot_id(parent)
        .with_sequence_number(metadata.next_sequence_number())
        // Clocks differ between machines, but the table's time only goes forward.
        .with_timestamp_ms(now.millis().max(metadata.last_updated_ms()))
        .with_manifest_list(manifest_list)
        .with_summary(summary)
        .with_schema_id(metadata.current_schema_id())
        .build();
    let retention = SnapshotRetention::Branch { min_snapshots_to_keep: None, max_snapshot_age_ms: None, max_ref_age_ms: None };
    let reference = SnapshotReference::new(snapshot_id, retention);
    let updates =
        vec![TableUpdate::AddSnapshot { snapshot }, TableUpdate::SetSnapshotRef { ref_name: MAIN_BRANCH.to_owned(), reference }];
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
