//! One bad message is the failure of that message alone.

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::{Clock, Signal, Table, Timestamp};
use icegate_testkit::{FaultyStore, ManualClock};
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};

use crate::lines::Lines;
use crate::network::Between;
use crate::queue::{Queue, event, failed, notification};
use crate::world::{World, log, span};

const LONG: Duration = Duration::from_secs(600);

async fn world() -> World {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(1_767_225_600)));
    World::in_memory(clock, "").await
}

#[tokio::test]
async fn bad_messages_are_named_and_logged_without_what_they_hold_and_the_rest_is_shifted() {
    let world = world().await;
    world.send(Signal::Logs, &log("good")).await;
    let good = notification(&world.keys(Table::Logs).await);
    let mut queue = Queue::default();
    let mut bad = Vec::new();
    bad.push(queue.send(&good[..good.len() / 2]));
    queue.send(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#);
    bad.push(queue.send("hunter2"));
    bad.push(queue.send(good.replace("\"2.1\"", "\"3.0\"")));
    bad.push(queue.send(format!("{{\"Records\":[],\"pad\":\"{}\"}}", "hunter2".repeat(50_000))));
    bad.push(queue.send(json!({"hunter2": true})));
    bad.push(queue.send(r#"{"Records":[{"eventVersion":"2.1","eventName":"ObjectCreated:Put","s3":{"hunter2":1}}]}"#));
    queue.send(good);
    let batch = queue.receive(10);

    let (shift, registry) = world.environment(|store| store).await;
    let (lines, guard) = Lines::start();
    let reply = shift.handle(event(&batch), &world.invocation(LONG)).await.unwrap();
    drop(guard);

    let mut named = failed(&reply);
    named.sort();
    assert_eq!(named, bad);
    assert_eq!(world.column(Table::Logs, "body").await, ["good"]);
    let logged = lines.of("message can't be read, it is left to the queue");
    let ids: Vec<_> = logged.iter().map(|line| line["message_id"].as_str().unwrap()).collect();
    assert_eq!(ids, bad);
    assert!(logged.iter().all(|line| line["receives"] == 1 && line["error"].is_string()), "{logged:?}");
    assert!(!lines.text().contains("hunter2"), "{}", lines.text());
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(text.contains(&format!("icegate_shift_bad_messages_total {}", bad.len())), "{text}");
}

#[tokio::test]
async fn objects_that_are_no_segments_of_this_wal_and_removals_are_done_with() {
    let world = world().await;
    let mut queue = Queue::default();
    queue.send(notification(&["jobs/leases/logs/1.json".to_owned(), "elsewhere".to_owned()]));
    queue.send(notification(&["logs/1.parquet".to_owned()]).replace("ObjectCreated:Put", "ObjectRemoved:Delete"));
    let (shift, registry) = world.environment(|store| store).await;
    let reply = shift.handle(event(&queue.receive(10)), &world.invocation(LONG)).await.unwrap();
    assert_eq!(failed(&reply), [""; 0]);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("icegate_storage_requests_total{operation=\"list\"} 0"), "nobody was woken: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_table_whose_storage_fails_fails_the_messages_that_woke_it_and_no_others() {
    let world = world().await;
    world.send(Signal::Logs, &log("a")).await;
    world.send(Signal::Traces, &span("b", 1)).await;
    let (logs, spans) = (world.keys(Table::Logs).await, world.keys(Table::Spans).await);
    let mut queue = Queue::default();
    let of_logs = queue.send(notification(&logs));
    let of_spans = queue.send(notification(&spans));
    let of_both = queue.send(notification(&[logs, spans].concat()));
    let batch = queue.receive(10);

    let broken = Arc::new(Between { broken: Some("warehouse/icegate/spans"), ..Between::new(1) });
    let (shift, _) = world.environment(move |store| Arc::new(FaultyStore::new(store, Arc::clone(&broken) as Arc<_>))).await;
    let reply = shift.handle(event(&batch), &world.invocation(LONG)).await.unwrap();
    assert_eq!(failed(&reply), [of_spans.clone(), of_both.clone()]);
    assert_eq!((world.rows(Table::Logs).await, world.rows(Table::Spans).await), (1, 0));
    queue.settle(batch, &reply);

    // The store works again when the queue hands them out the next time.
    let batch = queue.receive(10);
    assert!(batch.iter().all(|message| message.id != of_logs && message.receives == 2));
    let (shift, _) = world.environment(|store| store).await;
    let reply = shift.handle(event(&batch), &world.invocation(LONG)).await.unwrap();
    assert_eq!(failed(&reply), [""; 0]);
    assert_eq!((world.rows(Table::Logs).await, world.rows(Table::Spans).await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_whose_storage_fails_is_an_error_that_names_the_tables() {
    let world = world().await;
    world.send(Signal::Logs, &log("a")).await;
    let broken = Arc::new(Between { broken: Some("warehouse/icegate/logs"), ..Between::new(1) });
    let (shift, _) = world.environment(move |store| Arc::new(FaultyStore::new(store, Arc::clone(&broken) as Arc<_>))).await;
    let error = shift.handle(json!({}), &world.invocation(LONG)).await.unwrap_err().to_string();
    assert!(error.starts_with("logs: 0 segments with 0 rows"), "{error}");
    assert!(!error.contains("spans"), "{error}");
}

#[tokio::test]
async fn events_without_a_queue_between_and_of_event_bridge_wake_too() {
    let world = world().await;
    let (shift, _) = world.environment(|store| store).await;
    world.send(Signal::Logs, &log("a")).await;
    let direct: Value = serde_json::from_str(&notification(&world.keys(Table::Logs).await)).unwrap();
    let report = shift.handle(direct, &world.invocation(LONG)).await.unwrap();
    assert_eq!(report["tables"][0]["segments"], 1, "{report}");
    world.send(Signal::Traces, &span("b", 1)).await;
    let key = world.keys(Table::Spans).await.remove(0);
    let bridged = json!({"version": "0", "detail-type": "Object Created", "source": "aws.s3",
        "detail": {"version": "0", "bucket": {"name": "lake"}, "object": {"key": key}}});
    let report = shift.handle(bridged, &world.invocation(LONG)).await.unwrap();
    assert_eq!((&report["tables"][0]["table"], &report["tables"][0]["rows"]), (&json!("spans"), &json!(1)), "{report}");
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let world = world().await;
    let (shift, _) = world.environment(|store| store).await;
    let error = shift.handle(json!({"source": "aws.ec2"}), &world.invocation(LONG)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is not an event that this function handles: a batch of SQS, a notification of S3, a scheduled event or {} is expected"
    );
}
