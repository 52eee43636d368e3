//! The handler on tables in memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use icegate_function_host::events::{Deadline, Handler, Invocation};
use icegate_function_maintain::Maintain;
use icegate_lake::{Lake, Surroundings};
use icegate_model::{Clock, Timestamp};
use icegate_runtime::Config;
use icegate_storage::Store;
use icegate_testkit::{Call, ClockedStore, Fate, FaultyStore, ManualClock, Network, Trouble, When};
use object_store::memory::InMemory;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A store that is slow, and down for one table.
#[derive(Debug, Default)]
struct Slow {
    delay: Duration,
    broken: Option<&'static str>,
}

#[async_trait]
impl Network for Slow {
    async fn request(&self, call: &Call) -> Fate {
        tokio::time::sleep(self.delay).await;
        let broken = self.broken.is_some_and(|piece| call.path.as_ref().contains(piece));
        Fate { trouble: broken.then_some((When::Before, Trouble::Internal)), truncated: false }
    }

    async fn reply(&self, _: &Call, _: Fate, _: Option<Result<(), &object_store::Error>>) {}
}

const NOW: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Maintains migrated tables over a network.
async fn environment(slow: Slow) -> Maintain {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let store: Store = Arc::new(ClockedStore::new(Arc::new(InMemory::new()), Arc::clone(&clock)));
    let config = Config::from_yaml("storage: { backend: memory }", Path::new("data")).unwrap();
    let surroundings = |wrap: Arc<dyn Fn(Store) -> Store + Send + Sync>| {
        let (clock, store) = (Arc::clone(&clock), Arc::clone(&store));
        Surroundings::default().with_clock(clock).with_wrap(move |_| wrap(Arc::clone(&store)))
    };
    let lake = Lake::open_in(config.clone(), surroundings(Arc::new(|store| store)), &mut Registry::default()).unwrap();
    lake.tables().unwrap().migrate_create(false).await.unwrap();
    let network: Arc<dyn Network> = Arc::new(slow);
    let wrap = move |store| -> Store { Arc::new(FaultyStore::new(store, Arc::clone(&network))) };
    Maintain::open_in(config, surroundings(Arc::new(wrap)), &mut Registry::default()).await.unwrap()
}

fn invocation(time: Duration) -> Invocation {
    let millis = u64::try_from((NOW + time).millis()).unwrap();
    Invocation { request_id: "invocation".to_owned(), deadline: Deadline::from_millis(millis) }
}

const LONG: Duration = Duration::from_secs(900);

#[tokio::test]
async fn a_schedule_looks_after_every_table() {
    let maintain = environment(Slow::default()).await;
    let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"});
    let reply = maintain.handle(event, &invocation(LONG)).await.unwrap();
    let tables: Vec<_> = reply["tables"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(tables.len(), 4, "{reply}");
    assert_eq!(reply["left"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_run_over_a_slow_store_ends_before_the_deadline_and_names_the_tables_that_are_left() {
    // How long one table takes.
    let maintain = environment(Slow { delay: Duration::from_secs(1), broken: None }).await;
    let began = Instant::now();
    maintain.handle(json!({}), &invocation(LONG)).await.unwrap();
    let all = began.elapsed();

    let maintain = environment(Slow { delay: Duration::from_secs(1), broken: None }).await;
    let (began, time) = (Instant::now(), all / 2 + Duration::from_secs(3));
    let reply = maintain.handle(json!({}), &invocation(time)).await.unwrap();
    assert!(began.elapsed() < time, "{:?}", began.elapsed());
    let (done, left) = (reply["tables"].as_object().unwrap().len(), reply["left"].as_array().unwrap().len());
    assert!(done > 0 && left > 0 && done + left == 4, "{reply}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_time_for_no_table_fails() {
    let maintain = environment(Slow { delay: Duration::from_secs(60), broken: None }).await;
    let error = maintain.handle(json!({}), &invocation(Duration::from_secs(20))).await.unwrap_err();
    assert_eq!(error.to_string(), "the time is up before any table is done");
}

#[tokio::test]
async fn a_table_that_fails_fails_the_run_by_name_after_the_others_are_done() {
    let maintain = environment(Slow { delay: Duration::ZERO, broken: Some("icegate/spans") }).await;
    let error = maintain.handle(json!({}), &invocation(LONG)).await.unwrap_err().to_string();
    assert!(error.starts_with("spans: ") && !error.contains("logs: "), "{error}");
}

#[tokio::test]
async fn only_a_schedule_or_an_empty_object_starts_it() {
    let maintain = environment(Slow::default()).await;
    for event in [json!({"dry_run": true}), json!({"Records": [{"eventSource": "aws:sqs", "messageId": "1"}]}), Value::Null] {
        assert!(maintain.handle(event.clone(), &invocation(LONG)).await.is_err(), "{event}");
    }
}
