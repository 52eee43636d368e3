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
    let error = EngineError::from(error);
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().starts_with("queries need more memory than engine.memory_bytes allows"), "{error}");
}

#[tokio::test]
async fn memory_that_a_failed_query_held_is_free_for_the_next_one() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 5_000))]).await;
    let engine = world.engine(EngineConfig { memory_bytes: 400_000, ..EngineConfig::default() });
    for _ in 0..3 {
        let opened = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
        let rows = opened.session.read_table(opened.provider).unwrap();
        rows.clone().sort(vec![col("body").sort(true, true)]).unwrap().collect().await.unwrap_err();
        let newest = rows.sort(vec![col("timestamp").sort(false, false)]).unwrap().limit(0, Some(3)).unwrap();
        let newest = newest.select_columns(&["timestamp"]).unwrap();
        assert_eq!(newest.collect().await.unwrap()[0].num_rows(), 3);
    }
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
