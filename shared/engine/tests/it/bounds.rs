//! BOUND-1: what a query may use is bounded, and the error names the bound.

use datafusion::prelude::col;
use icegate_engine::{EngineConfig, EngineError, kind_of};
use icegate_model::{ErrorKind, Table, TimeRange};

use crate::rows::logs;
use crate::world::{World, tenant};

#[tokio::test]
async fn a_query_that_needs_too_much_memory_is_told_the_bound() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 5_000))]).await;
    let engine = world.engine(EngineConfig { memory_bytes: 100_000, ..EngineConfig::default() });
    let opened = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
    let rows = opened.session.read_table(opened.provider).unwrap();
    let error = rows.sort(vec![col("body").sort(true, true)]).unwrap().collect().await.unwrap_err();
    assert_eq!(kind_of(&error), ErrorKind::LimitExceeded, "{error}");
    assert!(error.to_string().contains("engine.memory_bytes allows 100000"), "{error}");
}

#[tokio::test]
async fn a_scan_of_too_many_objects_is_refused() {
    let world = World::new().await;
    for start in 0..3 {
        world.ingest(&[("a", &logs(start * 10, 10))]).await;
    }
    let engine = world.engine(EngineConfig { max_scan_objects: 2, ..EngineConfig::default() });
    let error = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap_err();
    assert!(matches!(error, EngineError::TooManyObjects { objects: 3, max: 2, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}
