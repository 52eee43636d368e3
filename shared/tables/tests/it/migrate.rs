//! Creating and upgrading tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use icegate_model::{Clock, ErrorKind, Table, Timestamp};
use icegate_storage::Root;
use icegate_tables::{Change, FileOptions, Tables, TablesError};
use icegate_testkit::{ManualClock, SeededIds};
use object_store::ObjectStoreExt;
use serde_json::Value;

use crate::conformance::{ledger, write_and_commit};
use crate::rows::{NEW_YEAR, log, logs};

fn tables(root: &Root, seed: u64) -> Tables {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_micros(NEW_YEAR)));
    Tables::object_store(root.clone(), clock, Arc::new(SeededIds::new(seed)))
}

async fn metadata(root: &Root, version: u64) -> Value {
    let path = root.path(&format!("icegate/logs/metadata/v{version}.metadata.json"));
    serde_json::from_slice(&root.store.get(&path).await.unwrap().bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_created_and_creates_nothing() {
    let root = Root::memory();
    let tables = tables(&root, 1);
    let changes = tables.migrate_create(true).await.unwrap();
    let texts: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], "create table icegate.logs at memory:///icegate/logs");
    assert_eq!(texts.len(), 4);
    let error = tables.snapshot(Table::Logs).await.unwrap_err();
    assert_eq!(error.to_string(), "table icegate.logs does not exist, create it with: migrate create");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn creating_twice_changes_nothing() {
    let tables = tables(&Root::memory(), 1);
    assert_eq!(tables.migrate_create(false).await.unwrap().len(), 4);
    assert_eq!(tables.migrate_create(false).await.unwrap(), []);
    assert_eq!(tables.migrate_upgrade(false).await.unwrap(), []);
}

#[tokio::test]
async fn of_several_creators_one_creates_each_table() {
    let root = Root::memory();
    let creators: Vec<_> = (0..4).map(|seed| tables(&root, seed)).collect();
    let created = futures::future::join_all(creators.iter().map(|tables| tables.migrate_create(false))).await;
    assert_eq!(created.into_iter().map(|changes| changes.unwrap().len()).sum::<usize>(), 4);
}

#[tokio::test]
async fn a_table_is_format_two_partitioned_and_sorted_as_documented() {
    let root = Root::memory();
    tables(&root, 1).migrate_create(false).await.unwrap();
    let metadata = metadata(&root, 1).await;
    assert_eq!(metadata["format-version"], 2);
    assert_eq!(metadata["location"], "memory:///icegate/logs");
    assert_eq!(metadata["last-updated-ms"], NEW_YEAR / 1_000);
    assert_eq!(metadata["properties"]["write.parquet.compression-codec"], "zstd");
    let partitions = metadata["partition-specs"][0]["fields"].as_array().unwrap();
    let partitions: Vec<_> =
        partitions.iter().map(|field| (field["name"].as_str().unwrap(), field["transform"].as_str().unwrap())).collect();
    assert_eq!(partitions, [("tenant_id", "identity"), ("account_id", "identity"), ("timestamp_day", "day")]);
    let sort = metadata["sort-orders"].as_array().unwrap().iter().find(|order| order["order-id"] == 1).unwrap();
    let directions: Vec<_> =
        sort["fields"].as_array().unwrap().iter().map(|field| field["direction"].as_str().unwrap()).collect();
    assert_eq!(directions, ["asc", "desc"]);
}

/// All primitive types of a schema's fields, however deep.
fn types(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| types(item, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("type" | "element" | "key" | "value", Value::String(name)) => drop(found.insert(name.clone())),
                    _ => types(value, found),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn no_table_has_a_type_that_the_compaction_of_s3_tables_refuses() {
    const TAKEN: [&str; 11] =
        ["struct", "list", "map", "boolean", "int", "long", "float", "double", "string", "binary", "timestamptz"];
    let root = Root::memory();
    tables(&root, 1).migrate_create(false).await.unwrap();
    for table in Table::ALL {
        let path = root.path(&format!("icegate/{table}/metadata/v1.metadata.json"));
        let bytes = root.store.get(&path).await.unwrap().bytes().await.unwrap();
        let metadata: Value = serde_json::from_slice(&bytes).unwrap();
        let mut found = BTreeSet::new();
        types(&metadata["schemas"], &mut found);
        assert!(found.contains("string") && found.contains("timestamptz"), "{table}: {found:?}");
        // `fixed[16]` above all.
        assert!(found.iter().all(|name| TAKEN.contains(&name.as_str())), "{table}: {found:?}");
        assert_eq!(metadata["properties"]["write.parquet.compression-codec"], "zstd", "{table}: nor brotli or lz4");
    }
}

/// Rewrites the table's first metadata as an older release would have made it.
async fn age(root: &Root, change: impl FnOnce(&mut Vec<Value>)) {
    let mut value = metadata(root, 1).await;
    change(value["schemas"][0]["fields"].as_array_mut().unwrap());
    let path = root.path("icegate/logs/metadata/v1.metadata.json");
    root.store.put(&path, value.to_string().into()).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_adds_the_columns_that_the_table_lacks() {
    let root = Root::memory();
    tables(&root, 1).migrate_create(false).await.unwrap();
    age(&root, |fields| fields.retain(|field| field["name"] != "severity_text" && field["name"] != "record_attributes")).await;
    let last = metadata(&root, 1).await["last-column-id"].as_i64().unwrap();
    let tables = tables(&root, 2);

    let error = tables.write_files(Table::Logs, vec![logs(&[log("a", "s", 0, "x")])], FileOptions::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "table icegate.logs has no column severity_text, add it with: migrate upgrade");

    let add = |column: &str, data_type: &str| Change::AddColumn {
        table: Table::Logs,
        column: column.to_owned(),
        data_type: data_type.to_owned(),
    };
    let planned = tables.migrate_upgrade(true).await.unwrap();
    assert_eq!(planned.len(), 2);
    assert_eq!(planned[0], add("severity_text", "string"));
    assert_eq!(planned[0].to_string(), "add column severity_text string to icegate.logs");
    assert_eq!(tables.migrate_upgrade(false).await.unwrap(), planned);
    assert_eq!(tables.migrate_upgrade(false).await.unwrap(), []);

    let upgraded = metadata(&root, 2).await;
    let schemas = upgraded["schemas"].as_array().unwrap();
    let current = schemas.iter().find(|schema| schema["schema-id"] == upgraded["current-schema-id"]).unwrap();
    let added: Vec<_> = current["fields"].as_array().unwrap().iter().rev().take(2).collect();
    assert_eq!(
        (&added[1]["name"], &added[1]["id"], &added[1]["required"]),
        (&"severity_text".into(), &(last + 1).into(), &false.into())
    );
    // The map, its key and its value.
    assert_eq!(upgraded["last-column-id"], last + 4);
    write_and_commit(&tables, &[log("a", "s", 0, "x")], ledger(&["s"], &[])).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_refuses_a_changed_type_and_a_foreign_column() {
    let root = Root::memory();
    tables(&root, 1).migrate_create(false).await.unwrap();
    age(&root, |fields| fields.iter_mut().find(|field| field["name"] == "flags").unwrap()["type"] = "long".into()).await;
    let error = tables(&root, 2).migrate_upgrade(false).await.unwrap_err();
    assert!(matches!(&error, TablesError::SchemaChange { column, .. } if column == "flags"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    age(&root, |fields| {
        let flags = fields.iter_mut().find(|field| field["name"] == "flags").unwrap();
        (flags["type"], flags["name"]) = ("int".into(), "foreign".into());
    })
    .await;
    let error = tables(&root, 3).migrate_upgrade(false).await.unwrap_err();
    assert!(matches!(&error, TablesError::SchemaChange { column, .. } if column == "foreign"), "{error}");
}
