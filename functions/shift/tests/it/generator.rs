//! Metrics of spans, where the configuration asks for them.

use std::sync::Arc;
use std::time::Duration;

use icegate_function_host::events::Handler;
use icegate_model::{Clock, Signal, Table, Timestamp};
use icegate_testkit::ManualClock;

use crate::queue::{Queue, event, failed, notification};
use crate::world::{TENANT, World, span};

const LONG: Duration = Duration::from_secs(600);

/// The names of the metrics that are there after two requests of one span each have woken the function.
async fn made(config: &str) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_secs(1_767_225_600)));
    let world = World::in_memory(clock, config).await;
    let mut queue = Queue::default();
    world.send(Signal::Traces, &span("a", 1)).await;
    world.send(Signal::Traces, &span("b", 2)).await;
    queue.send(notification(&world.keys(Table::Spans).await));
    let (shift, _) = world.environment(|store| store).await;
    let reply = shift.handle(event(&queue.receive(10)), &world.invocation(LONG)).await.unwrap();
    assert_eq!((failed(&reply).len(), world.rows(Table::Spans).await), (0, 2));
    world.column(Table::Metrics, "metric_name").await
}

#[tokio::test]
async fn metrics_are_made_of_the_spans_of_tenants_that_ask_for_them_and_of_no_others() {
    let spans = ["traces_spanmetrics_calls_total", "traces_spanmetrics_latency", "traces_spanmetrics_size_total"];
    // Two operations.
    let spans: Vec<_> = spans.iter().flat_map(|name| [(*name).to_owned(), (*name).to_owned()]).collect();
    assert_eq!(
        made(&format!("metrics_generator: {{ overrides: {{ {TENANT}: {{ processors: [span-metrics] }} }} }}")).await,
        spans
    );
    assert_eq!(made("metrics_generator: { overrides: { other: { processors: [span-metrics] } } }").await, [""; 0]);
    assert_eq!(made("").await, [""; 0]);
}
