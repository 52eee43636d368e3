use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use icegate_model::TenantId;
use icegate_tables::MIN_ORPHAN_GRACE;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::actors::client::{self, TENANTS};
use crate::actors::{ingester, maintainer, reader, shifter, vandal};
use crate::audit::Auditor;
use crate::life::{LONGEST_FREEZE, Life, live};
use crate::report::Report;
use crate::world::World;

/// Virtual time after which a run counts as stuck.
const STUCK: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How far a committer whose clock is wrong may date its commit ahead of the store's time.
const COMMIT_TIMES_AHEAD: Duration = Duration::from_secs(75 * 60);
/// Passes over each table in which everything has to be shifted once nothing fails any more (I8).
const CYCLES: usize = 20;

/// What a run did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The counts.
    pub report: Report,
    /// What happened, a line an event.
    pub trace: String,
    /// What did not hold; the end of the run.
    pub violation: Option<String>,
}

/// A run in which something did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Whose run.
    pub seed: u64,
    /// What did not hold.
    pub violation: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.violation)?;
        write!(
            f,
            "replay it with: ICEGATE_SEED={} cargo test -p icegate-simulation --test it seeds_lose -- --nocapture",
            self.seed
        )
    }
}

impl std::error::Error for Failure {}

/// Runs a seed; prints what happens while it happens where that is wanted.
///
/// # Errors
/// [`Failure`] where something did not hold.
pub fn run(seed: u64, print: bool) -> Result<Report, Failure> {
    let Outcome { report, violation, .. } = run_traced(seed, print);
    match violation {
        None => Ok(report),
        Some(violation) => Err(Failure { seed, violation }),
    }
}

/// Runs a seed and keeps what happened.
///
/// # Panics
/// If no runtime can be made.
#[must_use]
pub fn run_traced(seed: u64, print: bool) -> Outcome {
    // One blocking thread, so that encoders finish in the order in which they began.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let world = World::new(seed, print);
        let over = world.over.clone();
        tokio::select! {
            biased;
            () = over.cancelled() => {}
            ended = timeout(STUCK, play(&world)) => {
                if ended.is_err() {
                    world.violate("STUCK: nothing happens any more".to_owned());
                }
            }
        }
        let (report, trace) = world.close();
        Outcome { report, trace, violation: world.violation() }
    })
}

async fn play(world: &Arc<World>) {
    world.note("judge", &format!("{:?}", world.scenario));
    world.auditor.create_tables().await;
    let mut processes = Processes::default();
    let scenario = &world.scenario;
    for number in 0..scenario.ingesters {
        processes.start(world, format!("ingester{number}"), move |life| ingester::ingest(life, number));
    }
    for number in 0..scenario.shifters {
        processes.start(world, format!("shifter{number}"), shifter::shift);
    }
    for number in 0..scenario.readers {
        processes.start(world, format!("reader{number}"), reader::read);
    }
    processes.start(world, "maintainer0".to_owned(), maintainer::maintain);
    if scenario.vandal {
        let process = processes.next();
        processes.lives.spawn(vandal::spoil(Arc::clone(world), process));
    }
    let mut clients = JoinSet::new();
    for number in 0..scenario.clients {
        clients.spawn(client::send(Arc::clone(world), processes.next(), number));
    }
    while clients.join_next().await.is_some_and(|ended| ended.is_ok()) {}
    world.turns.after(0, scenario.pause).await;
    world.note("judge", "faults are over");
    world.calm_down();
    while processes.lives.join_next().await.is_some_and(|ended| ended.is_ok()) {}
    settle(world, processes.next()).await;
}

#[derive(Default)]
struct Processes {
    count: usize,
    lives: JoinSet<()>,
}

impl Processes {
    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn start<F, Fut>(&mut self, world: &Arc<World>, name: String, role: F)
    where
        F: Fn(Arc<Life>) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let process = self.next();
        self.lives.spawn(live(Arc::clone(world), process, name, role));
    }
}

/// Without faults: everything reaches the tables soon, segments go after their grace, and what is left is exactly right.
async fn settle(world: &Arc<World>, process: usize) {
    let life = Arc::new(Life::begin(world, process, "settler", 0));
    let shifter = shifter::shifter(&life);
    // What is on its way from a frozen process or a dead one arrives.
    life.pause(LONGEST_FREEZE + Duration::from_secs(60)).await;
    let mut cycles = 0;
    while pending(world).await > 0 {
        if cycles == CYCLES {
            return world.violate(format!("UNDRAINED: segments are left after {CYCLES} passes without a fault"));
        }
        cycles += 1;
        pass(&life, &shifter).await;
    }
    world.count_many("passes to drain the write-ahead log", cycles as u64);
    life.pause(world.scenario.grace + COMMIT_TIMES_AHEAD + Duration::from_secs(60)).await;
    pass(&life, &shifter).await;
    sweep(&life).await;
    let engine = reader::engine(&life);
    for table in world.scenario.tables.clone() {
        match world.auditor.audit(world, table).await {
            Err(wrong) => return world.violate(wrong),
            Ok(audited) if audited.pending + audited.shifted > 0 => {
                return world
                    .violate(format!("KEPT: {} segments of {table} outlive their grace", audited.pending + audited.shifted));
            }
            Ok(audited) => {
                let expected = Auditor::expected_at_the_end(world, table);
                let wrong = world.truth().judge(table, None, &expected, &audited.stored);
                if let Some(wrong) = wrong {
                    return world.violate(format!("{wrong}, at the end"));
                }
                world.count_many("rows in tables at the end", audited.stored.len() as u64);
            }
        }
        for tenant in TENANTS {
            let tenant: TenantId = tenant.parse().unwrap();
            reader::query(&life, &engine, table, &tenant).await;
        }
    }
}

/// What crashes and lost attempts left behind goes, and nothing else.
async fn sweep(life: &Life) {
    let maintainer = maintainer::maintainer(life);
    life.pause(MIN_ORPHAN_GRACE + Duration::from_secs(60)).await;
    for table in life.world.scenario.tables.clone() {
        match maintainer.maintain(table, false).await {
            Ok(report) => maintainer::count(life, table, &report),
            Err(error) => return life.world.violate(format!("FAILED: maintenance without a fault: {error}")),
        }
        match maintainer.maintain(table, true).await {
            Ok(report) if report.swept.orphans.is_empty() => {}
            Ok(report) => return life.world.violate(format!("KEPT: orphans {:?}", report.swept.orphans)),
            Err(error) => return life.world.violate(format!("FAILED: maintenance without a fault: {error}")),
        }
    }
}

async fn pass(life: &Life, shifter: &icegate_shift::Shifter) {
    for table in life.world.scenario.tables.clone() {
        if let Err(error) = shifter.pass(table).await {
            life.world.violate(format!("FAILED: a pass without a fault: {error}"));
        }
    }
}

/// Segments that wait for a shift.
async fn pending(world: &World) -> usize {
    let mut pending = 0;
    for table in world.scenario.tables.clone() {
        match world.auditor.audit(world, table).await {
            Ok(audited) => pending += audited.pending,
            Err(wrong) => world.violate(wrong),
        }
    }
    pending
}
