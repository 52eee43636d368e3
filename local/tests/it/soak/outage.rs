//! The tables can't be reached for a while: what is sent meanwhile is acknowledged, no answer is silently short, and afterwards
//! everything is in the tables, once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::auditor::{NoAnswer, audit, audit_all, insist};
use super::readers::rows;
use super::replica::{Replica, Role};
use super::sender::{ROWS, Sender};
use super::wire::Wire;
use crate::backend::Backend;
use crate::process::PATIENCE;

/// Requests that have to be acknowledged before, while and after the tables are away.
const REQUESTS: u64 = 40;
/// Queries that are asked while the tables are away.
const QUERIES: u64 = 5;

/// What stands between the processes and the tables.
enum Way {
    /// The warehouse's folder: something else lies there while it is away.
    Folder(PathBuf),
    /// The connections to the catalog's server.
    Catalog(Wire, u16),
}

impl Way {
    fn close(&self) {
        match self {
            Self::Folder(folder) => {
                std::fs::rename(folder, folder.with_extension("away")).unwrap();
                std::fs::write(folder, "not a folder").unwrap();
            }
            Self::Catalog(wire, _) => {
                wire.lead_to(0);
                wire.cut();
            }
        }
    }

    fn open(&self) {
        match self {
            Self::Folder(folder) => {
                std::fs::remove_file(folder).unwrap();
                std::fs::rename(folder.with_extension("away"), folder).unwrap();
            }
            Self::Catalog(wire, port) => wire.lead_to(*port),
        }
    }
}

/// Answers of queries: whole ones, and the texts of those that said that they can't be.
#[derive(Debug, Default)]
struct Answers {
    whole: u64,
    refused: Vec<String>,
}

impl Answers {
    fn all(&self) -> u64 {
        self.whole + self.refused.len() as u64
    }
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
async fn outage(backend: Backend, stores: String, way: Way) {
    let backend = Arc::new(backend);
    let mut processes = Vec::new();
    for role in [Role::Ingest, Role::Shift, Role::Query, Role::TablesOnly] {
        processes.push(Replica::with_stores(role, 0, &backend, stores.clone()).await);
        processes.last().unwrap().start();
    }
    for process in &processes {
        process.ready().await;
    }
    let [ingest, shift, query, tables_only] = &processes[..] else { panic!("four processes") };
    let sender = Sender::new(0, &backend, std::slice::from_ref(ingest));
    sender.start();
    acknowledges(&sender, ingest, REQUESTS).await;
    shifts(tables_only, shift, &sender, |rows| rows > 0).await;
    let mut answers = Answers::default();
    ask_for_the_newest(query, &sender, &mut answers).await;
    assert_eq!(answers.whole, 1, "{answers:?}");

    way.close();
    let mut answers = Answers::default();
    let goal = sender.acknowledged().len() as u64 + REQUESTS;
    let asked = async {
        while (sender.acknowledged().len() as u64) < goal || answers.all() < QUERIES {
            ask_for_the_newest(query, &sender, &mut answers).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = timeout(PATIENCE, asked).await;
    assert!(in_time.is_ok(), "requests aren't acknowledged, or queries not answered: {answers:?}\n{}", ingest.log());
    processes.iter().for_each(|process| process.check_runs());
    assert!(answers.refused.iter().all(|why| why.starts_with('5') || why.starts_with("with warnings")), "{answers:?}");

    // An ingest process that has to start now does so: what it takes in has nothing to do with the tables. Folders that a
    // configuration names have to be there at a start.
    if matches!(way, Way::Catalog(..)) {
        ingest.kill();
        ingest.start();
        acknowledges(&sender, ingest, REQUESTS).await;
    }

    way.open();
    acknowledges(&sender, ingest, REQUESTS).await;
    tokio::task::block_in_place(|| sender.stop());
    let found = settled(query, &sender).await;
    shifts(tables_only, shift, &sender, |rows| rows == found).await;
    assert_eq!(settled(query, &sender).await, found);
    eprintln!(
        "tables away: {} requests acknowledged, {} answers were whole, {} said that they can't be: {:?}",
        sender.acknowledged().len(),
        answers.whole,
        answers.refused.len(),
        answers.refused.first(),
    );
    tokio::task::block_in_place(|| processes.iter().for_each(|process| process.stop()));
}

/// Waits until the tables hold as many rows of the client as wanted.
async fn shifts(tables_only: &Replica, shift: &Replica, sender: &Sender, wanted: impl Fn(u64) -> bool) {
    let started = Instant::now();
    loop {
        let rows = insist(tables_only, || rows(tables_only, &sender.tenant)).await;
        if wanted(rows) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{rows} rows were shifted: {}", shift.log());
        sleep(Duration::from_millis(500)).await;
    }
}

/// The rows of a client that has stopped; none is lost or doubled.
async fn settled(query: &Replica, sender: &Sender) -> u64 {
    let findings = audit_all(query, sender).await;
    findings.assert_none("after the tables came back");
    findings.found
}

const NAME: &str = "while the tables are away";

#[tokio::test(flavor = "multi_thread")]
async fn while_the_tables_are_away_ingest_goes_on_no_answer_is_short_and_the_shift_catches_up() {
    let Some(backend) = Backend::files(NAME) else { return };
    let (stores, way) = (backend.stores().to_owned(), Way::Folder(backend.folder().join("warehouse")));
    outage(backend, stores, way).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_catalogs_server_is_down_ingest_goes_on_no_answer_is_short_and_the_shift_catches_up() {
    let Some(backend) = Backend::minio_and_nessie(NAME) else { return };
    let uri = backend.tables()["uri"].as_str().unwrap();
    let server = uri.split('/').nth(2).unwrap();
    let port = server.rsplit(':').next().unwrap().parse().unwrap();
    let wire = Wire::new().await;
    wire.lead_to(port);
    let stores = backend.stores().replace(server, &format!("127.0.0.1:{}", wire.port));
    outage(backend, stores, Way::Catalog(wire, port)).await;
}
