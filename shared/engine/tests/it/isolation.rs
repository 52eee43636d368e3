//! TENANT-1: another tenant's rows show nowhere.

use datafusion::physical_plan::displayable;
use datafusion::prelude::{col, lit};

use icegate_engine::{EngineConfig, PredicatePushdown};
use icegate_model::{Table, TimeRange};

use crate::rows::{batch, lines, logs};
use crate::world::{World, tenant};

/// One segment with rows of both tenants, one table with rows of both tenants.
async fn shared_by_two() -> World {
    let world = World::new().await;
    let (mut ours, mut theirs) = (logs(0, 20), logs(0, 30));
    ours.iter_mut().for_each(|log| log.body.push_str(" ours"));
    theirs.iter_mut().for_each(|log| log.body.push_str(" secret"));
    world.ingest(&[("ours", &ours), ("theirs", &theirs)]).await;
    world.shift(&world.segments().await).await;
    world.ingest(&[("ours", &ours), ("theirs", &theirs)]).await;
    world
}

#[tokio::test]
async fn no_filter_of_a_query_reaches_another_tenants_rows() {
    let world = shared_by_two().await;
    assert_eq!(world.segments().await.len(), 2);
    assert_eq!(world.open("ours").await.report.segments.planned, 1);
    let anything = [
        None,
        Some(lit(true)),
        Some(col("tenant_id").eq(lit("theirs"))),
        Some(col("tenant_id").not_eq(lit("ours"))),
        Some(col("tenant_id").eq(lit("theirs")).or(lit(true))),
        Some(col("tenant_id").is_not_null().or(col("body").like(lit("%secret%")))),
    ];
    for filter in anything {
        let opened = world.open("ours").await;
        let rows = opened.session.read_table(opened.provider).unwrap();
        let rows = filter.clone().map_or(Ok(rows.clone()), |filter| rows.filter(filter)).unwrap();
        for columns in [&["body"][..], &["tenant_id", "body"], &["timestamp", "severity_number", "body"]] {
            let lines = lines(&rows.clone().select_columns(columns).unwrap().collect().await.unwrap());
            assert!(lines.iter().all(|line| line.ends_with("ours") && !line.contains("theirs")), "{filter:?} {lines:?}");
        }
    }
    assert_eq!((world.count("ours").await, world.count("theirs").await, world.count("nobody").await), (40, 60, 0));
}

#[tokio::test]
async fn the_optimised_plan_keeps_the_tenant_filter_and_names_no_other_tenant() {
    let world = shared_by_two().await;
    for filter in [lit(true), col("service_name").eq(lit("api")), col("tenant_id").eq(lit("ours"))] {
        let opened = world.open("ours").await;
        let rows = opened.session.read_table(opened.provider).unwrap().filter(filter).unwrap();
        let plan = rows.select_columns(&["timestamp", "body"]).unwrap().create_physical_plan().await.unwrap();
        let text = displayable(plan.as_ref()).indent(true).to_string();
        assert!(text.contains("is ours"), "{text}");
        assert!(!text.contains("theirs"), "{text}");
        assert!(!opened.report.to_string().contains("theirs"), "{}", opened.report);
    }
}

#[tokio::test]
async fn a_row_that_lies_in_another_tenants_row_group_shows_to_nobody_else() {
    let world = World::new().await;
    // The WAL looks at the first and last row of a batch: what lies between is the filter's to find.
    let (ours, theirs) = (batch("ours", &logs(0, 10)), batch("theirs", &logs(0, 10)));
    let mixed = arrow::compute::concat_batches(&ours.schema(), [&ours, &theirs, &ours]).unwrap();
    world.ingest_batch("ours", mixed).await;
    assert_eq!((world.count("ours").await, world.count("theirs").await), (20, 0));
    for pushdown in [PredicatePushdown::Never, PredicatePushdown::Always] {
        let engine = world.engine(EngineConfig { pushdown, ..EngineConfig::default() });
        for filter in [lit(true), col("tenant_id").eq(lit("theirs")), col("body").is_not_null()] {
            let opened = engine.open(Table::Logs, &tenant("ours"), TimeRange::ALL).await.unwrap();
            let rows = opened.session.read_table(opened.provider).unwrap().filter(filter).unwrap();
            let rows = rows.select_columns(&["tenant_id"]).unwrap().collect().await.unwrap();
            assert!(lines(&rows).iter().all(|tenant| tenant == "ours"));
        }
    }
}
