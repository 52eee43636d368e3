use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use icegate_engine::{Engine, EngineConfig, EngineError, Opened};
use icegate_model::{ErrorKind, Table, TenantId, TimeRange};
use icegate_schema::columns;

use crate::actors::client::TENANTS;
use crate::ledger_of_truth::Row;
use crate::life::Life;
use crate::scenario::Scenario;

pub(crate) fn engine(life: &Life) -> Engine {
    let config = EngineConfig { target_partitions: 1, footer_read_parallelism: 4, ..EngineConfig::default() };
    Engine::new(life.tables(), Some(life.wal()), config).unwrap()
}

/// Queries at any moment (READ-1, READ-2, TENANT-1).
pub(crate) async fn read(life: Arc<Life>) {
    let engine = engine(&life);
    let mut dice = life.dice();
    let longest = u64::try_from(life.world.scenario.pause.as_millis()).unwrap_or(0);
    while !life.world.is_calm() {
        life.pause(Duration::from_millis(dice.between(0, longest.max(3_000)))).await;
        let tenant: TenantId = dice.pick(&TENANTS).parse().unwrap();
        let table = *dice.pick(&life.world.scenario.tables);
        query(&life, &engine, table, &tenant).await;
    }
}

/// One query, and whether it is answered as it must be.
pub(crate) async fn query(life: &Life, engine: &Engine, table: Table, tenant: &TenantId) {
    let expected = life.world.truth().acknowledged(table, Some(tenant));
    life.note(&format!("queries {table} of {tenant}, {} rows at least", expected.len()));
    life.world.count("queries");
    let (troubles, runs) = (life.link.troubles(), AtomicUsize::new(0));
    let counted = |opened: Opened| {
        runs.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, EngineError>((opened.report.unreadable.clone(), rows(opened).await?)) }
    };
    let answer = engine.with_replan(table, tenant, TimeRange::ALL, counted).await;
    life.pause(Duration::ZERO).await;
    let planned_again = runs.load(Ordering::SeqCst) > 1;
    match answer {
        Ok((unreadable, found)) => {
            if !unreadable.is_empty() {
                life.world.count("event: an answer names a damaged segment");
            } else if planned_again {
                life.world.count("event: a query is planned once more");
            }
            if let Some(condemned) = unreadable.iter().find(|segment| !life.world.is_spoilt(segment)) {
                life.world.violate(format!("CONDEMNED: segment {condemned} is whole, and left out of an answer"));
            }
            judge(life, table, tenant, &expected, &found);
        }
        Err(error) => {
            life.note(&format!("query of {table} failed: {}", error.kind()));
            life.world.count(format!("queries that fail: {}", error.kind()));
            // A grace that is shorter than a query, as some runs have it, may fail it; never answer it wrongly.
            let Scenario { grace, .. } = life.world.scenario;
            let short = grace < Duration::from_secs(600) || life.link.was_frozen();
            if life.link.troubles() == troubles && !(short && error.kind() == ErrorKind::Conflict) {
                life.world.violate(format!("FAILED: a query without a fault: {error}"));
            }
        }
    }
}

fn judge(life: &Life, table: Table, tenant: &TenantId, expected: &BTreeSet<Row>, found: &[Row]) {
    life.note(&format!("query of {table} of {tenant}: {} rows", found.len()));
    life.world.count("queries answered");
    let wrong = life.world.truth().judge(table, Some(tenant), expected, found);
    if let Some(wrong) = wrong {
        life.world.violate(format!("{wrong}, in an answer to {}", life.name()));
    }
}

async fn rows(opened: Opened) -> Result<Vec<Row>, EngineError> {
    let rows = opened.session.read_table(opened.provider)?.select_columns(&[columns::TIMESTAMP])?;
    let batches = rows.collect().await?;
    let times = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<TimestampMicrosecondType>().values().to_vec());
    Ok(times.collect())
}
