//! SHIFT-1 through the handler: events repeated, lost and shuffled, a store that throttles, several environments at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::{Signal, Table};
use icegate_testkit::{Dice, FaultyStore};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::network::Between;
use crate::queue::{MAX_RECEIVES, Queue, event, notification};
use crate::world::{TENANT, World, log, span};

const EVENTS: usize = 1_000;
const REPEATED: usize = EVENTS / 10;
/// Half of them of segments that come when all other events are handled.
const LOST: usize = EVENTS / 20;
/// Requests of a thousand that the store refuses. Each pass makes dozens.
const THROTTLED: u32 = 15;
const ENVIRONMENTS: u64 = 4;
const BATCH: usize = 60;
const LONG: Duration = Duration::from_secs(15 * 60);
const BAD: [&str; 4] = ["{", "null", "{\"Records\":7}", "{\"Records\":[{\"eventVersion\":\"3.0\"}]}"];

/// What was sent.
struct Sent {
    logs: Vec<String>,
    spans: Vec<String>,
    requests: Vec<String>,
}

impl Sent {
    /// Every tenth request is one of traces.
    async fn send(&mut self, world: &World, number: usize) {
        let (signal, body) = if number.is_multiple_of(10) {
            self.spans.push(format!("span {number:04}"));
            (Signal::Traces, span(&format!("span {number:04}"), number as u64 + 1))
        } else {
            self.logs.push(format!("row {number:04}"));
            (Signal::Logs, log(&format!("row {number:04}")))
        };
        world.send(signal, &body).await;
        self.requests.push(body);
    }
}

fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for last in (1..items.len()).rev() {
        let other = dice.between(0, last as u64);
        items.swap(last, usize::try_from(other).unwrap());
    }
}

/// Requests of an environment that the store refused.
fn refused(registry: &Registry) -> u64 {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let counts = text.lines().filter(|line| line.starts_with("icegate_storage_errors_total{"));
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

/// Hands batches to an environment until the queue is empty and nobody has one; how often the store refused a request.
async fn work(world: &World, queue: &Mutex<Queue>, seed: u64) -> u64 {
    let (shift, registry) = world.environment(throttled(seed)).await;
    loop {
        let batch = queue.lock().unwrap().receive(BATCH);
        if batch.is_empty() {
            if queue.lock().unwrap().taken == 0 {
                return refused(&registry);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let reply = shift.handle(event(&batch), &world.invocation(LONG)).await.unwrap();
        queue.lock().unwrap().settle(batch, &reply);
    }
}

fn throttled(seed: u64) -> impl Fn(icegate_storage::Store) -> icegate_storage::Store + Send + Sync + 'static {
    move |store| Arc::new(FaultyStore::new(store, Arc::new(Between { throttled: THROTTLED, ..Between::new(seed) })))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_events_repeated_lost_and_shuffled_over_a_throttled_store_bring_every_row_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on_files(folder.path()).await;
    let mut sent = Sent { logs: Vec::new(), spans: Vec::new(), requests: Vec::new() };
    for number in 0..EVENTS - LOST / 2 {
        sent.send(&world, number).await;
    }
    let mut dice = Dice::new(20_260_101);
    let mut keys = [world.keys(Table::Logs).await, world.keys(Table::Spans).await].concat();
    assert_eq!(keys.len(), EVENTS - LOST / 2, "a segment for each request");
    shuffle(&mut keys, &mut dice);
    keys.truncate(EVENTS - LOST);
    keys.extend_from_within(..REPEATED);
    shuffle(&mut keys, &mut dice);

    let mut queue = Queue::default();
    let mut bad = BTreeSet::new();
    queue.send(json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}).to_string());
    let mut rest = keys.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(rest.len().min(usize::try_from(dice.between(1, 3)).unwrap()));
        queue.send(notification(some));
        rest = others;
    }
    for body in BAD {
        bad.insert(queue.send(body));
    }
    shuffle(queue.waiting.make_contiguous(), &mut dice);

    let queue = Mutex::new(queue);
    let refused: u64 =
        futures::future::join_all((0..ENVIRONMENTS).map(|seed| work(&world, &queue, seed))).await.into_iter().sum();
    assert!(refused > 0, "the store throttles");
    let queue = queue.into_inner().unwrap();
    let parked: BTreeSet<_> = queue.dead.iter().map(|message| message.id.clone()).collect();
    assert_eq!(parked, bad, "the bad ones are parked and no other one");
    assert!(queue.dead.iter().all(|message| message.receives == MAX_RECEIVES));

    for number in EVENTS - LOST / 2..EVENTS {
        sent.send(&world, number).await;
    }
    let before = world.rows(Table::Logs).await + world.rows(Table::Spans).await;
    assert!(before <= (EVENTS - LOST / 2) as u64, "nobody was woken for the last ones");
    let schedules = (0..ENVIRONMENTS).map(|seed| schedule(&world, 100 + seed));
    futures::future::join_all(schedules).await;

    sent.logs.sort();
    sent.spans.sort();
    assert_eq!(world.column(Table::Logs, "body").await, sent.logs);
    assert_eq!(world.column(Table::Spans, "name").await, sent.spans);
    audited(folder.path(), &sent.requests);
}

/// As a schedule does: again and again, whatever became of the one before.
async fn schedule(world: &World, seed: u64) {
    let (shift, _) = world.environment(throttled(seed)).await;
    for _ in 0..MAX_RECEIVES {
        let round =
            shift.handle(json!({"source": "aws.scheduler", "detail-type": "Scheduled Event"}), &world.invocation(LONG)).await;
        if round.is_ok_and(|report| report["tables"].as_array().unwrap().iter().all(|table| table["end"] == "done")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// `DuckDB` and `PyIceberg` read the rows that were sent, and no others.
fn audited(folder: &Path, requests: &[String]) {
    let Ok(python) = std::env::var("ICEGATE_PYTHON") else {
        eprintln!(
            "skipped the audit by DuckDB and PyIceberg: ICEGATE_PYTHON does not name a Python with local/tests/it/python/requirements.txt installed"
        );
        return;
    };
    let sent = folder.join("sent.jsonl");
    std::fs::write(&sent, requests.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../local/tests/it/python/audit.py");
    let output = Command::new(python).arg(script).arg(folder.join("warehouse")).arg(TENANT).arg(sent).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&rows["logs"], &rows["spans"]), (&json!(EVENTS - EVENTS / 10), &json!(EVENTS / 10)));
}
