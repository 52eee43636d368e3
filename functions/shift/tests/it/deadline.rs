//! A pass that can't finish stops in time.

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::{Clock, Signal, Table, Timestamp};
use icegate_testkit::{FaultyStore, ManualClock};
use serde_json::json;
use tokio::time::Instant;

use crate::network::Between;
use crate::queue::{Queue, event, failed, notification};
use crate::world::{World, log};

const TIME: Duration = Duration::from_secs(60);
const SEGMENTS: usize = 12;

async fn world() -> (World, Vec<String>) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(1_767_225_600)));
    // A pass takes two segments.
    let world = World::in_memory(clock, "shift: { read: { max_record_batches_per_task: 2 } }").await;
    let mut rows = Vec::new();
    for number in 0..SEGMENTS {
        rows.push(format!("row {number:02}"));
        world.send(Signal::Logs, &log(&rows[number])).await;
    }
    (world, rows)
}

#[tokio::test(start_paused = true)]
async fn a_round_over_a_slow_store_ends_before_the_deadline_says_what_is_left_and_the_next_goes_on() {
    let (world, rows) = world().await;
    let slow = Arc::new(Between { delay: Duration::from_millis(700), ..Between::new(1) });
    let (shift, _) = world.environment(move |store| Arc::new(FaultyStore::new(store, Arc::clone(&slow) as Arc<_>))).await;
    let began = Instant::now();
    let mut queue = Queue::default();
    queue.send(notification(&world.keys(Table::Logs).await));
    let reply = shift.handle(event(&queue.receive(1)), &world.invocation(TIME)).await.unwrap();
    assert!(began.elapsed() < TIME, "{:?}", began.elapsed());
    assert_eq!(failed(&reply), [""; 0], "what is left is the schedule's");
    let some = world.rows(Table::Logs).await;
    assert!(0 < some && some < SEGMENTS as u64, "{some} rows");

    let (shift, _) = world.environment(|store| store).await;
    let report = shift.handle(json!({}), &world.invocation(TIME)).await.unwrap();
    assert_eq!((&report["tables"][0]["left"], &report["tables"][0]["end"]), (&json!(0), &json!("done")), "{report}");
    assert_eq!(world.column(Table::Logs, "body").await, rows);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_is_never_answered_is_given_up_before_the_deadline_and_its_messages_are_kept() {
    let (world, rows) = world().await;
    for silent in ["warehouse/icegate/logs/data", "warehouse/icegate/logs/metadata", "queue/logs"] {
        let network = Arc::new(Between { silent: Some(silent), ..Between::new(1) });
        let (shift, _) = world.environment(move |store| Arc::new(FaultyStore::new(store, Arc::clone(&network) as Arc<_>))).await;
        let mut queue = Queue::default();
        let id = queue.send(notification(&world.keys(Table::Logs).await));
        let began = Instant::now();
        let reply = shift.handle(event(&queue.receive(1)), &world.invocation(TIME)).await.unwrap();
        assert!(began.elapsed() < TIME, "{silent}: {:?}", began.elapsed());
        assert_eq!(failed(&reply), [id], "{silent}");
    }
    // Nobody waits for a lease of those that were given up.
    let (shift, _) = world.environment(|store| store).await;
    shift.handle(json!({}), &world.invocation(TIME)).await.unwrap();
    assert_eq!(world.column(Table::Logs, "body").await, rows);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_without_time_begins_nothing() {
    let (world, _) = world().await;
    let (shift, _) = world.environment(|store| store).await;
    let error = shift.handle(json!({}), &world.invocation(Duration::ZERO)).await.unwrap_err();
    assert!(error.to_string().contains("the time is up"), "{error}");
    assert_eq!(world.rows(Table::Logs).await, 0);
}
