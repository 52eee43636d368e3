//! What the API says of itself, and of requests that it refuses.

use axum::body::Body;
use http::{Request, StatusCode};
use icegate_engine::EngineConfig;
use icegate_tempo_api::{TempoConfig, refuse};
use serde_json::json;

use crate::world::{State, World, request, span};

const TEXT: Option<&str> = Some("text/plain; charset=utf-8");

#[tokio::test]
async fn what_says_that_there_is_a_server_answers_as_tempo_does() {
    let api = World::new().await.api();
    for (path, status, body) in
        [("/ready", 200, "ready\n"), ("/api/echo", 200, "echo\n"), ("/nothing", 404, "404 page not found\n")]
    {
        let reply = api.get(path).await;
        assert_eq!((reply.status, reply.content_type(), reply.text()), (status, TEXT, body));
    }
    let build = api.get("/api/status/buildinfo").await.json();
    assert_eq!((&build["version"], &build["revision"]), (&json!("1.2.3"), &json!("abc")));
}

#[tokio::test]
async fn a_documented_path_that_is_not_served_is_501_and_named() {
    let api = World::new().await.api();
    for path in ["/api/v2/traces/diff", "/api/mcp", "/status/config"] {
        assert_eq!(api.get(path).await.status, 501, "{path}");
    }
    assert_eq!(api.get("/api/mcp").await.text(), "/api/mcp is not supported\n");
    let reply = api.get("/api/v2/traces/1?q=%7B%7D").await;
    assert_eq!((reply.status, reply.text()), (501, "parameter q of /api/v2/traces/{id} is not supported\n"));
}

#[tokio::test]
async fn a_refusal_is_text_and_says_when_to_come_again() {
    let busy = refuse(StatusCode::SERVICE_UNAVAILABLE, "no");
    assert_eq!((busy.status().as_u16(), &busy.headers()["retry-after"]), (503, &http::HeaderValue::from_static("1")));
}

#[tokio::test]
async fn a_parameter_that_is_not_allowed_is_400_in_tempos_words() {
    let api = World::new().await.api();
    let both = "start=1&end=2&";
    for (path, message) in [
        ("/api/search?q={}&start=5".to_owned(), "http parameter start must be before end. received start=5 end=0"),
        ("/api/search?q={}&start=5&end=5".to_owned(), "http parameter start must be before end. received start=5 end=5"),
        ("/api/search?start=x&end=5".to_owned(), "invalid start: strconv.ParseUint: parsing \"x\": invalid syntax"),
        (
            "/api/search?start=99999999999&end=5".to_owned(),
            "invalid start: strconv.ParseUint: parsing \"99999999999\": value out of range",
        ),
        (format!("/api/search?{both}limit=0"), "invalid limit: must be a positive number"),
        (format!("/api/search?{both}limit=-1"), "invalid limit: must be a positive number"),
        (format!("/api/search?{both}limit=262145"), "limit 262145 exceeds max limit 262144"),
        (
            format!("/api/search?{both}spss=10001"),
            "spans per span set exceeds 10000. received 10001: tempo.max_spans_per_span_set",
        ),
        (format!("/api/search?{both}q={{}}&tags=a%3Db"), "invalid request: can't specify tags and q in the same query"),
        (format!("/api/search?{both}tags=a%3Db%20a%3Dc"), "invalid tags: tag a has been set twice"),
        (format!("/api/search?{both}minDuration=2s&maxDuration=1s"), "invalid maxDuration: must be greater than minDuration"),
        (
            format!("/api/search?{both}q=%7B%20foo%20%7D"),
            "invalid TraceQL query: parse error at line 1, col 3: unknown identifier: foo",
        ),
        (format!("/api/v2/search/tags?{both}scope=bogus"), "invalid scope: bogus"),
        (format!("/api/metrics/query_range?q={{}}&{both}"), "not a metrics query"),
        ("/api/metrics/query_range?q={}%7Crate()&start=2&end=1".to_owned(), "end must be greater than start"),
        (
            "/api/metrics/query_range?q={}%7Cquantile_over_time(duration,1.5)&start=1&end=2".to_owned(),
            "compiling query: quantile must be between 0 and 1: 1.5",
        ),
        ("/api/traces/nope".to_owned(), "trace IDs can only contain hex characters: invalid character 'n' at position 1"),
        (format!("/api/v2/traces/{}", "a".repeat(33)), "trace IDs can't be larger than 128 bits"),
    ] {
        let reply = api.get(&path.replace("{}", "%7B%7D")).await;
        assert_eq!((reply.status, reply.content_type(), reply.text()), (400, TEXT, message), "{path}");
    }
    let reply = api.get("/api/v2/search/tag/foo/values").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().starts_with("please provide a valid tagName: failed to parse identifier foo: "), "{}", reply.text());
    assert_eq!(api.get("/api/v2/search/tag//values").await.status, 404);
    let reply = api.get("/api/metrics/query_range?q=%7B%7D%7Crate()&start=1&end=1000000&step=1").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().starts_with("step of 1000000000 ns is too small"), "{}", reply.text());
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_ignored_as_tempo_does() {
    let world = World::with(&[request("a", vec![span("1", "1", None, "x", 0, 5)])], State::Wal).await;
    let found = world.api().get("/api/search?q=%7B%7D&unheard=of").await.json();
    assert_eq!(found["traces"][0]["traceID"], "1");
}

#[tokio::test]
async fn parameters_come_as_a_form_too() {
    let world = World::with(&[request("a", vec![span("1", "1", None, "x", 0, 5)])], State::Wal).await;
    let form = Request::post("/api/search").header("content-type", "application/x-www-form-urlencoded");
    let reply = world.api().send(form.body(Body::from("q=%7B+name+%3D+%22x%22+%7D")).unwrap()).await;
    assert_eq!(reply.json()["traces"][0]["traceID"], "1");
}

#[tokio::test]
async fn another_tenants_traces_are_in_no_answer() {
    let world = World::new().await;
    world.ingest("team-a", &request("of-a", vec![span("1", "1", None, "a", 0, 5)])).await;
    world.shift().await;
    world.ingest("team-b", &request("of-b", vec![span("1", "2", None, "b", 0, 5), span("2", "3", None, "b", 0, 5)])).await;
    let api = world.api();
    let as_tenant = async |path: &str, tenant: &str| api.ask(path, &[("x-scope-orgid", tenant)]).await;
    for (tenant, other, traces) in [("team-a", "of-b", 1), ("team-b", "of-a", 2)] {
        let found = as_tenant("/api/search?q=%7B%7D&spss=10", tenant).await.json();
        assert_eq!(found["traces"].as_array().unwrap().len(), traces);
        for path in
            ["/api/search?q=%7B%7D", "/api/traces/1", "/api/v2/traces/1", "/api/v2/search/tag/resource.service.name/values"]
        {
            let reply = as_tenant(path, tenant).await;
            assert!(reply.status == 200 && !reply.text().contains(other), "{}", reply.text());
        }
    }
    assert_eq!(as_tenant("/api/search?q=%7B%7D", "team-c").await.json()["traces"], json!([]));
    assert_eq!(as_tenant("/api/traces/1", "team-c").await.status, 404);
    assert_eq!(as_tenant("/api/search?q=%7B%7D", "team-a|team-b").await.status, 400);
}

#[tokio::test]
async fn a_trace_that_is_not_there_is_404_without_a_body_and_an_empty_one_in_v2() {
    let api = World::new().await.api();
    let reply = api.get("/api/traces/1").await;
    assert_eq!((reply.status, reply.content_type(), reply.body.len()), (404, None, 0));
    assert_eq!(api.get("/api/v2/traces/1").await.json(), json!({ "trace": {}, "metrics": {} }));
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_told_and_what_is_in_the_wal_is_found() {
    let world = World::without_tables();
    world.ingest("default", &request("a", vec![span("1", "1", None, "x", 0, 5)])).await;
    let api = world.api_with(TempoConfig::default(), EngineConfig::default());
    let trace = api.get("/api/v2/traces/1").await.json();
    assert_eq!(trace["status"], "PARTIAL");
    assert!(trace["message"].as_str().unwrap().contains("table spans does not exist"), "{trace}");
    let found = api.get("/api/search?q=%7B%7D").await;
    assert!(found.headers["warning"].to_str().unwrap().contains("table spans does not exist"));
    let found = found.json();
    assert_eq!((&found["traces"][0]["traceID"], found["warnings"].as_array().unwrap().len()), (&json!("1"), 1));
    assert_eq!(api.get("/api/metrics/query?q=%7B%7D%7Crate()").await.json()["status"], "PARTIAL");
}
