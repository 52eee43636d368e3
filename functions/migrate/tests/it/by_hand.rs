//! `{"action": …, "dry_run": …}`.

use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::Table;
use serde_json::json;

use crate::world::{World, invocation};

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_dry_run_says_what_would_be_made_and_the_run_makes_it_once() {
    let world = World::new();
    let migrate = world.environment(|store| store).await;
    let would = migrate.handle(json!({"action": "create", "dry_run": true}), &invocation(LONG)).await.unwrap();
    assert_eq!(would["changes"].as_array().unwrap().len(), Table::ALL.len(), "{would}");
    assert!(world.tables().await.is_empty());
    let made = migrate.handle(json!({"action": "create"}), &invocation(LONG)).await.unwrap();
    assert!(made["changes"][0].as_str().unwrap().starts_with("create table icegate.logs at "), "{made}");
    assert_eq!(world.tables().await, Table::ALL);
    let again = migrate.handle(json!({"action": "upgrade"}), &invocation(LONG)).await.unwrap();
    assert_eq!(again, json!({"action": "upgrade", "dry_run": false, "changes": []}));
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_name_and_nothing_is_made() {
    let world = World::new();
    let migrate = world.environment(|store| store).await;
    let error = migrate.handle(json!({"action": "create", "dryrun": true}), &invocation(LONG)).await.unwrap_err();
    assert!(error.to_string().contains("\"dryrun\""), "{error}");
    assert!(world.tables().await.is_empty());
}
