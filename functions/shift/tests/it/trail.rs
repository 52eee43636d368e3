//! One OTLP request, followed by its id from the receiver into a snapshot.

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::{Clock, Signal, Table, Timestamp};
use icegate_testkit::ManualClock;
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

use crate::lines::Lines;
use crate::world::{World, log};

#[tokio::test]
async fn the_id_of_a_request_leads_to_its_segment_its_snapshot_and_its_ledger() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(1_767_225_600)));
    let world = World::in_memory(clock, "").await;
    let (lines, guard) = Lines::start();
    world.send(Signal::Logs, &log("another")).await;
    world.send(Signal::Logs, &log("followed")).await;
    let (shift, _) = world.environment(|store| store).await;
    shift.handle(json!({}), &world.invocation(Duration::from_secs(600))).await.unwrap();
    drop(guard);

    // The receiver's line: from the request to its segment.
    let durable = lines.of("request is durable").pop().unwrap();
    let (request, segment) = (durable["request"].as_str().unwrap(), durable["segment"].as_str().unwrap());
    assert_eq!(request.len(), 32);
    assert_eq!(segment.split('.').nth(1), Some(request), "a request alone names its segment");
    assert!(world.keys(Table::Logs).await.iter().any(|key| key.ends_with(segment)), "{segment}");

    // The shift's line: from the segment, or the request, to the snapshot.
    let shifted = lines.of("segment is in the table");
    let shifted = shifted.iter().find(|line| line["segment"] == segment).unwrap();
    assert_eq!((&shifted["requests"], &shifted["table"]), (&json!(request), &json!("logs")));

    // The snapshot's summary names the ledger, which names both.
    let snapshot = world.tables.snapshot(Table::Logs).await.unwrap();
    assert_eq!(shifted["snapshot"], json!(snapshot.id().unwrap()));
    let read = async |url: &str| -> Value {
        let path = snapshot.root().path_of_url(url).unwrap();
        serde_json::from_slice(&snapshot.root().store.get(&path).await.unwrap().bytes().await.unwrap()).unwrap()
    };
    let metadata = read(snapshot.metadata_location()).await;
    let found = metadata["snapshots"].as_array().unwrap().iter().find(|found| found["snapshot-id"] == shifted["snapshot"]);
    let ledger = read(found.unwrap()["summary"]["icegate.ledger"].as_str().unwrap()).await;
    for (list, name) in [("segments", segment), ("requests", request)] {
        assert!(ledger[list].as_array().unwrap().contains(&json!(name)), "{ledger}");
    }
}
