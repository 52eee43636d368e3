//! What was written with remote write comes back as it was written, from the WAL and from the table.

use icegate_otlp::{Limits, WriteVersion, remote_write};
use icegate_prometheus_api::PrometheusConfig;
use icegate_testkit::Protobuf;
use serde_json::{Value, json};

use crate::api::{Api, Batches, Store, T0, TENANT, origin};

const STALE: u64 = 0x7ff0_0000_0000_0002;

fn message() -> Protobuf {
    Protobuf::new()
}

fn labels(labels: &[(&str, &str)]) -> Protobuf {
    message().messages(1, labels.iter().map(|(name, value)| message().text(1, name).text(2, value)))
}

/// Milliseconds, `after` seconds.
fn at(after: i64) -> i64 {
    (T0 + after) * 1_000
}

fn sample(value: f64, after: i64) -> Protobuf {
    message().double(1, value).int(2, at(after))
}

fn rows(version: WriteVersion, request: Protobuf) -> Batches {
    let written = remote_write(version, &request.bytes(), &origin(TENANT), &Limits::default()).unwrap();
    assert_eq!(written.rows.rejected.reasons, [""; 0]);
    written.rows.batches
}

fn span(offset: i64, length: u64) -> Protobuf {
    message().sint(1, offset).uint(2, length)
}

/// Of remote write 1.0: floats under names that OTLP's would be translated from, native histograms of each kind, exemplars, metadata.
fn first() -> Batches {
    let named = |name: &str| labels(&[("__name__", name), ("job", "node"), ("service.name", "x"), ("_a", "1")]);
    // Schema 1, 1 observation in bucket 0, up to 1, and 3 in bucket 2, up to 2; 2 near zero.
    let ints = message().uint(1, 6).double(3, 9.5).sint(4, 1).double(5, 0.25).uint(6, 2);
    let ints = ints.message(11, &span(0, 1)).message(11, &span(1, 1)).sints(12, &[1, 2]);
    let fractions = message().double(2, 1.5).double(3, 3.0).message(11, &span(1, 1)).doubles(13, &[1.5]).uint(14, 3);
    let own =
        message().uint(1, 5).double(3, 7.0).sint(4, -53).doubles(16, &[0.5, 1.0]).message(11, &span(1, 2)).sints(12, &[2, 1]);
    let exemplar = labels(&[("trace_id", "5b8efff798038103d269b633813fc60c"), ("user.id", "u 1")]).double(2, 0.7).int(3, at(1));
    let (nan, stale) = (f64::from_bits(STALE), message().double(3, f64::from_bits(STALE)));
    let series = [
        named("node.load").message(2, &sample(1.0, 0)).message(2, &sample(2.0, 15)),
        named("requests").message(2, &sample(5.0, 0)).message(3, &exemplar),
        named("gone").message(2, &sample(1.0, 0)).message(2, &sample(nan, 15)),
        named("ints").message(4, &ints.int(15, at(0))),
        named("fractions").message(4, &fractions.int(15, at(0))),
        named("own").message(4, &own.int(15, at(0))),
        named("ended").message(4, &message().uint(1, 0).int(15, at(0))).message(4, &stale.int(15, at(15))),
    ];
    let metadata = [("requests", 1, "Requests.", "s"), ("lonely", 2, "", "")]
        .map(|(name, kind, help, unit)| message().uint(1, kind).text(2, name).text(4, help).text(5, unit));
    rows(WriteVersion::V1, message().messages(1, series).messages(3, metadata))
}

/// Of remote write 2.0: a counter that began to count at a time, and a part of a histogram.
fn second() -> Batches {
    let symbols = ["", "__name__", "jobs_total", "job", "node", "Jobs.", "rpc_count", "rpc_bucket", "le", "+Inf", "Calls."];
    let request = symbols.iter().fold(message(), |request, symbol| request.text(4, symbol));
    let start = |sample: Protobuf, after: i64| sample.int(3, at(after));
    let counter = message().uints(1, &[1, 2, 3, 4]).messages(2, [start(sample(10.0, 0), -60), start(sample(12.0, 60), 30)]);
    let metadata = |kind: u64, help: u64| message().uint(1, kind).uint(3, help);
    let count = message().uints(1, &[1, 6]).message(2, &sample(3.0, 0)).message(5, &metadata(3, 10));
    let bucket = message().uints(1, &[1, 7, 8, 9]).message(2, &sample(3.0, 0)).message(5, &metadata(3, 10));
    rows(WriteVersion::V2, request.messages(5, [counter.message(5, &metadata(1, 5)), count, bucket]))
}

/// The store with everything in the WAL, everything in the table, and half of it in each.
async fn states(config: &PrometheusConfig) -> Vec<(&'static str, Api)> {
    let mut states = Vec::new();
    for (name, shifted, fresh) in [
        ("WAL", vec![], vec![first(), second()]),
        ("table", vec![first(), second()], vec![]),
        ("both", vec![first()], vec![second()]),
    ] {
        let store = Store::new().await;
        if !shifted.is_empty() {
            store.shifted_rows(shifted.into_iter().flatten().collect()).await;
        }
        store.fresh_rows(TENANT, fresh).await;
        states.push((name, store.api(config.clone())));
    }
    states
}

async fn get(api: &Api, path: &str, parameters: &[(&str, &str)]) -> Value {
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
    api.get(&format!("{path}?{}", query.join("&"))).await.data()
}

async fn instant(api: &Api, query: &str, after: i64) -> Value {
    get(api, "/api/v1/query", &[("query", query), ("time", &(T0 + after).to_string())]).await["result"].take()
}

/// A series of the first request.
fn named(name: &str) -> Value {
    json!({"__name__": name, "job": "node", "service.name": "x", "_a": "1"})
}

#[tokio::test(flavor = "multi_thread")]
async fn names_labels_and_values_are_those_that_were_written() {
    for (state, api) in states(&PrometheusConfig::default()).await {
        let one = |name: &str, after: i64, value: &str| json!([{"metric": named(name), "value": [T0 + after, value]}]);
        assert_eq!(instant(&api, r#"{"node.load"}"#, 15).await, one("node.load", 15, "2"), "{state}");
        assert_eq!(instant(&api, r#"requests{job="node","service.name"="x"}"#, 0).await, one("requests", 0, "5"), "{state}");
        assert_eq!(instant(&api, "gone", 14).await, one("gone", 14, "1"), "{state}");
        assert_eq!(instant(&api, "gone", 15).await, json!([]), "{state}: a stale marker ends a series");
        assert_eq!(instant(&api, "ended", 16).await, json!([]), "{state}: also one of histograms");
        assert_eq!(instant(&api, "requests_total", 0).await, json!([]), "{state}: nothing is added to a name");
        assert_eq!(instant(&api, "target_info", 0).await, json!([]), "{state}");
        let jobs = json!([{"metric": {"__name__": "jobs_total", "job": "node"}, "value": [T0 + 60, "12"]}]);
        assert_eq!(instant(&api, "jobs_total", 60).await, jobs, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn native_histograms_of_each_kind_have_the_buckets_that_were_written() {
    let histogram = |count: &str, sum: &str, buckets: Value| json!([T0, {"count": count, "sum": sum, "buckets": buckets}]);
    for (state, api) in states(&PrometheusConfig::default()).await {
        for (name, expected) in [
            // The first number says which bounds are in the bucket: 0 the upper, 3 both.
            (
                "ints",
                histogram(
                    "6",
                    "9.5",
                    // Bucket i of schema 1 ends at 2^(i/2).
                    json!([[3, "-0.25", "0.25", "2"], [0, "0.7071067811865475", "1", "1"], [0, "1.414213562373095", "2", "3"]]),
                ),
            ),
            ("fractions", histogram("1.5", "3", json!([[0, "1", "2", "1.5"]]))),
            ("own", histogram("5", "7", json!([[0, "0.5", "1", "2"], [0, "1", "+Inf", "3"]]))),
        ] {
            let found = instant(&api, name, 0).await;
            assert_eq!(found[0]["metric"], named(name), "{state}");
            assert_eq!(close(&found[0]["histogram"]), close(&expected), "{state} {name}");
        }
    }
}

/// With numbers rounded where a bound is a root of two.
fn close(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(close).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), close(value))).collect(),
        Value::String(text) => text.parse::<f64>().map_or_else(|_| value.clone(), |number| format!("{number:.9}").into()),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exemplars_metadata_and_series_are_found_and_rows_without_a_value_are_no_series() {
    for (state, api) in states(&PrometheusConfig::default()).await {
        let range = [("start", T0.to_string()), ("end", (T0 + 60).to_string())];
        let within = [("start", range[0].1.as_str()), ("end", range[1].1.as_str())];
        let found = get(&api, "/api/v1/query_exemplars", &[&[("query", "requests")], &within[..]].concat()).await;
        let labels = json!({"trace_id": "5b8efff798038103d269b633813fc60c", "user.id": "u 1"});
        let exemplars = json!([{"labels": labels, "value": "0.7", "timestamp": T0 + 1}]);
        assert_eq!(found, json!([{"seriesLabels": named("requests"), "exemplars": exemplars}]), "{state}");

        let metadata = json!({
            "jobs_total": [{"type": "counter", "help": "Jobs.", "unit": ""}],
            "lonely": [{"type": "gauge", "help": "", "unit": ""}],
            "requests": [{"type": "counter", "help": "Requests.", "unit": "s"}],
            "rpc": [{"type": "histogram", "help": "Calls.", "unit": ""}],
        });
        assert_eq!(get(&api, "/api/v1/metadata", &[]).await, metadata, "{state}");

        let names = json!([
            "ended",
            "fractions",
            "gone",
            "ints",
            "jobs_total",
            "node.load",
            "own",
            "requests",
            "rpc_bucket",
            "rpc_count"
        ]);
        assert_eq!(get(&api, "/api/v1/label/__name__/values", &within).await, names, "{state}");
        let labels = json!(["__name__", "_a", "job", "le", "service.name"]);
        assert_eq!(get(&api, "/api/v1/labels", &within).await, labels, "{state}");
        let series =
            get(&api, "/api/v1/series", &[&[("match[]", r#"{job="node",__name__=~"req.*"}"#)], &within[..]].concat()).await;
        assert_eq!(series, json!([named("requests")]), "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn start_times_tell_of_resets_where_they_are_asked_for() {
    // 10 counted since before the window and then 12 since a reset in it: an increase of 12, over two samples 60 s apart.
    let config = |start_timestamps| PrometheusConfig { start_timestamps, ..PrometheusConfig::default() };
    for (start_timestamps, increase) in [(false, 2.0), (true, 12.0)] {
        for (state, api) in states(&config(start_timestamps)).await {
            // A window that the samples fill: nothing is extrapolated.
            let found = instant(&api, "resets(jobs_total[2m])", 60).await;
            assert_eq!(found[0]["value"][1], if start_timestamps { "1" } else { "0" }, "{state}");
            let found = instant(&api, "increase(jobs_total[1m1s])", 60).await;
            let found: f64 = found[0]["value"][1].as_str().unwrap().parse().unwrap();
            // Up to a second more is extrapolated at the start: 61 of 60 seconds.
            assert!(found >= increase && found <= increase * 61.0 / 60.0 + 1e-9, "{state}: {found}");
        }
    }
}
