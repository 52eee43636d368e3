//! Queries that need more memory than all of them may have: an error that names the bound, and the server lives.

use std::sync::Arc;

use icegate_engine::EngineConfig;
use icegate_loki_api::LokiConfig;
use icegate_model::{RandomIds, SystemClock};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_wal::Wal;
use serde_json::Value;

use crate::api::{Api, Reply, append_lines};

const OUT_OF_MEMORY: &str = "running queries need more memory than engine.memory_size_mb, which is 16: ask for fewer lines";
const LINES: usize = 20_000;

/// An API whose queries have 16 MiB together, over lines of a KiB whose every second word is unlike all others.
async fn small() -> Api {
    with_memory(16 << 20).await
}

async fn with_memory(memory_bytes: usize) -> Api {
    let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
    tables.migrate_create(false).await.unwrap();
    let wal = Arc::new(Wal::new(Root::memory()));
    let engine = EngineConfig { memory_bytes, batch_size: 128, target_partitions: 2, ..EngineConfig::default() };
    let config = LokiConfig { max_entries_limit: LINES, max_query_series: LINES, ..LokiConfig::default() };
    let line = |number: usize| format!("id=v{number} pad={}", "x".repeat(1_000));
    append_lines(&wal, (0..LINES).map(line).collect()).await;
    Api::over_engine(tables, wal, engine, config)
}

/// Refused by the bound, or the whole answer.
fn whole_or_refused(reply: &Reply, rows: impl Fn(&Value) -> usize, expected: usize) {
    match reply.status.as_u16() {
        200 => assert_eq!(rows(&reply.result()), expected),
        400 => assert!(reply.body.starts_with(OUT_OF_MEMORY), "{}", reply.body),
        other => panic!("{other} {}", reply.body),
    }
}

fn lines(result: &Value) -> usize {
    result.as_array().unwrap().iter().map(|stream| stream["values"].as_array().unwrap().len()).sum()
}

fn samples(result: &Value) -> usize {
    result.as_array().unwrap().len()
}

#[tokio::test]
async fn more_lines_than_memory_holds_are_all_there_or_refused_and_the_server_lives() {
    let api = small().await;
    for direction in ["forward", "backward"] {
        let all = api.range(r#"{service_name="api"}"#, &[("limit", "20000"), ("direction", direction)]).await;
        whole_or_refused(&all, lines, LINES);
        let few = api.range(r#"{service_name="api"}"#, &[("limit", "10"), ("direction", direction)]).await;
        assert_eq!(lines(&few.result()), 10);
    }
}

#[tokio::test]
async fn top_k_and_sort_over_many_series_are_right_or_refused_and_the_server_lives() {
    let api = small().await;
    let by = "sum by (id) (count_over_time({service_name=\"api\"} | logfmt [1h]))";
    for (query, series) in
        [(format!("topk(2, {by})"), 2), (format!("sort_desc({by})"), LINES), (format!("topk by (id) (1, {by})"), LINES)]
    {
        whole_or_refused(&api.instant(&query).await, samples, series);
    }
    let count = api.instant(&format!("count({by})")).await.result();
    assert_eq!(count[0]["value"][1], LINES.to_string().as_str());
}

#[tokio::test]
async fn a_query_that_no_memory_is_left_for_names_the_bound() {
    let api = with_memory(1 << 10).await;
    let reply = api.range(r#"{service_name="api"}"#, &[]).await;
    assert_eq!(reply.status, 400);
    let text = "running queries need more memory than engine.memory_size_mb, which is 0: ask for fewer lines or series, or a shorter range";
    assert_eq!(reply.body, text);
}
