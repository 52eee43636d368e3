//! The scripts of LogQL over rows that went through the WAL, the shift and the tables: the same answers wherever the rows are and
//! however they are read.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use icegate_engine::{Engine, EngineConfig, PredicatePushdown};
use icegate_logql::{LogqlError, OpenRows, Source};
use icegate_model::{SystemClock, Table, TenantId, TimeRange};
use icegate_shift::{Metrics, ShiftConfig, Shifter};

use crate::script::{Block, blocks};
use crate::script_rows::batch;
use crate::world::{World, tenant};

/// The tenant of the scripts' rows.
const TENANT: &str = "default";

struct Rows {
    engine: Engine,
    tenant: TenantId,
}

#[async_trait]
impl OpenRows for Rows {
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError> {
        let opened = self.engine.open(Table::Logs, &self.tenant, range).await;
        let opened = opened.map_err(|error| LogqlError::open(error.kind(), error))?;
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}

/// Where rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Wal,
    Tables,
    Both,
}

async fn world(block: &Block, state: State) -> World {
    let world = World::new().await;
    let schema = icegate_schema::arrow_schema(Table::Logs);
    let rows = batch(&block.rows, false);
    let rows = RecordBatch::try_new(schema, rows.columns().to_vec()).unwrap();
    let half = rows.num_rows().div_ceil(2);
    for (start, shifts) in [(0, state != State::Wal), (half, state == State::Tables)] {
        let part = rows.slice(start, half.min(rows.num_rows() - start));
        if part.num_rows() > 0 {
            world.ingest_batch(TENANT, part).await;
        }
        if shifts {
            let (tables, wal) = (Arc::clone(&world.tables), Arc::clone(&world.wal));
            let shifter = Shifter::new(tables, wal, ShiftConfig::default(), Arc::new(SystemClock), Metrics::default());
            shifter.pass(Table::Logs).await.unwrap();
        }
    }
    world
}

#[tokio::test]
async fn scripts_give_the_answers_that_they_state_in_every_state_of_storage() {
    let narrow = EngineConfig { batch_size: 2, target_partitions: 3, ..EngineConfig::default() };
    let usual = EngineConfig { target_partitions: 2, ..EngineConfig::default() };
    let configs = [
        usual,
        EngineConfig { pushdown: PredicatePushdown::Always, ..narrow.clone() },
        EngineConfig { pushdown: PredicatePushdown::Never, ..narrow },
    ];
    let (mut failures, mut compared) = (Vec::new(), 0);
    for block in blocks() {
        for state in [State::Wal, State::Tables, State::Both] {
            let world = world(&block, state).await;
            // Where rows are in both places, everything is read in every way.
            let configs = if state == State::Both { &configs[..] } else { &configs[..1] };
            for config in configs {
                let rows = Rows { engine: world.engine(config.clone()), tenant: tenant(TENANT) };
                for eval in &block.evals {
                    compared += 1;
                    let failure = eval.failure(&rows).await;
                    failures.extend(failure.map(|failure| format!("{} {state:?} {:?}: {failure}", block.file, config.pushdown)));
                }
            }
        }
    }
    assert!(compared > 0 && failures.is_empty(), "{} of {compared}:\n{}", failures.len(), failures.join("\n"));
}
