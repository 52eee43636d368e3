//! `kill -9` at any moment of a running system: every acknowledged row is there once, in every answer and for every reader.
//!
//! ```text
//! clients ─▶ wires that break ─▶ 2 × ingest ─▶ WAL ─▶ 2 × shift ─▶ tables ◀── DuckDB, PyIceberg, a query process of the tables alone
//!                                               └── 2 × query ──────┘ ◀── auditors, who know what was acknowledged
//!                                                      maintain ────┘     expires and sweeps all the time
//! ```
//!
//! `ICEGATE_KILLS` says how many processes are killed, `ICEGATE_SOAK_SEED` what is chosen.

mod auditor;
mod killer;
mod litter;
mod outage;
mod random;
mod readers;
mod replica;
mod sender;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use auditor::{Findings, NoAnswer, audit, audit_all, insist};
use killer::{Kills, break_connections, kill_replica, kill_sender};
use litter::Litter;
use random::Random;
use readers::{Readers, own_count, rows};
use replica::{Replica, Role};
use sender::{ROWS, Sender};

use crate::backend::Backend;
use crate::process::{PATIENCE, python};

const KILLS: u64 = 200;
const SEED: u64 = 3;
/// Clients that are never killed, so that their retries are known; one more is killed.
const STEADY_CLIENTS: u64 = 3;
/// At most so many kills come to a commit of the shift that is seen.
const KILLS_A_COMMIT: u64 = 50;
/// How often the outside readers look in a run.
const LOOKS: u64 = 12;
/// More memory than any process of the run needs in a debug build.
const MAX_MIB: u64 = 700;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?} isn't a number")))
}

/// A running system with its clients.
struct System {
    backend: Arc<Backend>,
    ingest: Vec<Arc<Replica>>,
    shift: Vec<Arc<Replica>>,
    query: Vec<Arc<Replica>>,
    tables_only: Arc<Replica>,
    maintain: Arc<Replica>,
    senders: Vec<Arc<Sender>>,
    seed: u64,
    /// Queries of the auditors that were answered, refused, and rows that they compared.
    answered: AtomicU64,
    refused: std::sync::Mutex<Vec<String>>,
    compared: AtomicU64,
}

impl System {
    async fn start(backend: Arc<Backend>, seed: u64) -> Arc<Self> {
        let mut processes = Vec::new();
        for (role, count) in [(Role::Ingest, 2), (Role::Shift, 2), (Role::Query, 2), (Role::TablesOnly, 1), (Role::Maintain, 1)] {
            let mut replicas = Vec::new();
            for number in 0..count {
                replicas.push(Replica::new(role, number, &backend).await);
            }
            processes.push(replicas);
        }
        // All at once, on an empty place: they race for making the tables. Who looks after them makes none.
        let makers = processes.iter().flatten().filter(|replica| replica.role != Role::Maintain);
        makers.for_each(|replica| replica.start());
        for replica in processes.iter().flatten().filter(|replica| replica.role != Role::Maintain) {
            replica.ready().await;
        }
        let [ingest, shift, query, tables_only, maintain] = processes.try_into().unwrap_or_else(|_| panic!("five roles"));
        maintain[0].start();
        let senders = (0..=STEADY_CLIENTS).map(|number| Arc::new(Sender::new(number, &backend, &ingest)));
        let system = Self {
            senders: senders.collect(),
            tables_only: Arc::clone(&tables_only[0]),
            maintain: Arc::clone(&maintain[0]),
            backend,
            ingest,
            shift,
            query,
            seed,
            answered: AtomicU64::new(0),
            refused: std::sync::Mutex::default(),
            compared: AtomicU64::new(0),
        };
        system.senders.iter().for_each(|sender| sender.start());
        Arc::new(system)
    }

    fn replicas(&self) -> impl Iterator<Item = &Arc<Replica>> {
        self.ingest.iter().chain(&self.shift).chain(&self.query).chain([&self.tables_only, &self.maintain])
    }

    fn acknowledged(&self) -> u64 {
        self.senders.iter().map(|sender| sender.acknowledged().len() as u64).sum()
    }

    /// Compares answers of the query processes with the journals, mostly of the newest rows, until the kills are done.
    async fn audit_on(self: Arc<Self>, kills: Arc<Kills>, mut random: Random) {
        const NEWEST: u64 = 500;
        while kills.left() > 0 {
            let (sender, process) = (random.pick(&self.senders), random.pick(&self.query));
            let newest = sender.acknowledged().last_key_value().map_or(0, |(request, _)| *request) * ROWS;
            let first = if random.below(3) == 0 { random.below(newest + 1) } else { newest.saturating_sub(NEWEST) };
            kills.queries.send_modify(|queries| *queries += 1);
            match audit(process, sender, first..first + 2 * NEWEST).await {
                Ok(findings) => {
                    findings.assert_none(&format!("{} of {} by {}", first, sender.tenant, process.name()));
                    self.answered.fetch_add(1, Ordering::SeqCst);
                    self.compared.fetch_add(findings.acknowledged, Ordering::SeqCst);
                }
                Err(NoAnswer::Gone) => {}
                Err(NoAnswer::Refused(why)) => self.refused.lock().unwrap().push(format!("{}: {why}", process.name())),
            }
            sleep(Duration::from_millis(random.below(400))).await;
        }
    }

    /// Lets DuckDB and PyIceberg count versions of the table at moments spread over the kills, and compares with our own count.
    async fn look_on(self: Arc<Self>, kills: Arc<Kills>, mut readers: Readers, mut random: Random) -> u64 {
        let (all, mut looks) = (kills.left(), 0);
        let wanted = (all * LOOKS / KILLS).clamp(1, LOOKS);
        while kills.left() > 0 || looks < wanted {
            if kills.left() > 0 && (all - kills.left()) * wanted < all * looks {
                sleep(Duration::from_millis(20)).await;
                continue;
            }
            readers.count(None);
            let tenant = &random.pick(&self.senders).tenant;
            let (snapshot, rows) = insist(&self.tables_only, || own_count(&self.tables_only, tenant)).await;
            if snapshot.is_some() {
                let theirs = readers.count(snapshot).rows.get(tenant).copied().unwrap_or(0);
                assert_eq!(theirs, rows, "{tenant} in {snapshot:?}: outside (left) and our own count");
            }
            looks += 1;
        }
        looks
    }

    /// Watches memory and counters, and that no process ends by itself.
    async fn watch_on(self: Arc<Self>, kills: Arc<Kills>) {
        while kills.left() > 0 {
            for replica in self.replicas() {
                replica.measure();
                replica.scrape().await;
            }
            self.tables_only.check_runs();
            self.maintain.check_runs();
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Counts commits by what the shift processes say of themselves.
    async fn count_commits(self: Arc<Self>, kills: Arc<Kills>) {
        let mut before = vec![0; self.shift.len()];
        while kills.left() > 0 {
            for (process, before) in self.shift.iter().zip(&mut before) {
                let now = process.shifted().await.unwrap_or(0);
                if now > *before {
                    kills.commits.send_modify(|commits| *commits += 1);
                }
                *before = now;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the tables hold as many rows as the query processes find.
    async fn until_all_is_shifted(&self, wanted: u64) {
        let started = Instant::now();
        loop {
            let mut found = 0;
            for sender in &self.senders {
                found += insist(&self.tables_only, || rows(&self.tables_only, &sender.tenant)).await;
            }
            assert!(found <= wanted, "the tables hold {found} rows, more than {wanted}");
            if found == wanted {
                return;
            }
            let logs: String = self.shift.iter().map(|replica| replica.log()).collect();
            assert!(started.elapsed() < PATIENCE, "{found} of {wanted} rows were shifted:\n{logs}");
            sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn soak(backend: Backend, name: &str) {
    let (python, started) = (python(name), Instant::now());
    let (killed, seed) = (number("ICEGATE_KILLS", KILLS), number("ICEGATE_SOAK_SEED", SEED));
    eprintln!("{name}: {killed} kills, ICEGATE_SOAK_SEED={seed}, in {}", backend.folder().display());
    let system = System::start(Arc::new(backend), seed).await;
    let kills = Arc::new(Kills::new(killed));

    let litter = Litter::new(&system.backend);
    let looks = attack(&system, &kills, &litter, python.as_deref()).await;

    let attacked = started.elapsed();
    for replica in system.replicas() {
        replica.ready().await;
    }
    tokio::task::block_in_place(|| system.senders.iter().for_each(|sender| sender.stop()));
    let mut findings = Findings::default();
    for (process, sender) in system.query.iter().cycle().zip(&system.senders) {
        findings.add(audit_all(process, sender).await);
    }
    report(&system, &kills, &findings, looks).await;
    findings.assert_none("at the end");
    let commits = *kills.commits.borrow();
    assert!(commits >= killed / KILLS_A_COMMIT, "{commits} commits were seen in {killed} kills");
    // A run in which hardly anything was sent would prove little.
    assert!(system.acknowledged() >= killed, "{} requests were acknowledged in {killed} kills", system.acknowledged());
    system.until_all_is_shifted(findings.found).await;
    litter.is_gone(&system.maintain).await;
    if let Some(python) = &python {
        let counted = Readers::start(python, &system.backend).count(None);
        assert_eq!(counted.total(), findings.found, "{counted:?}");
        eprintln!("  in the tables by DuckDB and PyIceberg: {} different rows", counted.total());
    }
    // The tables alone give the same as tables and WAL did.
    let mut shifted = Findings::default();
    for (process, sender) in system.query.iter().rev().cycle().zip(&system.senders) {
        shifted.add(audit_all(process, sender).await);
    }
    shifted.assert_none("after the shift");
    assert_eq!(shifted.found, findings.found);
    tokio::task::block_in_place(|| system.replicas().for_each(|replica| replica.stop()));
    eprintln!("  {:.0} s of kills, {:.0} s in all", attacked.as_secs_f64(), started.elapsed().as_secs_f64());
}

/// Kills, breaks, audits and looks until the kills are done; how often the outside readers looked.
async fn attack(system: &Arc<System>, kills: &Arc<Kills>, litter: &Litter, python: Option<&str>) -> u64 {
    let mut actors = (1..).map(|actor| Random::of(system.seed, actor));
    let mut random = || actors.next().unwrap();
    let mut tasks = JoinSet::new();
    for replica in system.ingest.iter().chain(&system.shift).chain(&system.query).chain([&system.maintain]) {
        tasks.spawn(kill_replica(Arc::clone(replica), Arc::clone(kills), random()));
    }
    let mortal = system.senders.last().unwrap();
    tasks.spawn(kill_sender(Arc::clone(mortal), Arc::clone(kills), random()));
    let wires = system.ingest.iter().flat_map(|replica| replica.wires.clone()).collect();
    tasks.spawn(break_connections(wires, Arc::clone(kills), random()));
    for _ in 0..2 {
        tasks.spawn(Arc::clone(system).audit_on(Arc::clone(kills), random()));
    }
    tasks.spawn(Arc::clone(system).watch_on(Arc::clone(kills)));
    tasks.spawn(litter.clone().drop_on(Arc::clone(kills)));
    tasks.spawn(Arc::clone(system).count_commits(Arc::clone(kills)));
    let looking = python.map(|python| {
        let readers = Readers::start(python, &system.backend);
        tokio::spawn(Arc::clone(system).look_on(Arc::clone(kills), readers, random()))
    });
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    match looking {
        Some(looking) => looking.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())),
        None => 0,
    }
}

async fn report(system: &System, kills: &Kills, findings: &Findings, looks: u64) {
    let done = kills.done();
    let count = |names: &dyn Fn(&str) -> bool| done.iter().filter(|(name, _)| names(name)).map(|(_, count)| count).sum::<u64>();
    let breaks: BTreeMap<_, _> =
        done.iter().filter(|(name, _)| name.contains("connections") || name.contains("replies")).collect();
    let killed: BTreeMap<_, _> = done.iter().filter(|(name, _)| !breaks.contains_key(name)).collect();
    let mut repeated = 0;
    for replica in system.replicas() {
        replica.scrape().await;
        repeated += replica.counted("icegate_shift_repeated_rows_total");
    }
    let sum = |of: &dyn Fn(&Sender) -> u64| system.senders.iter().map(|sender| of(sender)).sum::<u64>();
    let again = sum(&|sender| sender.acknowledged().values().map(|times| times - 1).sum());
    eprintln!("  kills {killed:?}, of ingest {}", count(&|name| name.starts_with("ingest")));
    eprintln!("  besides {breaks:?}");
    eprintln!(
        "  acknowledged {} requests, retried {} (of the {STEADY_CLIENTS} clients that were not killed), given up {}",
        system.acknowledged(),
        sum(&|sender| sender.retries.load(Ordering::SeqCst)),
        sum(&|sender| sender.failed.load(Ordering::SeqCst)),
    );
    eprintln!("  acknowledged again {again} requests, repeated rows that the shift left out: at least {repeated}");
    eprintln!(
        "  at the end {} acknowledged rows, {} found ({} of unacknowledged requests), lost {}, doubled {}",
        findings.acknowledged,
        findings.found,
        findings.unacknowledged,
        findings.lost.len(),
        findings.doubled.len()
    );
    let refused = system.refused.lock().unwrap().clone();
    eprintln!(
        "  audits meanwhile {} (of {} acknowledged rows), refused {}; outside readers looked {looks} times, at least {} commits",
        system.answered.load(Ordering::SeqCst),
        system.compared.load(Ordering::SeqCst),
        refused.len(),
        *kills.commits.borrow()
    );
    refused.iter().take(5).for_each(|why| eprintln!("    refused: {why}"));
    let restarts: u64 = system.replicas().map(|replica| replica.restarts()).sum();
    eprintln!("  starts that failed because a port was taken or the store did not answer in time: {restarts}");
    let peaks: Vec<_> = system.replicas().map(|replica| (replica.name(), replica.peak_mib())).collect();
    eprintln!("  most memory in MiB: {peaks:?}");
    for (name, mib) in peaks {
        assert!((1..MAX_MIB).contains(&mib), "{name} had {mib} MiB");
    }
}

/// A soak on a store and catalog.
macro_rules! on {
    ($($backend:ident)*) => {
        $(
            mod $backend {
                #[tokio::test(flavor = "multi_thread")]
                async fn after_hundreds_of_kills_every_acknowledged_row_is_there_once_and_outside_readers_agree() {
                    let name = concat!("the soak on ", stringify!($backend));
                    if let Some(backend) = crate::backend::Backend::$backend(name) {
                        super::soak(backend, name).await;
                    }
                }
            }
        )*
    };
}

on! { files minio_and_nessie }
