use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::random::Random;
use super::replica::{Replica, Role};
use super::sender::Sender;
use super::wire::{Passed, Wire};

/// What a killer waits for may never come, as when both processes of a role are down.
const PATIENCE: Duration = Duration::from_secs(20);
/// One kill in so many hits the process again while it starts.
const STARTING: u64 = 6;

/// What the killers of a run share.
pub(super) struct Kills {
    left: AtomicU64,
    done: Mutex<BTreeMap<&'static str, u64>>,
    /// Commits of the shift, as far as they were seen.
    pub(super) commits: watch::Sender<u64>,
    /// Queries that the auditors have begun.
    pub(super) queries: watch::Sender<u64>,
}

impl Kills {
    pub(super) fn new(kills: u64) -> Self {
        Self {
            left: AtomicU64::new(kills),
            done: Mutex::default(),
            commits: watch::Sender::default(),
            queries: watch::Sender::default(),
        }
    }

    /// Whether one more is to be done; then it counts as `what`.
    fn take(&self, what: &'static str) -> bool {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if taken {
            self.note(what);
        }
        taken
    }

    fn note(&self, what: &'static str) {
        *self.done.lock().unwrap().entry(what).or_default() += 1;
    }

    pub(super) fn left(&self) -> u64 {
        self.left.load(Ordering::SeqCst)
    }

    pub(super) fn done(&self) -> BTreeMap<&'static str, u64> {
        self.done.lock().unwrap().clone()
    }
}

/// Kills one process again and again, each time after a number of events that the seed chooses.
pub(super) async fn kill_replica(replica: Arc<Replica>, kills: Arc<Kills>, mut random: Random) {
    loop {
        let what = moment(&replica, &kills, &mut random).await;
        if !kills.take(what) {
            return;
        }
        replica.kill();
        sleep(Duration::from_millis(random.below(300))).await;
        replica.start();
        if random.below(STARTING) == 0 {
            sleep(Duration::from_millis(random.below(400))).await;
            if kills.take("starting") {
                replica.kill();
                replica.start();
            }
        }
        replica.ready().await;
    }
}

/// Waits for the moment to kill and names it.
async fn moment(replica: &Replica, kills: &Kills, random: &mut Random) -> &'static str {
    match replica.role {
        Role::Ingest => ingest_moment(replica, random).await,
        Role::Shift => {
            until(kills.commits.subscribe(), 1 + random.below(3)).await;
            // Up to the next commit and a bit more: reading, writing files, committing, deleting.
            sleep(Duration::from_millis(random.below(700))).await;
            "shift"
        }
        Role::Maintain => {
            // A run is about a second away, and takes less.
            sleep(Duration::from_millis(800 + random.below(2_500))).await;
            "maintain"
        }
        Role::Query | Role::TablesOnly => {
            until(kills.queries.subscribe(), 1 + random.below(6)).await;
            sleep(Duration::from_millis(random.below(100))).await;
            "query"
        }
    }
}

async fn ingest_moment(replica: &Replica, random: &mut Random) -> &'static str {
    let wire = random.pick(&replica.wires);
    let many = 1 + random.below(12);
    match random.below(3) {
        0 => {
            passed(wire, many, |passed| passed.requests).await;
            // Within the time that requests are gathered.
            sleep(Duration::from_millis(random.below(250))).await;
            "ingest with a request at hand"
        }
        1 => {
            wire.swallow(1);
            passed(wire, 1, |passed| passed.swallowed).await;
            "ingest before its reply"
        }
        _ => {
            passed(wire, many, |passed| passed.replies).await;
            "ingest after its reply"
        }
    }
}

/// Kills a client again and again.
pub(super) async fn kill_sender(sender: Arc<Sender>, kills: Arc<Kills>, mut random: Random) {
    loop {
        let goal = sender.acknowledged().len() as u64 + 5 + random.below(20);
        let reached = async {
            while (sender.acknowledged().len() as u64) < goal {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(PATIENCE, reached).await;
        if !kills.take("client") {
            return;
        }
        sender.kill();
        sleep(Duration::from_millis(random.below(200))).await;
        sender.start();
    }
}

/// Breaks connections and swallows replies for as long as there are kills to do; these are counted beside the kills.
pub(super) async fn break_connections(wires: Vec<Arc<Wire>>, kills: Arc<Kills>, mut random: Random) {
    while kills.left() > 0 {
        let wire = random.pick(&wires);
        let what = if random.below(2) == 0 {
            passed(wire, 1 + random.below(10), |passed| passed.requests).await;
            sleep(Duration::from_millis(random.below(250))).await;
            wire.cut();
            "connections cut"
        } else {
            wire.swallow(1 + random.below(3));
            passed(wire, 1, |passed| passed.swallowed).await;
            "replies swallowed"
        };
        kills.note(what);
        sleep(Duration::from_millis(300 + random.below(700))).await;
    }
}

/// Waits until so many more have passed.
async fn passed(wire: &Wire, many: u64, count: impl Fn(&Passed) -> u64) {
    let mut passed = wire.passed();
    let goal = count(&passed.borrow_and_update()) + many;
    let _ = timeout(PATIENCE, passed.wait_for(|passed| count(passed) >= goal)).await;
}

async fn until(mut counted: watch::Receiver<u64>, many: u64) {
    let goal = *counted.borrow_and_update() + many;
    let _ = timeout(PATIENCE, counted.wait_for(|count| *count >= goal)).await;
}
