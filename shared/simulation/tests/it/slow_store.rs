//! A store that turns away in bursts, stalls, and whose replies and bodies break off (F9).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use icegate_model::{ErrorKind, RequestId, Table};
use icegate_testkit::{Call, Dice, Fate, Network, SeededIds, Trouble, When};
use icegate_wal::{Writer, WriterConfig};
use object_store::Error;
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, clock, request, shifter, wal};

/// Of every ten seconds.
const BURST: Duration = Duration::from_secs(4);
const STALL: Duration = Duration::from_secs(10);
const REQUESTS: u64 = 60;

#[derive(Debug)]
struct Bad {
    began: Instant,
    dice: Mutex<Dice>,
}

impl Bad {
    fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), dice: Dice::new(seed).into() })
    }

    fn chance(&self, permille: u32) -> bool {
        self.dice.lock().unwrap().chance(permille)
    }
}

#[async_trait]
impl Network for Bad {
    async fn request(&self, _call: &Call) -> Fate {
        if self.chance(50) {
            sleep(STALL).await;
        }
        let in_burst = Duration::from_secs(self.began.elapsed().as_secs() % 10) < BURST;
        if in_burst && self.chance(900) {
            return Fate { trouble: Some((When::Before, Trouble::SlowDown)), truncated: false };
        }
        let lost = self.chance(100).then_some((When::After, Trouble::Reset));
        Fate { trouble: lost, truncated: self.chance(100) }
    }

    async fn reply(&self, _call: &Call, _fate: Fate, _result: Option<Result<(), &Error>>) {
        if self.chance(50) {
            sleep(STALL).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f9_through_bursts_stalls_and_broken_replies_an_answer_is_in_time_and_what_was_acknowledged_is_stored_once() {
    let (mut acknowledged_in_all, mut refused_in_all) = (0, 0);
    for seed in 0..5 {
        let bench = Bench::new().await;
        let root = bench.behind(Bad::new(seed));
        let config = WriterConfig { max_row_group_size: 2, ..WriterConfig::default() };
        let bound = config.flush_interval + config.write_deadline;
        let ids = Arc::new(SeededIds::new(seed + 50));
        let (writer, task) = Writer::start(wal(&root), config, clock(), ids, icegate_wal::Metrics::default());
        let append = |number: u64| {
            let writer = writer.clone();
            async move {
                sleep(Duration::from_millis(number * 700)).await;
                let began = Instant::now();
                (number, writer.append(request(number)).await, began.elapsed())
            }
        };
        let mut acknowledged = BTreeSet::new();
        for (number, answer, took) in join_all((1..=REQUESTS).map(append)).await {
            assert!(took <= bound, "seed {seed}: request {number} was answered after {took:?}");
            match answer {
                Ok(_) => drop(acknowledged.insert(RequestId(u128::from(number)))),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
            }
        }
        task.close().await;
        acknowledged_in_all += acknowledged.len();
        refused_in_all += usize::try_from(REQUESTS).unwrap() - acknowledged.len();
        // Readers of the same store get through as well, some passes later.
        let through = shifter(&root, seed + 10);
        for _ in 0..60 {
            drop(through.pass(Table::Logs).await);
            sleep(Duration::from_secs(1)).await;
        }
        while shifter(&bench.root, seed + 20).pass(Table::Logs).await.unwrap().left > 0 {}
        let snapshot = bench.tables.snapshot(Table::Logs).await.unwrap();
        let stored: BTreeSet<_> = snapshot.shifted().requests().map(|(id, _)| id).collect();
        assert!(acknowledged.is_subset(&stored), "seed {seed}: acknowledged, and not stored");
        assert_eq!(snapshot.total_rows(), stored.len() as u64, "seed {seed}: each request is one row");
    }
    eprintln!("{acknowledged_in_all} requests were acknowledged, {refused_in_all} refused");
    assert!(acknowledged_in_all > 0 && refused_in_all > 0);
}
