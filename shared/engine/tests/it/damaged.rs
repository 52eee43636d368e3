//! READ-2: what can't be read is named, and all the rest is answered.

use std::sync::Arc;

use icegate_engine::{EngineConfig, EngineError, Opened, ScanReport};
use icegate_model::{ErrorKind, RequestId, Table, TimeRange};
use icegate_storage::Root;
use icegate_wal::Segment;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::rows::logs;
use crate::world::{World, tenant};

/// Changes one byte of a segment, at a share of its length.
async fn flip(world: &World, segment: &Segment, share: f64) {
    let at = (segment.size as f64 * share) as usize;
    change(&world.queue, &segment.path, |bytes| bytes[at] ^= 0x10).await;
}

/// Changes bytes in every column of a segment or file; queries don't read all of them.
async fn spoil(root: &Root, path: &Path) {
    change(root, path, |bytes| {
        let rows = 4..bytes.len() / 2;
        bytes[rows].iter_mut().step_by(16).for_each(|byte| *byte ^= 0x10);
    })
    .await;
}

async fn change(root: &Root, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = root.store.get(path).await.unwrap().bytes().await.unwrap().to_vec();
    change(&mut bytes);
    root.store.put(path, bytes.into()).await.unwrap();
}

/// The rows of a query over all columns, and what its last plan says.
async fn query(engine: &icegate_engine::Engine, name: &str) -> Result<(usize, Arc<ScanReport>), EngineError> {
    let tenant = tenant(name);
    let query = async |opened: Opened| {
        let rows = opened.session.read_table(opened.provider)?.collect().await?;
        Ok::<_, EngineError>((rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), opened.report))
    };
    engine.with_replan(Table::Logs, &tenant, TimeRange::ALL, query).await
}

fn warning(segment: &Segment) -> String {
    format!("segment logs/{} of the write-ahead log can't be read, the answer is without its rows", segment.name)
}

#[tokio::test]
async fn rows_of_readable_segments_and_tables_are_answered_with_a_warning_that_names_the_others() {
    // In the row groups, where it is found while streaming, and in the metadata, where it is found while planning.
    for share in [0.1, 0.3, 0.999] {
        let world = World::new().await;
        world.ingest(&[("a", &logs(0, 10))]).await;
        world.shift(&world.segments().await).await;
        world.wal.delete(&world.segments().await).await.unwrap();
        world.ingest(&[("a", &logs(10, 7))]).await;
        world.ingest(&[("a", &logs(20, 5))]).await;
        let broken = world.segments().await.remove(0);
        flip(&world, &broken, share).await;
        let engine = world.engine(EngineConfig::default());
        let (rows, report) = query(&engine, "a").await.unwrap();
        assert_eq!((rows, report.warnings()), (15, vec![warning(&broken)]), "{share}");
        // Known now: planned without it at once.
        let (rows, report) = query(&engine, "a").await.unwrap();
        assert_eq!((rows, report.warnings()), (15, vec![warning(&broken)]), "{share}");
        let (rows, report) = query(&engine, "b").await.unwrap();
        assert_eq!((rows, report.warnings()), (0, Vec::<String>::new()), "another tenant hears nothing of it");
    }
}

#[tokio::test]
async fn every_damaged_segment_is_named() {
    let world = World::new().await;
    for number in 0..6 {
        world.ingest(&[("a", &logs(number * 10, 2))]).await;
    }
    let segments = world.segments().await;
    for segment in &segments[..5] {
        spoil(&world.queue, &segment.path).await;
    }
    let (rows, report) = query(&world.engine(EngineConfig::default()), "a").await.unwrap();
    let mut warnings = report.warnings();
    warnings.sort_unstable();
    assert_eq!((rows, warnings), (2, segments[..5].iter().map(warning).collect()));
}

#[tokio::test]
async fn the_second_copy_of_a_request_is_answered_where_the_first_is_damaged() {
    let world = World::new().await;
    for _ in 0..2 {
        world.ingest_as(&[(RequestId(7), "a", &logs(0, 4))]).await;
    }
    spoil(&world.queue, &world.segments().await[0].path).await;
    let (rows, report) = query(&world.engine(EngineConfig::default()), "a").await.unwrap();
    assert_eq!((rows, report.warnings().len()), (4, 1));
}

#[tokio::test]
async fn a_segment_that_is_set_aside_is_not_read_and_is_named() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 4))]).await;
    world.ingest(&[("a", &logs(10, 3))]).await;
    let marked = world.segments().await.remove(0);
    let (segment, reason) = (marked.name.clone(), "broken".to_owned());
    let mark = icegate_wal::Mark { segment, reason, failed_passes: 3, by: "a shifter".to_owned(), at_micros: 0 };
    world.wal.quarantine(&marked, &mark).await.unwrap();
    let engine = world.engine(EngineConfig::default());
    let (rows, report) = query(&engine, "a").await.unwrap();
    assert_eq!((rows, report.warnings()), (3, vec![warning(&marked)]));
    // Where a ledger names it after all, its rows are in the table and nothing is missing.
    world.shift(&[marked]).await;
    let (rows, report) = query(&engine, "a").await.unwrap();
    assert_eq!((rows, report.warnings()), (7, Vec::<String>::new()));
}

#[tokio::test]
async fn a_segment_of_a_later_format_is_named() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 4))]).await;
    world.ingest(&[("a", &logs(10, 3))]).await;
    let later = world.segments().await.remove(0);
    icegate_wal::conformance::rewrite_as_version(&world.queue, &later, 2).await.unwrap();
    let (rows, report) = query(&world.engine(EngineConfig::default()), "a").await.unwrap();
    assert_eq!((rows, report.warnings()), (3, vec![warning(&later)]));
}

#[tokio::test]
async fn a_table_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    world.shift(&world.segments().await).await;
    world.wal.delete(&world.segments().await).await.unwrap();
    let file = Arc::clone(&world.tables.snapshot(Table::Logs).await.unwrap().files()[0]);
    change(&world.warehouse, &file.path, |bytes| {
        let end = bytes.len();
        bytes[end - 40..end - 8].fill(0xff);
    })
    .await;
    let error = query(&world.engine(EngineConfig::default()), "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains(file.path.as_ref()), "{error}");
}

#[tokio::test]
async fn changed_bytes_in_a_table_file_are_an_error_that_names_the_file() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    world.shift(&world.segments().await).await;
    world.wal.delete(&world.segments().await).await.unwrap();
    let file = Arc::clone(&world.tables.snapshot(Table::Logs).await.unwrap().files()[0]);
    spoil(&world.warehouse, &file.path).await;
    let error = query(&world.engine(EngineConfig::default()), "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains(file.path.as_ref()), "{error}");
}

#[tokio::test]
async fn before_the_tables_exist_the_wal_answers_and_says_so() {
    let (warehouse, queue) = (Root::memory(), Root::memory());
    let wal = Arc::new(icegate_wal::Wal::new(queue.clone()));
    let world = World { tables: crate::world::tables(warehouse.clone()), warehouse, queue, wal };
    world.ingest(&[("a", &logs(0, 4))]).await;
    let (rows, report) = query(&world.engine(EngineConfig::default()), "a").await.unwrap();
    let expected = "table logs does not exist in the catalog yet, the answer holds what is in the write-ahead log";
    assert_eq!((rows, report.warnings()), (4, vec![expected.to_owned()]));
    // Who doesn't read the WAL has nothing to answer from.
    let engine = icegate_engine::Engine::new(Arc::clone(&world.tables), None, EngineConfig::default()).unwrap();
    assert!(matches!(query(&engine, "a").await, Err(EngineError::Tables(icegate_tables::TablesError::NoTable { .. }))));
}
