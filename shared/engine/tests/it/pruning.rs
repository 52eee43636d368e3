//! What isn't read, and why.

use datafusion::physical_plan::displayable;
use icegate_engine::{Engine, EngineConfig};
use icegate_model::{Table, TimeRange, Timestamp};

use crate::rows::logs;
use crate::world::{World, tenant};

fn millis(from: i64, to: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_millis(from), Timestamp::from_millis(to)).unwrap()
}

#[tokio::test]
async fn files_and_segments_outside_the_time_range_are_not_read() {
    let world = World::new().await;
    for start in [0, 1_000] {
        world.ingest(&[("a", &logs(start, 10))]).await;
        world.shift(&world.segments().await).await;
        world.wal.delete(&world.segments().await).await.unwrap();
    }
    for start in [2_000, 3_000] {
        world.ingest(&[("a", &logs(start, 10))]).await;
    }
    let engine = world.engine(EngineConfig::default());
    // The last row of a part is at 9 ms after its start, and a range doesn't hold its end.
    for (range, files, segments) in [
        (millis(0, 10_000), 2, 2),
        (millis(9, 1_000), 1, 0),
        (millis(10, 1_000), 0, 0),
        (millis(10, 1_001), 1, 0),
        (millis(1_009, 2_001), 1, 1),
        (millis(3_009, 3_010), 0, 1),
        (millis(3_010, 9_000), 0, 0),
        (millis(5, 5), 0, 0),
    ] {
        let report = engine.open(Table::Logs, &tenant("a"), range).await.unwrap().report;
        assert_eq!((report.files.planned, report.segments.planned), (files, segments), "{range:?}\n{report}");
    }
}

#[tokio::test]
async fn a_table_without_commits_and_a_range_without_time_hold_no_rows() {
    let world = World::new().await;
    assert_eq!(world.count("a").await, 0);
    world.ingest(&[("a", &logs(0, 10))]).await;
    let opened = world.engine(EngineConfig::default()).open(Table::Logs, &tenant("a"), millis(3, 3)).await.unwrap();
    assert_eq!(opened.session.read_table(opened.provider).unwrap().count().await.unwrap(), 0);
}

#[tokio::test]
async fn counting_rows_of_the_table_reads_no_file() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 25))]).await;
    world.shift(&world.segments().await).await;
    let opened = world.open("a").await;
    let aggregate = datafusion::functions_aggregate::expr_fn::count(datafusion::prelude::lit(1_i64));
    let rows = opened.session.read_table(opened.provider).unwrap().aggregate(vec![], vec![aggregate]).unwrap();
    let plan = rows.clone().create_physical_plan().await.unwrap();
    let text = displayable(plan.as_ref()).indent(false).to_string();
    assert!(!text.contains("DataSourceExec"), "{text}");
    assert_eq!(crate::rows::lines(&rows.collect().await.unwrap()), ["25"]);
}

#[tokio::test]
async fn without_the_wal_only_shifted_rows_are_seen() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 10))]).await;
    world.shift(&world.segments().await).await;
    world.ingest(&[("a", &logs(10, 10))]).await;
    let engine = Engine::new(std::sync::Arc::clone(&world.tables), None, EngineConfig::default()).unwrap();
    let opened = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
    assert_eq!(opened.session.read_table(opened.provider).unwrap().count().await.unwrap(), 10);
}
