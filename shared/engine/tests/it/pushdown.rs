//! The same answer whether filters run in the Parquet reader or above it.

use datafusion::dataframe::DataFrame;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::physical_plan::displayable;
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use icegate_engine::{EngineConfig, PredicatePushdown};
use icegate_model::{Table, TimeRange};

use crate::rows::{lines, logs};
use crate::world::{World, tenant};

fn at_millis(millis: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(millis * 1_000), Some("+00:00".into())))
}

/// Filters and how many of the 300 rows of [`logs`] pass each.
fn filters() -> Vec<(Expr, usize)> {
    let api = || col("service_name").eq(lit("api"));
    vec![
        (lit(true), 300),
        (lit(false), 0),
        (api(), 100),
        (api().and(col("severity_number").gt_eq(lit(17))), 10),
        (col("severity_number").gt_eq(lit(17)), 30),
        (col("body").like(lit("%timeout%")), 30),
        (col("body").like(lit("%no such text%")), 0),
        (col("timestamp").gt_eq(at_millis(100)).and(col("timestamp").lt(at_millis(250))), 150),
        (get_field(col("attributes"), "parity").eq(lit("odd")), 150),
        (api().and(get_field(col("attributes"), "parity").eq(lit("even"))), 50),
        (col("trace_id").is_null(), 300),
        (col("severity_text").is_not_null(), 0),
        (col("service_name").in_list(vec![lit("api"), lit("nothing")], false), 100),
    ]
}

type Shape = (&'static str, fn(DataFrame) -> DataFrame);

fn shapes() -> Vec<Shape> {
    vec![
        ("rows", |rows| rows.select_columns(&["timestamp", "service_name", "body", "attributes"]).unwrap()),
        ("narrow", |rows| rows.select_columns(&["body"]).unwrap()),
        ("newest", |rows| {
            let newest = rows.sort(vec![col("timestamp").sort(false, false)]).unwrap().limit(0, Some(7)).unwrap();
            newest.select_columns(&["timestamp", "body"]).unwrap()
        }),
        ("counts", |rows| {
            rows.aggregate(vec![col("service_name")], vec![count(lit(1)), min(col("timestamp")), max(col("body"))]).unwrap()
        }),
        ("extremes", |rows| rows.aggregate(vec![], vec![min(col("timestamp")), max(col("timestamp"))]).unwrap()),
    ]
}

async fn answers(world: &World, pushdown: PredicatePushdown) -> Vec<(String, Vec<String>)> {
    let engine = world.engine(EngineConfig { pushdown, target_partitions: 3, batch_size: 64, ..EngineConfig::default() });
    let mut answers = Vec::new();
    for (filter, passing) in filters() {
        for (name, shape) in shapes() {
            let opened = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
            let rows = opened.session.read_table(opened.provider).unwrap().filter(filter.clone()).unwrap();
            let lines = lines(&shape(rows).collect().await.unwrap());
            let expected = match name {
                "rows" | "narrow" => Some(passing),
                "newest" => Some(passing.min(7)),
                "extremes" => Some(1),
                _ => None,
            };
            assert!(expected.is_none_or(|expected| expected == lines.len()), "{name} {filter}: {} rows", lines.len());
            answers.push((format!("{name} {filter}"), lines));
        }
    }
    answers
}

#[tokio::test]
async fn every_query_has_the_same_answer_with_push_down_on_and_off_wherever_the_rows_are() {
    let world = World::new().await;
    for part in 0..3 {
        let rows = &logs(0, 300)[part * 100..(part + 1) * 100];
        world.ingest(&[("a", rows), ("b", &logs(0, 50))]).await;
    }
    let expected = answers(&world, PredicatePushdown::Never).await;
    let segments = world.segments().await;
    for shifted in [0, 1, 3] {
        match shifted {
            1 => world.shift(&segments[..1]).await,
            3 => world.shift(&segments[1..]).await,
            _ => {}
        }
        for pushdown in [PredicatePushdown::Never, PredicatePushdown::Always, PredicatePushdown::Adaptive] {
            for (answer, expected) in answers(&world, pushdown).await.iter().zip(&expected) {
                assert_eq!(answer, expected, "{pushdown:?}, {shifted} of 3 segments shifted");
            }
        }
    }
}

#[tokio::test]
async fn a_limit_without_a_filter_gives_that_many_rows() {
    let world = World::new().await;
    world.ingest(&[("b", &logs(0, 50)), ("a", &logs(0, 20))]).await;
    world.shift(&world.segments().await).await;
    world.ingest(&[("b", &logs(50, 50)), ("a", &logs(20, 20))]).await;
    for (limit, expected) in [(0, 0), (5, 5), (30, 30), (100, 40)] {
        let opened = world.open("a").await;
        let rows = opened.session.read_table(opened.provider).unwrap().limit(0, Some(limit)).unwrap().collect().await.unwrap();
        assert_eq!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), expected);
    }
}

#[tokio::test]
async fn the_newest_rows_come_newest_first() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 50))]).await;
    world.shift(&world.segments().await).await;
    world.ingest(&[("a", &logs(25, 50))]).await;
    let opened = world.open("a").await;
    let rows = opened.session.read_table(opened.provider).unwrap();
    let newest = rows.sort(vec![col("timestamp").sort(false, false)]).unwrap().limit(0, Some(30)).unwrap();
    let batches = newest.select(vec![col("timestamp")]).unwrap().collect().await.unwrap();
    let micros: Vec<i64> = batches
        .iter()
        .flat_map(|batch| {
            let column = batch.column(0).as_any().downcast_ref::<arrow::array::TimestampMicrosecondArray>().unwrap();
            column.values().to_vec()
        })
        .collect();
    // From 50 on only the fresh part has rows, before that both parts have one a millisecond.
    let expected: Vec<i64> = (50..75).rev().chain([49, 49, 48, 48, 47]).map(|millis| millis * 1_000).collect();
    assert_eq!(micros, expected);
}

#[tokio::test]
async fn filters_on_plain_columns_run_in_the_reader_where_that_pays() {
    let world = World::new().await;
    world.ingest(&[("a", &logs(0, 50))]).await;
    world.shift(&world.segments().await).await;
    let on_map = || get_field(col("attributes"), "parity").eq(lit("odd"));
    let on_body = || col("body").like(lit("%ok%"));
    // Whether a filter stays above the reader.
    for (pushdown, filter, columns, stays) in [
        (PredicatePushdown::Never, on_body(), &["timestamp"], true),
        (PredicatePushdown::Always, on_body(), &["timestamp"], false),
        (PredicatePushdown::Adaptive, on_body(), &["timestamp"], false),
        (PredicatePushdown::Always, on_body(), &["body"], false),
        (PredicatePushdown::Adaptive, on_body(), &["body"], true),
        (PredicatePushdown::Always, on_map(), &["timestamp"], true),
    ] {
        let engine = world.engine(EngineConfig { pushdown, ..EngineConfig::default() });
        let opened = engine.open(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
        let rows = opened.session.read_table(opened.provider).unwrap().filter(filter.clone()).unwrap();
        let plan = rows.select_columns(columns).unwrap().create_physical_plan().await.unwrap();
        let text = displayable(plan.as_ref()).indent(false).to_string();
        assert_eq!(text.contains("FilterExec"), stays, "{pushdown:?} {filter}\n{text}");
    }
}
