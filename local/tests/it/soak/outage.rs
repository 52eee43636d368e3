//! The tables can't be reached for a while: what is sent meanwhile is acknowledged, no answer is silently short, and afterwards
//! everything is in the tables, once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::auditor::{NoAnswer, audit, audit_all};
use super::place::Place;
use super::replica::{Replica, Role};
use super::sender::{ROWS, Sender};
use crate::process::PATIENCE;

/// Requests that have to be acknowledged before and while the tables are away.
const REQUESTS: u64 = 40;

/// How the tables are taken away.
pub(super) enum Tables {
    /// Something else lies where the warehouse's folder was.
    Folder(PathBuf),
}

impl Tables {
    fn take_away(&self) {
        match self {
            Self::Folder(folder) => {
                std::fs::rename(folder, folder.with_extension("away")).unwrap();
                std::fs::write(folder, "not a folder").unwrap();
            }
        }
    }

    fn bring_back(&self) {
        match self {
            Self::Folder(folder) => {
                std::fs::remove_file(folder).unwrap();
                std::fs::rename(folder.with_extension("away"), folder).unwrap();
            }
        }
    }
}

/// Answers of queries: whole ones, and the texts of those that said that they can't be.
#[derive(Debug, Default)]
struct Answers {
    whole: u64,
    refused: Vec<String>,
}

async fn ask_for_the_newest(query: &Replica, sender: &Sender, answers: &mut Answers) {
    let newest = sender.acknowledged().last_key_value().map_or(0, |(request, _)| *request) * ROWS;
    match audit(query, sender, 0..newest + ROWS).await {
        Ok(findings) => {
            findings.assert_none("while the tables are away");
            answers.whole += 1;
        }
        Err(NoAnswer::Refused(why)) => answers.refused.push(why),
        Err(NoAnswer::Gone) => panic!("the query process doesn't answer: {}", query.log()),
    }
}

async fn acknowledges(sender: &Sender, ingest: &Replica, more: u64) {
    let (started, goal) = (Instant::now(), sender.acknowledged().len() as u64 + more);
    while (sender.acknowledged().len() as u64) < goal {
        assert!(started.elapsed() < PATIENCE, "requests aren't acknowledged: {}", ingest.log());
        sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a system of one process a role through an outage of its tables.
async fn outage(place: Place, tables: Tables) {
    let place = Arc::new(place);
    let versions = place.watch(Duration::from_millis(50));
    let [ingest, shift, query] = [
        Replica::new(Role::Ingest, 0, &place).await,
        Replica::new(Role::Shift, 0, &place).await,
        Replica::new(Role::Query, 0, &place).await,
    ];
    for replica in [&ingest, &shift, &query] {
        replica.start();
    }
    for replica in [&ingest, &shift, &query] {
        replica.ready().await;
    }
    let sender = Sender::new(0, &place, &[Arc::clone(&ingest)]);
    sender.start();
    versions.clone().wait_for(|version| *version > 2).await.unwrap();
    acknowledges(&sender, &ingest, REQUESTS).await;
    let mut answers = Answers::default();
    ask_for_the_newest(&query, &sender, &mut answers).await;
    assert_eq!(answers.whole, 1, "{answers:?}");

    let (_, shifted) = (versions, place.version(2).await);
    tables.take_away();
    let mut answers = Answers::default();
    let asked = async {
        let goal = sender.acknowledged().len() as u64 + REQUESTS;
        while (sender.acknowledged().len() as u64) < goal || answers.whole + (answers.refused.len() as u64) < 5 {
            ask_for_the_newest(&query, &sender, &mut answers).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("no requests are taken: {}", ingest.log()));
    for replica in [&ingest, &shift, &query] {
        replica.check_runs();
    }
    assert!(answers.refused.iter().all(|why| why.starts_with('5')), "{answers:?}");
    // An ingest process that has to start now does so: what it takes in has nothing to do with the tables.
    ingest.kill();
    ingest.start();
    acknowledges(&sender, &ingest, REQUESTS).await;

    tables.bring_back();
    acknowledges(&sender, &ingest, REQUESTS).await;
    tokio::task::block_in_place(|| sender.stop());
    let findings = settled(&query, &sender).await;
    let started = Instant::now();
    let versions = place.watch(Duration::from_millis(50));
    loop {
        let newest = *versions.borrow();
        let rows = if newest == 0 { 0 } else { place.version(newest).await.rows };
        if rows == findings {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{rows} of {findings} rows were shifted: {}", shift.log());
        sleep(Duration::from_millis(200)).await;
    }
    assert!(shifted.rows < findings);
    assert_eq!(settled(&query, &sender).await, findings);
    eprintln!(
        "tables away on {}: {} requests acknowledged, {} answers were whole, {} refused: {:?}",
        place.name,
        sender.acknowledged().len(),
        answers.whole,
        answers.refused.len(),
        answers.refused.first(),
    );
    tokio::task::block_in_place(|| [&ingest, &shift, &query].into_iter().for_each(|replica| replica.stop()));
}

/// The rows of a client that has stopped; none is lost or doubled.
async fn settled(query: &Replica, sender: &Sender) -> u64 {
    let findings = audit_all(query, sender).await;
    findings.assert_none("after the tables came back");
    findings.found
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_tables_are_away_ingest_goes_on_no_answer_is_short_and_the_shift_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::files(folder.path());
    outage(place, Tables::Folder(folder.path().join("warehouse"))).await;
}
