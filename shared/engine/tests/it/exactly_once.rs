//! READ-1: every acknowledged row, once, wherever it is.

use datafusion::prelude::col;
use icegate_engine::EngineConfig;
use icegate_model::{RequestId, Table, TimeRange};

use crate::rows::{lines, logs, sparse_batch};
use crate::stores::Interrupting;
use crate::world::{World, tables, tenant};

async fn bodies(world: &World, name: &str) -> Vec<String> {
    let opened = world.open(name).await;
    let rows = opened.session.read_table(opened.provider).unwrap().select_columns(&["timestamp", "body"]).unwrap();
    lines(&rows.collect().await.unwrap())
}

#[tokio::test]
async fn rows_are_seen_once_in_the_wal_half_shifted_and_in_the_table() {
    let world = World::new().await;
    for part in 0..4 {
        world.ingest(&[("a", &logs(part * 100, 100)), ("b", &logs(part * 100, 7))]).await;
    }
    let expected = bodies(&world, "a").await;
    assert_eq!(expected.len(), 400);
    let mut distinct = expected.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 400);

    let segments = world.segments().await;
    world.shift(&segments[..2]).await;
    assert_eq!(bodies(&world, "a").await, expected);
    world.wal.delete(&segments[..2]).await.unwrap();
    assert_eq!(bodies(&world, "a").await, expected);
    world.shift(&segments[2..]).await;
    assert_eq!(bodies(&world, "a").await, expected);
    world.wal.delete(&segments).await.unwrap();
    assert_eq!(bodies(&world, "a").await, expected);
    assert_eq!(world.count("b").await, 28);
}

#[tokio::test]
async fn a_shift_and_clean_up_between_any_two_requests_of_a_query_changes_no_answer() {
    let mut interrupted = 0;
    for at in 0.. {
        let world = std::sync::Arc::new(World::new().await);
        world.ingest(&[("a", &logs(0, 10))]).await;
        world.shift(&world.segments().await).await;
        world.ingest(&[("a", &logs(10, 10))]).await;
        let interrupting = {
            let world = std::sync::Arc::clone(&world);
            Interrupting::at(at, move || {
                let world = std::sync::Arc::clone(&world);
                Box::pin(async move {
                    let fresh = world.segments().await.pop().unwrap();
                    world.shift(std::slice::from_ref(&fresh)).await;
                    world.wal.delete(&world.segments().await).await.unwrap();
                })
            })
        };
        let warehouse = world.warehouse.with_store(interrupting.around(&world.warehouse.store));
        let queue = world.queue.with_store(interrupting.around(&world.queue.store));
        let wal = std::sync::Arc::new(icegate_wal::Wal::new(queue));
        let engine = icegate_engine::Engine::new(tables(warehouse), Some(wal), EngineConfig::default()).unwrap();
        let reader = tenant("a");
        let read = engine.with_replan(Table::Logs, &reader, TimeRange::ALL, async |opened: icegate_engine::Opened| {
            let rows = opened.session.read_table(opened.provider)?.select_columns(&["body"])?.collect().await?;
            Ok::<_, icegate_engine::EngineError>(rows.iter().map(|batch| batch.num_rows()).sum::<usize>())
        });
        assert_eq!(read.await.unwrap(), 20, "interrupted at request {at}");
        if !interrupting.happened() {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 3, "a query makes more requests than {interrupted}");
}

#[tokio::test]
async fn a_request_in_two_segments_counts_once() {
    let world = World::new().await;
    let (repeated, other) = (RequestId(1), RequestId(2));
    world.ingest_as(&[(repeated, "a", &logs(0, 10))]).await;
    world.ingest_as(&[(repeated, "a", &logs(0, 10))]).await;
    world.ingest_as(&[(other, "a", &logs(10, 5))]).await;
    assert_eq!(world.segments().await.len(), 3);
    assert_eq!(world.count("a").await, 15);
    assert_eq!(world.open("a").await.report.segments.repeated_requests, 1);
}

#[tokio::test]
async fn a_request_that_is_in_the_table_counts_once_when_it_comes_again() {
    let world = World::new().await;
    world.ingest_as(&[(RequestId(1), "a", &logs(0, 10))]).await;
    world.shift(&world.segments().await).await;
    world.wal.delete(&world.segments().await).await.unwrap();
    world.ingest_as(&[(RequestId(1), "a", &logs(0, 10))]).await;
    assert_eq!(world.count("a").await, 10);
}

#[tokio::test]
async fn a_repeated_request_beside_a_new_one_in_a_segment_counts_once() {
    let world = World::new().await;
    world.ingest_as(&[(RequestId(1), "a", &logs(0, 10))]).await;
    world.ingest_as(&[(RequestId(1), "a", &logs(0, 10)), (RequestId(2), "a", &logs(10, 5))]).await;
    assert_eq!(world.segments().await.len(), 2);
    assert_eq!(world.count("a").await, 15);
}

#[tokio::test]
async fn top_k_over_a_segment_with_left_out_rows_sees_the_others() {
    let world = World::new().await;
    world.ingest_as(&[(RequestId(1), "a", &logs(0, 10))]).await;
    let both = [(RequestId(1), "a", &logs(0, 10)[..]), (RequestId(2), "a", &logs(10, 10)), (RequestId(3), "b", &logs(0, 9))];
    world.ingest_as(&both).await;
    // Twelve of twenty from either end: all of one request and two of the other.
    for (descending, whole, part) in [(true, logs(10, 10), logs(0, 10).split_off(8)), (false, logs(0, 10), logs(10, 2))] {
        let opened = world.open("a").await;
        let rows = opened.session.read_table(opened.provider).unwrap();
        let rows = rows.sort(vec![col("timestamp").sort(!descending, false)]).unwrap().limit(0, Some(12)).unwrap();
        let read = lines(&rows.select_columns(&["body"]).unwrap().collect().await.unwrap());
        let mut expected: Vec<_> = whole.into_iter().chain(part).map(|log| log.body).collect();
        expected.sort();
        assert_eq!(read, expected, "descending {descending}");
    }
}

#[tokio::test]
async fn rows_of_every_table_read_the_same_from_the_wal_and_from_the_table() {
    let world = World::new().await;
    let engine = world.engine(EngineConfig::default());
    world.ingest_tables("a", Table::ALL.map(|table| (table, sparse_batch(table, "a", 5))).into()).await;
    for table in Table::ALL {
        let read = async || {
            let opened = engine.open(table, &tenant("a"), TimeRange::ALL).await.unwrap();
            let rows = opened.session.read_table(opened.provider).unwrap();
            assert_eq!(rows.schema().fields(), icegate_engine::read_schema(table).fields(), "{table}");
            // Those that files repeat attributes in are made with the files.
            let columns = icegate_schema::arrow_schema(table);
            let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
            lines(&rows.select_columns(&names).unwrap().collect().await.unwrap())
        };
        let from_wal = read().await;
        assert_eq!(from_wal.len(), 5, "{table}");
        let segments = world.wal.list(table).await.unwrap().segments;
        world.shift(&segments).await;
        world.wal.delete(&segments).await.unwrap();
        assert_eq!(read().await, from_wal, "{table}");
    }
}
