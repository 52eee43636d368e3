//! A table is made together with a first snapshot that is empty.
//!
//! A commit asserts which snapshot is the newest. That there is none is an assertion too, but not every server checks it, and then
//! of two first commits both succeed and one is lost. A table that always has a snapshot never needs that assertion. So the server
//! is first asked what it would make of the table, and the table is then created by a commit that asserts that it doesn't exist.

use std::collections::HashMap;
use std::sync::Arc;

use iceberg::spec::{
    FormatVersion, MAIN_BRANCH, Operation, Snapshot, SnapshotReference, SnapshotRetention, Summary, TableMetadata,
};
use iceberg::{TableRequirement, TableUpdate};
use serde_json::{Value, json};

use crate::catalog::MetadataChange;
use crate::definition::Definition;
use crate::error::{IcebergContext, TablesError};
use crate::layout::Layout;
use crate::manifest::encode_manifest_list;

/// Where a table's metadata says that it is before the server has chosen; never sent.
const NOWHERE: &str = "memory:///";

/// Who makes the snapshot.
pub(super) struct Creator {
    pub(super) commit: icegate_model::UniqueId,
    pub(super) snapshot_id: i64,
    pub(super) at_millis: i64,
}

/// The request that asks what the server would make of a table.
pub(super) fn staging(definition: &Definition) -> Result<Value, TablesError> {
    let metadata = definition.clone().metadata_at(NOWHERE)?;
    let mut properties = json!(definition.properties);
    // Servers choose a format themselves where nothing is said.
    properties["format-version"] = "2".into();
    Ok(json!({
        "name": definition.table.to_string(),
        "schema": metadata.current_schema().as_ref(),
        "partition-spec": metadata.default_partition_spec().as_ref(),
        "write-order": metadata.default_sort_order().as_ref(),
        "stage-create": true,
        "properties": properties,
    }))
}

/// The change that makes the table that the server staged, with an empty snapshot.
pub(super) async fn creation(
    definition: Definition,
    staged: &TableMetadata,
    layout: &Arc<Layout>,
    creator: Creator,
) -> Result<MetadataChange, TablesError> {
    let table = definition.table;
    let Creator { commit, snapshot_id, at_millis } = creator;
    let list = layout.manifest_list(snapshot_id, 0, commit);
    layout.write(&list, encode_manifest_list(table, snapshot_id, None, 1, Vec::new()).await?).await?;
    let snapshot = Snapshot::builder()
        .with_snapshot_id(snapshot_id)
        .with_sequence_number(1)
        .with_timestamp_ms(at_millis.max(staged.last_updated_ms()))
        .with_manifest_list(layout.url(&list))
        .with_summary(nothing())
        .with_schema_id(0)
        .build();
    let retention = SnapshotRetention::Branch { min_snapshots_to_keep: None, max_snapshot_age_ms: None, max_ref_age_ms: None };
    let built = definition
        .builder_at(layout.location())
        .and_then(|builder| builder.add_snapshot(snapshot))
        .and_then(|builder| builder.set_ref(MAIN_BRANCH, SnapshotReference::new(snapshot_id, retention)))
        .and_then(iceberg::spec::TableMetadataBuilder::build)
        .iceberg(table, "build metadata")?;
    let mut updates = vec![
        TableUpdate::AssignUuid { uuid: staged.uuid() },
        TableUpdate::UpgradeFormatVersion { format_version: FormatVersion::V2 },
    ];
    updates.extend(built.changes);
    Ok(MetadataChange { requirements: vec![TableRequirement::NotExist], updates })
}

fn nothing() -> Summary {
    let zero = |key: &str| (key.to_owned(), "0".to_owned());
    let counts = ["total-records", "total-data-files", "total-files-size", "total-delete-files"];
    Summary { operation: Operation::Append, additional_properties: counts.map(zero).into_iter().collect::<HashMap<_, _>>() }
}
