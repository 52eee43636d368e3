//! Which traces a search gives, and what of them.

use std::time::Duration;

use icegate_engine::EngineConfig;
use icegate_tempo_api::TempoConfig;
use serde_json::{Value, json};

use crate::world::{Api, State, T0, World, request, span};

async fn ids(api: &Api, params: &[(&str, &str)]) -> Vec<String> {
    let found = api.query("/api/search", params).await.json();
    found["traces"].as_array().unwrap().iter().map(|one| one["traceID"].as_str().unwrap().to_owned()).collect()
}

/// Seconds after [`T0`] as a parameter.
fn at(seconds: i64) -> String {
    (T0 + seconds).to_string()
}

#[tokio::test]
async fn the_newest_traces_are_found_and_no_more_than_are_asked_for() {
    let spans: Vec<Value> = (1..=30).map(|n| span(&n.to_string(), "1", None, "x", n * 1_000, 5)).collect();
    let world = World::with(&spans.chunks(8).map(|spans| request("a", spans.to_vec())).collect::<Vec<_>>(), State::Both).await;
    for api in [world.api(), world.api_in_slices()] {
        let newest = |count: i64| (0..count).map(|n| (30 - n).to_string()).collect::<Vec<_>>();
        assert_eq!(ids(&api, &[("q", "{ }")]).await, newest(20));
        assert_eq!(ids(&api, &[("q", "{ }"), ("limit", "3")]).await, newest(3));
        assert_eq!(ids(&api, &[("q", "{ } with (most_recent=true)"), ("limit", "100")]).await, newest(30));
    }
}

#[tokio::test]
async fn a_trace_is_found_where_it_overlaps_the_time_and_is_whole_then() {
    // From 100 s to 400 s; the child that fits starts long after the window.
    let spans = [
        request("a", vec![span("1", "1", None, "root", 100_000, 5_000)]),
        request("b", vec![span("1", "2", Some("1"), "late", 399_000, 1_000)]),
    ];
    let world = World::with(&spans, State::Both).await;
    for api in [world.api(), world.api_in_slices()] {
        for (start, end, found) in
            [(0, 99, false), (0, 100, true), (200, 300, true), (399, 500, true), (400, 500, true), (401, 500, false)]
        {
            let params = [("q", "{ name = \"late\" }"), ("start", &at(start)), ("end", &at(end))];
            assert_eq!(ids(&api, &params).await.len(), usize::from(found), "{start} {end}");
        }
        let params = [("q", "{ name = \"root\" } > { name = \"late\" }"), ("start", &at(200)), ("end", &at(300))];
        let trace = &api.query("/api/search", &params).await.json()["traces"][0];
        assert_eq!((&trace["rootServiceName"], &trace["rootTraceName"]), (&json!("a"), &json!("root")));
        assert_eq!((&trace["durationMs"], &trace["spanSets"][0]["matched"]), (&json!(300_000), &json!(1)));
        assert_eq!(trace["serviceStats"], json!({ "a": { "spanCount": 1 }, "b": { "spanCount": 1 } }));
    }
}

#[tokio::test]
async fn spans_beyond_the_reach_are_not_part_of_the_trace() {
    let spans = [
        request("a", vec![span("1", "1", None, "root", 0, 1_000)]),
        request("b", vec![span("1", "2", Some("1"), "late", 300_000, 1_000)]),
    ];
    let world = World::with(&spans, State::Both).await;
    let config = TempoConfig { trace_reach: Duration::from_secs(10), ..TempoConfig::default() };
    let api = world.api_with(config, EngineConfig::default());
    let params = [("q", "{ }"), ("start", &*at(295)), ("end", &*at(305))];
    let trace = &api.query("/api/search", &params).await.json()["traces"][0];
    assert_eq!(trace["rootServiceName"], "<root span not yet received>");
}

#[tokio::test]
async fn an_attribute_with_a_column_of_its_own_is_found_whatever_its_type() {
    let with = |id: &str, attributes: Value| {
        let mut span = span(id, "1", None, "x", id.parse::<i64>().unwrap() * 1_000, 5);
        span["attributes"] = attributes;
        span
    };
    let one = |key: &str, value: Value| json!([{ "key": key, "value": value }]);
    let spans = vec![
        with("1", one("http.status_code", json!({ "intValue": "500" }))),
        with("2", one("http.status_code", json!({ "stringValue": "500" }))),
        with("3", one("http.status_code", json!({ "doubleValue": 500.5 }))),
        with("4", one("http.status_code", json!({ "intValue": "200" }))),
        with("5", one("http.route", json!({ "stringValue": "/a" }))),
        with("6", one("http.route", json!({ "arrayValue": { "values": [{ "stringValue": "/a" }, { "stringValue": "/b" }] } }))),
        with("7", json!([])),
    ];
    for state in State::ALL {
        let world = World::with(&[request("a", spans.clone())], state).await;
        let api = world.api();
        for (filter, found) in [
            ("span.http.status_code = 500", vec!["1"]),
            ("span.http.status_code > 200", vec!["1"]),
            ("span.http.status_code != 500", vec!["4"]),
            (r#"span.http.status_code = "500""#, vec!["2"]),
            ("span.http.status_code > 500.1", vec!["3"]),
            ("span.http.status_code != nil", vec!["4", "3", "2", "1"]),
            ("span.http.status_code = nil && span.http.route = nil", vec!["7"]),
            (r#"span.http.route = "/a""#, vec!["6", "5"]),
            (r#"span.http.route =~ "/b""#, vec!["6"]),
            (r#".http.route = "/a" || .http.status_code = 200"#, vec!["6", "5", "4"]),
            (r#"resource.http.route = "/a""#, vec![]),
        ] {
            assert_eq!(ids(&api, &[("q", &format!("{{ {filter} }}"))]).await, found, "{state:?} {filter}");
        }
    }
}

#[tokio::test]
async fn tags_and_durations_find_traces_without_their_spans() {
    let mut get = span("1", "1", None, "GET /cart", 0, 2_000);
    get["attributes"] = json!([{ "key": "env", "value": { "stringValue": "prod" } }]);
    let spans = [request("shop-frontend", vec![get]), request("db", vec![span("2", "2", None, "SELECT", 1_000, 10)])];
    let world = World::with(&spans, State::Both).await;
    let api = world.api();
    for (params, found) in [
        (vec![("tags", "service.name=front")], vec!["1"]),
        (vec![("tags", "name=SEL")], vec!["2"]),
        (vec![("tags", "name=sel")], vec![]),
        (vec![("tags", "env=prod service.name=shop")], vec!["1"]),
        (vec![("tags", "env=pro")], vec![]),
        (vec![("tags", "root.service.name=db")], vec!["2"]),
        (vec![], vec!["2", "1"]),
        (vec![("minDuration", "1s")], vec!["1"]),
        (vec![("maxDuration", "1s"), ("q", "{ }")], vec!["2"]),
    ] {
        assert_eq!(ids(&api, &params).await, found, "{params:?}");
    }
    let found = api.query("/api/search", &[("tags", "name=GET")]).await.json();
    let trace = json!({
        "traceID": "1", "rootServiceName": "shop-frontend", "rootTraceName": "GET /cart",
        "startTimeUnixNano": format!("{T0}000000000"), "durationMs": 2_000,
    });
    assert_eq!(found["traces"], json!([trace]));
}

#[tokio::test]
async fn a_query_that_spans_make_fail_is_500_in_tempos_words() {
    let mut one = span("1", "1", None, "x", 0, 5);
    one["attributes"] = json!([{ "key": "n", "value": { "intValue": "5" } }]);
    let world = World::with(&[request("a", vec![one])], State::Wal).await;
    let reply = world.api().query("/api/search", &[("q", "{ span.n / 0 > 1 }")]).await;
    assert_eq!((reply.status, reply.text()), (500, "division by zero\n"));
}

#[tokio::test]
async fn slices_give_what_a_search_at_once_gives() {
    // Spans every 15 s for an hour; every seventh trace goes on for twenty minutes, and every fifth has no root.
    let of = |n: i64| {
        let id = format!("{:x}", n + 1);
        let parent = (n % 5 == 0).then_some("77");
        let long = if n % 7 == 0 { 1_200_000 } else { 400 };
        vec![
            span(&id, "1", parent, "x", n * 15_000, 300),
            span(&id, "2", Some("1"), if n % 3 == 0 { "y" } else { "z" }, n * 15_000 + long, 100),
        ]
    };
    let spans: Vec<Value> = (0..240).flat_map(of).collect();
    let requests: Vec<Value> = spans.chunks(160).map(|spans| request("a", spans.to_vec())).collect();
    let world = World::with(&requests, State::Both).await;
    let (at_once, in_slices) = (world.api(), world.api_in_slices());
    for (q, limit) in
        [("{ }", "7"), ("{ name = \"y\" }", "30"), ("{ name = \"x\" } > { name = \"y\" }", "5"), ("{ name = \"z\" }", "5000")]
    {
        for (start, end) in [(0, 3_600), (1_000, 1_200), (3_500, 9_000)] {
            let params = [("q", q), ("limit", limit), ("start", &at(start)), ("end", &at(end))];
            let (one, other) =
                (at_once.query("/api/search", &params).await.json(), in_slices.query("/api/search", &params).await.json());
            assert_eq!(one["traces"], other["traces"], "{params:?}");
        }
    }
}
