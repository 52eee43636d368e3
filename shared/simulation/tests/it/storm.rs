//! Half of all conditional writes are refused while several shifters commit (F6).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use icegate_model::{Clock, RequestId, Table, Timestamp};
use icegate_shift::{Metrics, ShiftConfig, Shifter};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_testkit::{Call, ClockedStore, Dice, Fate, FaultyStore, ManualClock, Network, Odds, SeededIds};
use icegate_wal::{Request, Wal, Writer, WriterConfig};
use object_store::Error;
use tokio::time::{Instant, sleep};

const SEGMENTS: u128 = 12;
const SHIFTERS: u64 = 4;
/// Requests of a query or shift take so long.
const LATENCY: Duration = Duration::from_millis(10);

#[derive(Debug)]
struct Stormy {
    odds: Odds,
    dice: std::sync::Mutex<Dice>,
}

#[async_trait]
impl Network for Stormy {
    async fn request(&self, call: &Call) -> Fate {
        sleep(LATENCY).await;
        self.odds.fate(call, &mut self.dice.lock().unwrap())
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &Error>>) {}
}

/// Virtual time until four shifters that take two segments a pass have moved all segments, and the rows that the table has then.
async fn time_to_drain(seed: u64, refused: u32) -> (Duration, u64) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(1_704_067_200)));
    let root = Root::memory();
    let root = root.with_store(Arc::new(ClockedStore::new(Arc::clone(&root.store), Arc::clone(&clock))));
    let quiet = Tables::object_store(root.child("warehouse"), Arc::clone(&clock), Arc::new(SeededIds::new(seed)));
    quiet.migrate_create(false).await.unwrap();
    write(&root, &clock, seed).await;
    let odds = Odds { refused, ..Odds::default() };
    let shifters = (1..=SHIFTERS).map(|number| {
        let dice = Dice::new(seed).part(&format!("shifter {number}")).into();
        let store = FaultyStore::new(Arc::clone(&root.store), Arc::new(Stormy { odds, dice }));
        let root = root.with_store(Arc::new(store));
        let ids = Arc::new(SeededIds::new(seed * 100 + number));
        let tables = Arc::new(Tables::object_store(root.child("warehouse"), Arc::clone(&clock), ids));
        let config = ShiftConfig { max_row_groups: 2, ..ShiftConfig::default() };
        let wal = Arc::new(Wal::new(root.child("queue")));
        Shifter::new(tables, wal, config, Arc::clone(&clock), Metrics::default())
    });
    let began = Instant::now();
    let drains = shifters.map(|shifter| async move {
        // A commit that lost thirty times is tried again.
        while shifter.pass(Table::Logs).await.map_or(1, |pass| pass.left) > 0 {
            sleep(LATENCY).await;
        }
    });
    futures::future::join_all(drains).await;
    (began.elapsed(), quiet.snapshot(Table::Logs).await.unwrap().total_rows())
}

async fn write(root: &Root, clock: &Arc<dyn Clock>, seed: u64) {
    let wal = Arc::new(Wal::new(root.child("queue")));
    let config = WriterConfig { flush_interval: Duration::ZERO, ..WriterConfig::default() };
    let ids = Arc::new(SeededIds::new(seed + 1_000));
    let (writer, task) = Writer::start(wal, config, Arc::clone(clock), ids, icegate_wal::Metrics::default());
    let tenant = "t".parse().unwrap();
    for number in 0..SEGMENTS {
        let rows = icegate_wal::conformance::rows(Table::Logs, &tenant, None, &[i64::try_from(number).unwrap()]).unwrap();
        let request =
            Request { id: RequestId(number + 1), tenant: tenant.clone(), account: None, batches: vec![(Table::Logs, rows)] };
        writer.append(request).await.unwrap();
    }
    task.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refused_swaps_slows_the_shift_by_at_most_five_times_and_doubles_nothing() {
    let (mut stormy, mut calm) = (Duration::ZERO, Duration::ZERO);
    for seed in 0..3 {
        let (time, rows) = time_to_drain(seed, 500).await;
        assert_eq!(u128::from(rows), SEGMENTS, "seed {seed}");
        stormy += time;
        let (time, rows) = time_to_drain(seed, 0).await;
        assert_eq!(u128::from(rows), SEGMENTS, "seed {seed}");
        calm += time;
    }
    eprintln!("drained in {stormy:?} of virtual time under the storm, in {calm:?} without");
    assert!(stormy <= calm * 5, "{stormy:?} against {calm:?}");
}
