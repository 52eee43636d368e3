use std::sync::Arc;
use std::time::Duration;

use icegate_maintain::{MaintainConfig, Maintainer, Metrics, Report};
use icegate_model::Table;
use icegate_tables::Retention;

use crate::life::Life;

pub(crate) fn maintainer(life: &Life) -> Maintainer {
    let retention = Retention { time: Duration::from_secs(600), snapshots: 2 };
    // Less than the least that is allowed, which then holds.
    let config = MaintainConfig { retention, orphan_grace: Duration::ZERO, ..MaintainConfig::default() };
    Maintainer::new(life.tables(), life.wal(), config, Arc::clone(&life.clock), Metrics::default())
}

/// Expires snapshots and removes orphans, at any moment.
pub(crate) async fn maintain(life: Arc<Life>) {
    let maintainer = maintainer(&life);
    let mut dice = life.dice();
    let longest = u64::try_from(life.world.scenario.pause.as_millis()).unwrap_or(0);
    while !life.world.is_calm() {
        life.pause(Duration::from_millis(dice.between(0, longest.max(10_000)))).await;
        for table in life.world.scenario.tables.clone() {
            let maintained = maintainer.maintain(table, false).await;
            life.pause(Duration::ZERO).await;
            match maintained {
                Ok(report) => count(&life, table, &report),
                Err(error) => {
                    life.note(&format!("maintenance of {table} failed: {}", error.kind()));
                    life.world.count(format!("maintenance that fails: {}", error.kind()));
                    if life.link.troubles() == 0 {
                        life.world.violate(format!("FAILED: maintenance without a fault: {error}"));
                    }
                }
            }
        }
    }
}

pub(crate) fn count(life: &Life, table: Table, report: &Report) {
    let (expired, removed) = (report.expired.removed, report.swept.removed);
    life.note(&format!("maintenance of {table}: {expired} snapshots expired, {removed} orphans removed"));
    for (event, count) in [
        ("event: a checkpoint of the ledgers", usize::from(report.expired.checkpoint)),
        ("event: a snapshot is expired", expired),
        ("event: an orphan is removed", removed),
    ] {
        if count > 0 {
            life.world.count_many(event, count as u64);
            if life.has_a_wrong_clock() {
                life.world.count(format!("{event} by a process whose clock is hours off"));
            }
        }
    }
}
