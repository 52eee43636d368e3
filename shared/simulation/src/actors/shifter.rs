use std::sync::Arc;
use std::time::Duration;

use icegate_shift::{Jobs, JobsConfig, Metrics, ShiftConfig, Shifter};
use icegate_tables::FileOptions;
use parquet::basic::Compression;

use crate::life::Life;

pub(crate) fn shifter(life: &Life) -> Shifter {
    let scenario = &life.world.scenario;
    let files = FileOptions { compression: Compression::UNCOMPRESSED, ..FileOptions::default() };
    let config = ShiftConfig { grace: scenario.grace, max_row_groups: scenario.max_row_groups, files, ..ShiftConfig::default() };
    let shifter = Shifter::new(life.tables(), life.wal(), config, Arc::clone(&life.clock), Metrics::default());
    if scenario.leases {
        shifter.with_jobs(Jobs::new(life.root().child("jobs"), JobsConfig::named(life.name())))
    } else {
        shifter
    }
}

/// Makes pass after pass. What wakes it may be lost, late or repeated: some passes follow each other at once, some come late.
pub(crate) async fn shift(life: Arc<Life>) {
    let shifter = shifter(&life);
    let mut dice = life.dice();
    let longest = u64::try_from(life.world.scenario.pause.as_millis()).unwrap_or(0);
    while !life.world.is_calm() {
        let pause = if dice.chance(150) { 0 } else { dice.between(0, longest.max(2_000)) };
        life.pause(Duration::from_millis(pause)).await;
        for table in life.world.scenario.tables.clone() {
            let pass = shifter.pass(table).await;
            life.pause(Duration::ZERO).await;
            match pass {
                Ok(pass) => {
                    if pass.committed.is_none() && pass.left > 0 && !pass.others {
                        life.world.count("event: another shifter was first");
                    }
                    if pass.others {
                        life.world.count("event: another shifter has the lease");
                    }
                    if pass.quarantined > 0 {
                        life.world.count("event: a damaged segment is set aside");
                    }
                    if pass.committed.is_some() && life.has_a_wrong_clock() {
                        life.world.count("event: a process whose clock is hours off commits");
                    }
                    if pass.deleted > 0 && life.has_a_wrong_clock() {
                        life.world.count("event: a process whose clock is hours off deletes segments");
                    }
                    let rows = pass.committed.map_or(0, |committed| committed.rows_added);
                    life.note(&format!("pass over {table}: {} segments, {rows} rows, {} deleted", pass.segments, pass.deleted));
                }
                Err(error) => {
                    life.note(&format!("pass over {table} failed: {}", error.kind()));
                    life.world.count(format!("passes that fail: {}", error.kind()));
                    // A clock that jumps ahead makes a commit look late, a freeze makes it so.
                    let late = life.clock_was_set() || life.link.was_frozen();
                    if life.link.troubles() == 0 && !late {
                        life.world.violate(format!("FAILED: a pass without a fault: {error}"));
                    }
                }
            }
        }
    }
}
