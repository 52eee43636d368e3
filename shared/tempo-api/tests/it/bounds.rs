//! What goes over a bound is an error that names it (BOUND-1).

use axum::body::Body;
use http::Request;
use icegate_engine::EngineConfig;
use icegate_tempo_api::TempoConfig;
use serde_json::Value;

use crate::world::{State, World, request, span};

async fn world() -> World {
    let spans: Vec<Value> = (1..=200).map(|n| span("1", &n.to_string(), None, &"x".repeat(1_000), n, 5)).collect();
    World::with(&[request("a", spans)], State::Wal).await
}

#[tokio::test]
async fn a_trace_that_is_too_large_is_422() {
    let api = world().await.api_with(TempoConfig { max_trace_bytes: 100_000, ..TempoConfig::default() }, EngineConfig::default());
    for version in ["", "v2/"] {
        let reply = api.get(&format!("/api/{version}traces/1")).await;
        assert_eq!((reply.status, reply.text()), (422, "trace exceeds max size (max bytes: 100000): tempo.max_trace_bytes\n"));
    }
}

#[tokio::test]
async fn what_needs_more_memory_than_all_queries_have_names_the_bound() {
    let api = world().await.api_with(TempoConfig::default(), EngineConfig { memory_bytes: 10_000, ..EngineConfig::default() });
    for path in ["/api/search?q=%7B%7D", "/api/metrics/query?q=%7BnestedSetParent%3C0%7D%7Crate()", "/api/traces/1"] {
        let reply = api.get(path).await;
        assert_eq!(reply.status, 400, "{path} {}", reply.text());
        assert!(reply.text().contains("engine.memory_size_mb"), "{path} {}", reply.text());
    }
}

#[tokio::test]
async fn traces_that_do_not_fit_into_memory_together_are_read_in_parts() {
    let spans: Vec<Value> = (1..=200).map(|n| span(&format!("{n:x}"), "1", None, &"x".repeat(4_000), n, 5)).collect();
    let world = World::with(&[request("a", spans)], State::Wal).await;
    let engine = EngineConfig { memory_bytes: 300_000, target_partitions: 1, ..EngineConfig::default() };
    let api = world.api_with(TempoConfig::default(), engine);
    let counted = api.get("/api/metrics/query?q=%7BnestedSetParent%3C0%7D%7Ccount_over_time()").await.json();
    assert_eq!(counted["series"][0]["value"], 200.0);
    let found = api.get("/api/search?q=%7B%7D&limit=150").await.json();
    assert_eq!(found["traces"].as_array().unwrap().len(), 150);
}

#[tokio::test]
async fn queries_beyond_those_that_may_run_at_once_are_429() {
    let config = TempoConfig { max_concurrent_queries: 0, ..TempoConfig::default() };
    let api = world().await.api_with(config, EngineConfig::default());
    let reply = api.get("/api/search?q=%7B%7D").await;
    assert_eq!((reply.status, reply.text()), (429, "too many queries at once: tempo.max_concurrent_queries is 0\n"));
    assert_eq!(reply.headers["retry-after"], "1");
}

#[tokio::test]
async fn a_query_that_is_too_long_is_refused() {
    let form = Request::post("/api/search").header("content-type", "application/x-www-form-urlencoded");
    let body = Body::from(format!("q={}", "x".repeat(128 * 1_024 + 1)));
    let reply = World::new().await.api().send(form.body(body).unwrap()).await;
    assert_eq!((reply.status, reply.text()), (400, "query of 131073 bytes is too long, allowed are 131072"));
}
