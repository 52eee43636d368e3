//! READ-2: what vanished is an error, and planning once more helps.

use std::sync::atomic::{AtomicUsize, Ordering};

use icegate_engine::{EngineConfig, EngineError, is_stale};
use icegate_model::{ErrorKind, Table, TimeRange};

use crate::rows::logs;
use crate::world::{World, tenant};

#[tokio::test]
async fn a_segment_that_was_deleted_after_planning_makes_a_stale_error() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    let opened = world.open("a").await;
    world.wal.delete(&world.segments().await).await.unwrap();
    let error = opened.session.read_table(opened.provider).unwrap().collect().await.unwrap_err();
    assert!(is_stale(&error), "{error:?}");
    assert_eq!(EngineError::from(error).kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_query_is_planned_once_more_and_then_sees_the_shifted_rows() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    let engine = world.engine(EngineConfig::default());
    let runs = AtomicUsize::new(0);
    let rows = engine
        .with_replan(Table::Logs, &tenant("a"), TimeRange::ALL, async |opened: icegate_engine::Opened| {
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                world.shift(&world.segments().await).await;
                world.wal.delete(&world.segments().await).await.unwrap();
            }
            let rows = opened.session.read_table(opened.provider)?.select_columns(&["body"])?.collect().await?;
            Ok::<_, EngineError>(rows.iter().map(|batch| batch.num_rows()).sum::<usize>())
        })
        .await
        .unwrap();
    assert_eq!((rows, runs.load(Ordering::SeqCst)), (10, 2));
}

#[tokio::test]
async fn an_object_that_stays_away_is_an_error_after_the_second_try() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    let engine = world.engine(EngineConfig::default());
    let opened = world.open("a").await;
    world.wal.delete(&world.segments().await).await.unwrap();
    let error = engine
        .retry_stale(async || opened.session.read_table(std::sync::Arc::clone(&opened.provider))?.collect().await)
        .await
        .unwrap_err();
    assert!(is_stale(&error), "{error}");
}

#[test]
fn a_query_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn check(engine: &icegate_engine::Engine, tenant: &icegate_model::TenantId) {
        is_send(&engine.open(Table::Logs, tenant, TimeRange::ALL));
        is_send(&engine.with_replan(Table::Logs, tenant, TimeRange::ALL, async |opened: icegate_engine::Opened| {
            opened.session.read_table(opened.provider)?.collect().await.map_err(EngineError::from)
        }));
    }
    let _ = check;
}
