//! READ-1 for one who stays: what is acknowledged later comes once, wherever it is by then.

use std::collections::BTreeSet;

use arrow::compute::concat_batches;
use icegate_engine::{Engine, EngineConfig, EngineError, Follower, Opened};
use icegate_model::{RequestId, Table, TimeRange};
use icegate_tables::{Append, FileOptions, Ledger};
use icegate_testkit::Dice;
use icegate_wal::Segment;

use crate::rows::{Log, lines};
use crate::world::{World, tables, tenant};

async fn bodies(opened: Opened) -> Vec<String> {
    let rows = opened.session.read_table(opened.provider).unwrap().select_columns(&["body"]).unwrap();
    lines(&rows.collect().await.unwrap())
}

/// What came since.
async fn next(engine: &Engine, follower: &mut Follower) -> Vec<String> {
    let Some((opened, after)) = engine.follow(follower).await.unwrap() else { return Vec::new() };
    *follower = after;
    bodies(opened).await
}

/// Rows whose bodies are the numbers from `first` on.
fn logs(first: u64, rows: u64) -> Vec<Log> {
    let log =
        |number: u64| Log { micros: i64::try_from(number).unwrap(), service: "api", severity: 9, body: format!("{number:06}") };
    (first..first + rows).map(log).collect()
}

fn expected(first: u64, rows: u64) -> Vec<String> {
    logs(first, rows).into_iter().map(|log| log.body).collect()
}

#[tokio::test]
async fn rows_that_come_later_are_given_once_and_to_their_tenant() {
    let world = World::new().await;
    let engine = world.engine(EngineConfig::default());
    world.ingest(&[("a", &logs(0, 5))]).await;
    world.shift(&world.segments().await).await;
    world.ingest(&[("a", &logs(5, 5))]).await;
    let (opened, mut follower) = engine.open_followed(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
    assert_eq!(bodies(opened).await, expected(0, 10));
    assert!(engine.follow(&follower).await.unwrap().is_none());

    world.ingest(&[("a", &logs(10, 3)), ("b", &logs(90, 9))]).await;
    world.ingest(&[("b", &logs(80, 9))]).await;
    // Not read, so not given.
    let _unread = engine.follow(&follower).await.unwrap();
    assert_eq!(next(&engine, &mut follower).await, expected(10, 3));
    assert_eq!(next(&engine, &mut follower).await, Vec::<String>::new());

    // In the table before anyone asked.
    world.ingest(&[("a", &logs(13, 2))]).await;
    world.shift(&world.segments().await.split_off(4)).await;
    assert_eq!(next(&engine, &mut follower).await, expected(13, 2));
    world.wal.delete(&world.segments().await[..2]).await.unwrap();
    assert_eq!(next(&engine, &mut follower).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_of_no_time_is_followed_by_all_that_comes() {
    let world = World::new().await;
    let engine = world.engine(EngineConfig::default());
    world.ingest(&[("a", &logs(0, 5))]).await;
    let none = TimeRange::new(TimeRange::ALL.start(), TimeRange::ALL.start()).unwrap();
    let (opened, mut follower) = engine.open_followed(Table::Logs, &tenant("a"), none).await.unwrap();
    assert_eq!(bodies(opened).await, Vec::<String>::new());
    world.ingest(&[("a", &logs(5, 5))]).await;
    assert_eq!(next(&engine, &mut follower).await, expected(5, 5));
}

#[tokio::test]
async fn an_engine_without_the_wal_can_not_follow() {
    let world = World::new().await;
    let engine = Engine::new(tables(world.warehouse.clone()), None, EngineConfig::default()).unwrap();
    let followed = engine.open_followed(Table::Logs, &tenant("a"), TimeRange::ALL).await;
    assert!(matches!(followed, Err(EngineError::NoWal)), "{followed:?}");
}

/// A WAL whose segments are shifted one by one, each request once, and deleted when the follower has had them.
struct Shifting {
    world: World,
    shifted: BTreeSet<RequestId>,
    in_table: BTreeSet<String>,
    given: BTreeSet<String>,
}

impl Shifting {
    async fn ingest(&self, requests: &[u64]) {
        let rows: Vec<_> = requests.iter().map(|id| logs(id * 10, 3)).collect();
        let requests = requests.iter().zip(&rows).map(|(id, rows)| (RequestId(u128::from(*id)), "a", rows.as_slice()));
        self.world.ingest_as(&requests.collect::<Vec<_>>()).await;
    }

    async fn shift(&mut self, dice: &mut Dice) {
        let fresh = self.world.segments().await.into_iter().filter(|segment| !self.in_table.contains(&segment.name));
        let fresh: Vec<_> = fresh.collect();
        if fresh.is_empty() {
            return;
        }
        let segment = dice.pick(&fresh);
        let (footer, read) = self.world.wal.read_whole(segment).await.unwrap();
        let read = concat_batches(&read[0].schema(), &read).unwrap();
        let mut ledger = Ledger { segments: vec![segment.name.clone()], ..Ledger::default() };
        let mut batches = Vec::new();
        for run in footer.requests.iter().filter(|run| self.shifted.insert(run.id)) {
            ledger.requests.push(run.id);
            batches.push(read.slice(usize::try_from(run.first).unwrap(), usize::try_from(run.rows).unwrap()));
        }
        let tables = &self.world.tables;
        let files = tables.write_files(Table::Logs, batches, FileOptions::default()).await.unwrap();
        tables.commit(Table::Logs, Append { files, ledger }).await.unwrap();
        self.in_table.insert(segment.name.clone());
    }

    async fn clean_up(&self) {
        let may_go = |segment: &Segment| self.in_table.contains(&segment.name) && self.given.contains(&segment.name);
        let segments: Vec<_> = self.world.segments().await.into_iter().filter(may_go).collect();
        self.world.wal.delete(&segments).await.unwrap();
    }

    async fn all_given(&mut self) {
        self.given.extend(self.world.segments().await.into_iter().map(|segment| segment.name));
    }
}

/// Random requests, repeats of earlier ones, shifts and clean-ups, while someone follows.
async fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut wal =
        Shifting { world: World::new().await, shifted: BTreeSet::new(), in_table: BTreeSet::new(), given: BTreeSet::new() };
    let engine = wal.world.engine(EngineConfig::default());
    let (mut rows, mut requests) = (Vec::new(), 0);
    let mut follower = None;
    for step in 0..50 {
        match dice.between(0, 5) {
            0 => {
                requests += 1;
                wal.ingest(&[requests]).await;
            }
            1 if requests > 0 => {
                let repeated = dice.between(1, requests);
                requests += 1;
                let both = if dice.chance(500) { [repeated, requests] } else { [requests, repeated] };
                wal.ingest(&both).await;
            }
            2 | 3 => wal.shift(&mut dice).await,
            4 => wal.clean_up().await,
            _ if step < 10 => {}
            _ => {
                match &mut follower {
                    Some(follower) => rows.extend(next(&engine, follower).await),
                    None => {
                        let (opened, begun) = engine.open_followed(Table::Logs, &tenant("a"), TimeRange::ALL).await.unwrap();
                        follower = Some(begun);
                        rows.extend(bodies(opened).await);
                    }
                }
                wal.all_given().await;
            }
        }
    }
    if let Some(follower) = &mut follower {
        rows.extend(next(&engine, follower).await);
        rows.sort();
        let mut expected: Vec<_> = (1..=requests).flat_map(|id| expected(id * 10, 3)).collect();
        expected.sort();
        assert_eq!(rows, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn whatever_is_repeated_shifted_and_deleted_each_row_is_given_once() {
    for seed in 0..12 {
        run(seed).await;
    }
}
