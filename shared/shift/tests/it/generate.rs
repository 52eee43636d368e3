//! Metrics of spans, through segments and the table, each span once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use icegate_generator::{Options, Processors, ServiceGraphs, SpanMetrics, State};
use icegate_maintain::{MaintainConfig, Maintainer};
use icegate_model::{Clock, Signal, Table};
use icegate_otlp::{Encoding, Limits, Origin, decode};
use icegate_shift::{Metrics, Pass, Shifter};
use icegate_tables::Retention;
use icegate_testkit::{Operation, Script};
use object_store::ObjectStoreExt;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind::{Client, Server};

use crate::lake::{GRACE, Lake, START};
use crate::recorded_set::recorded;
use crate::series::{Series, same, series, value};
use crate::written::{Written, both, owner, part, span};

pub(crate) const CALLS: &str = "traces_spanmetrics_calls_total";
const REQUESTS: &str = "traces_service_graph_request_total";
/// The default of a shift.
const INTERVAL: Duration = Duration::from_secs(30);
/// A second more than a half waits: the store's time is told with what passed since it was asked.
const WAIT: Duration = Duration::from_secs(11);

pub(crate) fn rows(spans: &[Written]) -> arrow::array::RecordBatch {
    part(&owner("t", None), spans).rows
}

/// All calls that were counted.
pub(crate) fn calls(series: &Series) -> f64 {
    series.iter().filter(|(labels, _)| labels["__name__"] == CALLS).map(|(_, value)| value).sum()
}

/// A client and its server, in one request each.
pub(crate) fn pair(number: u64) -> [Written; 2] {
    let (id, trace) = (number * 2 + 1, u128::from(number) + 1);
    [
        span("shop", Client, id, 999).trace(trace).millis(0, number),
        span("cart", Server, id + 1, id).trace(trace).millis(0, number),
    ]
}

async fn pass(shifter: &Shifter) -> Pass {
    shifter.pass(Table::Spans).await.unwrap()
}

/// Passes until nothing is left.
async fn pass_all(shifter: &Shifter) {
    while pass(shifter).await.left > 0 {}
}

async fn found(lake: &Lake) -> Series {
    series(&lake.metrics().await)
}

#[tokio::test]
async fn the_recorded_set_has_the_recorded_series_whoever_counts_it_in_however_many_passes() {
    let Some(recorded) = recorded() else { return };
    let lake = Lake::new().await;
    let shifters = [(2, 7), (3, 11)].map(|(seed, groups)| lake.generating(&lake.root, seed, groups, both()));
    let origin = Origin { tenant: "t".parse().unwrap(), account: None, ingested: START };
    for (number, request) in recorded.requests.iter().enumerate() {
        let rows = decode(Signal::Traces, Encoding::Json, request.as_bytes(), &origin, &Limits::default()).unwrap();
        let batch = rows.batches.into_iter().next().unwrap().1;
        // Every third request is sent twice.
        let id = number as u128 + 1;
        lake.write_spans([(id, "t", batch.clone())]).await;
        if number % 3 == 0 {
            lake.write_spans([(id, "t", batch)]).await;
        }
        if number % 5 == 4 {
            pass(&shifters[number % 2]).await;
        }
    }
    while pass(&shifters[0]).await.left + pass(&shifters[1]).await.left > 0 {}
    lake.clock.advance(WAIT);
    pass(&shifters[1]).await;
    let found = found(&lake).await;
    assert_eq!((found.len(), calls(&found)), (3305, 9017.0));
    assert_eq!(same(&found, &recorded.series), Ok(()));
    assert_eq!(lake.tables.snapshot(Table::Spans).await.unwrap().total_rows(), 9017);
}

#[tokio::test]
async fn a_pass_counts_the_spans_that_it_shifts_and_the_next_counts_nothing() {
    let lake = Lake::new().await;
    let shifter = lake.generating(&lake.root, 2, 1024, both());
    lake.write_spans([(1, "t", rows(&pair(0))), (2, "t", rows(&pair(1)))]).await;
    let first = pass(&shifter).await;
    assert_eq!((first.segments, first.left, first.generated.is_some()), (2, 0, true));
    assert_eq!(pass(&shifter).await, Pass::default());
    let found = found(&lake).await;
    assert_eq!((calls(&found), value(&found, REQUESTS, &[("client", "shop"), ("server", "cart")])), (4.0, 2.0));
}

#[tokio::test]
async fn halves_meet_across_segments_passes_and_shifters_and_wait_no_longer_than_they_shall() {
    let lake = Lake::new().await;
    let [client, server] = pair(0);
    let [late_client, late_server] = pair(1);
    let virtual_client = span("shop", Client, 77, 1).trace(9).with("peer.service", "bank");
    lake.write_spans([(1, "t", rows(&[client, late_client, virtual_client]))]).await;
    pass_all(&lake.generating(&lake.root, 2, 1024, both())).await;
    lake.clock.advance(WAIT - Duration::from_secs(3));
    lake.write_spans([(2, "t", rows(&[server]))]).await;
    pass_all(&lake.generating(&lake.root, 3, 1024, both())).await;
    // No span comes, and what has waited in vain is told all the same.
    lake.clock.advance(Duration::from_secs(3));
    let pass_alone = pass(&lake.generating(&lake.root, 4, 1024, both())).await;
    assert_eq!((pass_alone.segments, pass_alone.generated.unwrap().rows_added), (0, 3));
    lake.write_spans([(3, "t", rows(&[late_server]))]).await;
    pass_all(&lake.generating(&lake.root, 5, 1024, both())).await;
    let found = found(&lake).await;
    assert_eq!(value(&found, REQUESTS, &[("client", "shop"), ("server", "cart")]), 1.0);
    assert_eq!(value(&found, REQUESTS, &[("client", "shop"), ("server", "bank"), ("connection_type", "virtual_node")]), 1.0);
    assert_eq!(calls(&found), 5.0);
}

#[tokio::test]
async fn of_two_passes_that_make_different_things_of_the_same_half_one_counts() {
    let lake = Lake::new().await;
    let [client, server] = pair(0);
    lake.write_spans([(1, "t", rows(&[client.with("peer.service", "bank")]))]).await;
    pass_all(&lake.generating(&lake.root, 2, 1024, both())).await;
    lake.clock.advance(WAIT);
    // One shifter sees no spans and lets the half expire. Its swap is under way when the other half comes and another shifter counts it.
    let network = Script::new();
    network.hold(Operation::Create);
    let slow = lake.generating(&lake.root.with_store(network.before(Arc::clone(&lake.root.store))), 3, 1024, both());
    let slow = tokio::spawn(async move { slow.pass(Table::Spans).await.unwrap() });
    while network.asked(Operation::Create).is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    lake.write_spans([(2, "t", rows(&[server]))]).await;
    assert!(pass(&lake.generating(&lake.root, 4, 1024, both())).await.generated.is_some());
    network.let_through(10);
    assert_eq!(slow.await.unwrap().generated, None);
    let found = found(&lake).await;
    assert_eq!(value(&found, REQUESTS, &[("client", "shop"), ("server", "cart")]), 1.0);
    assert_eq!(found.keys().filter(|labels| labels["__name__"] == REQUESTS).count(), 1);
}

#[tokio::test]
async fn a_running_shifter_expires_what_waits_an_interval_after_the_wait() {
    let lake = Lake::new().await;
    let shifter = Arc::new(lake.generating(&lake.root, 2, 1024, both()));
    pass(&shifter).await;
    lake.write_spans([(1, "t", rows(&[span("shop", Client, 1, 2).with("peer.service", "bank")]))]).await;
    lake.clock.advance(INTERVAL);
    let stop = tokio_util::sync::CancellationToken::new();
    let labels = [("client", "shop"), ("server", "bank"), ("connection_type", "virtual_node")];
    tokio::join!(shifter.run(stop.clone()), async {
        while calls(&found(&lake).await) < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(value(&found(&lake).await, REQUESTS, &labels), 0.0);
        lake.clock.advance(WAIT + INTERVAL);
        while value(&found(&lake).await, REQUESTS, &labels) < 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shifters_side_by_side_count_each_span_once() {
    const PAIRS: u64 = 12;
    let lake = Arc::new(Lake::new().await);
    pass(&lake.generating(&lake.root, 2, 1, both())).await;
    // The halves of a pair are far apart.
    let halves = [0, 1].into_iter().flat_map(|side| (0..PAIRS).map(move |number| (side, number)));
    let requests = halves.map(|(side, number)| (u128::from(number * 2) + side as u128 + 1, pair(number)[side].clone()));
    lake.write_spans(requests.map(|(id, half)| (id, "t", rows(&[half])))).await;
    let work = (0..5_u64).map(|number| {
        let lake = Arc::clone(&lake);
        tokio::spawn(async move {
            let shifter = lake.generating(&lake.root, 10 + number, 1 + number as usize, both());
            while calls(&found(&lake).await) < (PAIRS * 2) as f64 {
                pass(&shifter).await;
                tokio::task::yield_now().await;
            }
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    let found = found(&lake).await;
    assert_eq!(calls(&found), (PAIRS * 2) as f64);
    assert_eq!(value(&found, REQUESTS, &[("client", "shop"), ("server", "cart")]), PAIRS as f64);
    let state = lake.tables.snapshot(Table::Metrics).await.unwrap();
    let state = State::from_json(&lake.tables.state_of(&state).await.unwrap().unwrap()).unwrap();
    assert!(state.halves().is_empty());
}

#[tokio::test]
async fn a_segment_is_not_deleted_before_it_is_counted() {
    let lake = Lake::new().await;
    let shifter = lake.generating(&lake.root, 2, 1024, both());
    pass(&shifter).await;
    lake.write_spans([(1, "t", rows(&pair(0)))]).await;
    // One that nobody has told of metrics shifts it.
    assert_eq!(pass(&lake.shifter(3, 1024)).await.segments, 1);
    lake.clock.advance(GRACE);
    let counting = pass(&shifter).await;
    assert_eq!((counting.segments, counting.deleted, counting.generated.is_some()), (0, 0, true));
    assert_eq!(lake.segments_of(Table::Spans).await, 1);
    assert_eq!(pass(&shifter).await.deleted, 1);
    assert_eq!((lake.segments_of(Table::Spans).await, calls(&found(&lake).await)), (0, 2.0));
}

#[tokio::test]
async fn spans_of_the_time_before_it_was_asked_for_and_of_others_are_not_counted() {
    let lake = Lake::new().await;
    lake.write_spans([(1, "t", rows(&pair(0)))]).await;
    lake.clock.advance(INTERVAL);
    lake.write_spans([(2, "t", rows(&pair(1)))]).await;
    let on = Processors { span_metrics: Some(SpanMetrics::default()), ..Processors::default() };
    let only = |tenants: &[&str]| Options {
        tenants: tenants.iter().map(|tenant| (tenant.parse().unwrap(), on.clone())).collect::<BTreeMap<_, _>>(),
        ..Options::default()
    };
    pass_all(&lake.generating(&lake.root, 2, 1024, only(&["t"]))).await;
    assert_eq!(calls(&found(&lake).await), 2.0);
    let others = part(&owner("u", None), &pair(2)).rows;
    lake.write_spans([(3, "u", others.clone())]).await;
    pass_all(&lake.generating(&lake.root, 3, 1024, only(&["t"]))).await;
    assert_eq!(calls(&found(&lake).await), 2.0);
    // Another tenant asks for it later, and what it sent long before is not counted.
    lake.clock.advance(INTERVAL + Duration::from_secs(1));
    pass_all(&lake.generating(&lake.root, 4, 1024, only(&["t", "u"]))).await;
    assert_eq!(calls(&found(&lake).await), 2.0);
    lake.write_spans([(4, "u", others)]).await;
    pass_all(&lake.generating(&lake.root, 5, 1024, only(&["t", "u"]))).await;
    assert_eq!(calls(&found(&lake).await), 4.0);
    // What nobody counts keeps no segment.
    lake.clock.advance(GRACE);
    assert_eq!(pass(&lake.generating(&lake.root, 6, 1024, only(&["t", "u"]))).await.deleted, 4);
}

#[tokio::test]
async fn a_bound_on_what_waits_is_counted() {
    let lake = Lake::new().await;
    let graphs = ServiceGraphs { max_items: 2, ..ServiceGraphs::default() };
    let options =
        Options { defaults: Processors { service_graphs: Some(graphs), ..Processors::default() }, ..Options::default() };
    let mut registry = prometheus_client::registry::Registry::default();
    let shifter = lake.shifter_with(Metrics::register(&mut registry), 2).with_generator(options);
    let clients: Vec<_> = (0..5).map(|number| pair(number)[0].clone()).collect();
    lake.write_spans([(1, "t", rows(&clients))]).await;
    pass_all(&shifter).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in ["generator_dropped_halves_total 3", "generator_waiting_halves 2", "generator_spans_total 5"] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn what_waits_may_be_lost_and_every_span_is_counted_once_all_the_same() {
    let lake = Lake::new().await;
    lake.write_spans([(1, "t", rows(&pair(0)[..1]))]).await;
    pass_all(&lake.generating(&lake.root, 2, 1024, both())).await;
    // Long enough before the loss that who began anew would leave it out.
    lake.write_spans([(2, "t", rows(&pair(1)))]).await;
    lake.clock.advance(INTERVAL * 2);
    for state in states(&lake).await {
        lake.root.store.delete(&state).await.unwrap();
    }
    let mut registry = prometheus_client::registry::Registry::default();
    let shifter = lake.shifter_with(Metrics::register(&mut registry), 3).with_generator(both());
    pass_all(&shifter).await;
    pass_all(&lake.generating(&lake.root, 4, 1024, both())).await;
    assert_eq!(calls(&found(&lake).await), 3.0);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("generator_lost_states_total 1"), "{text}");
}

#[tokio::test]
async fn spans_are_shifted_and_kept_where_no_metrics_can_be_made_of_them() {
    let lake = Lake::new().await;
    lake.write_spans([(1, "t", rows(&pair(0)[..1]))]).await;
    pass_all(&lake.generating(&lake.root, 2, 1024, both())).await;
    for state in states(&lake).await {
        lake.root.store.put(&state, "gibberish".into()).await.unwrap();
    }
    lake.write_spans([(2, "t", rows(&pair(1)))]).await;
    let shifter = lake.generating(&lake.root, 3, 1024, both());
    let error = shifter.pass(Table::Spans).await.unwrap_err();
    assert!(error.to_string().starts_with("the generator's state can't be read"), "{error}");
    assert_eq!(lake.tables.snapshot(Table::Spans).await.unwrap().total_rows(), 3);
    // Nothing is deleted of which it isn't known whether it is counted.
    lake.clock.advance(GRACE);
    shifter.pass(Table::Spans).await.unwrap_err();
    assert_eq!(lake.segments_of(Table::Spans).await, 2);
}

#[tokio::test]
async fn what_was_counted_stays_known_and_what_waits_stays_whatever_maintenance_removes() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let lake = Lake::new().await;
    let shifter = lake.generating(&lake.root, 2, 1024, both());
    pass(&shifter).await;
    lake.write_spans([(1, "t", rows(&pair(0)[..1]))]).await;
    // Its segment can't be deleted for days, as far as the spans' table knows.
    pass(&shifter).await;
    let retention = Retention { time: Duration::from_secs(3600), snapshots: 1 };
    let config = MaintainConfig { retention, orphan_grace: Duration::ZERO, ..MaintainConfig::default() };
    let clock = Arc::clone(&lake.clock) as Arc<dyn Clock>;
    let maintainer =
        Maintainer::new(Arc::clone(&lake.tables), Arc::clone(&lake.wal), config, clock, icegate_maintain::Metrics::default());
    // A state that a crash left behind.
    let orphan = lake.root.path("warehouse/icegate/metrics/state/0123.json");
    lake.root.store.put(&orphan, "{}".into()).await.unwrap();
    for _ in 0..3 {
        lake.clock.advance(DAY);
        lake.write_spans([]).await;
        maintainer.maintain(Table::Metrics, false).await.unwrap();
    }
    let left = states(&lake).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_ne!(left[0], orphan);
    let later = lake.generating(&lake.root, 3, 1024, both());
    lake.write_spans([(2, "t", rows(&pair(0)[1..]))]).await;
    // The first segment is past its grace and is not counted again.
    let pass = pass(&later).await;
    assert_eq!((pass.deleted, pass.segments), (1, 1));
    let found = found(&lake).await;
    assert_eq!((calls(&found), value(&found, REQUESTS, &[("client", "shop"), ("server", "cart")])), (2.0, 1.0));
}

/// The states that there are.
async fn states(lake: &Lake) -> Vec<object_store::path::Path> {
    let place = lake.root.path("warehouse/icegate/metrics/state");
    lake.root.store.list(Some(&place)).map_ok(|object| object.location).try_collect().await.unwrap()
}
