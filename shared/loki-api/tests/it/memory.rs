//! Queries that need more memory than all of them may have: an error that names the bound, and the server lives.

use std::sync::Arc;

use icegate_engine::EngineConfig;
use icegate_loki_api::LokiConfig;
use icegate_model::{RandomIds, SystemClock};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_wal::Wal;

use crate::api::{Api, append_lines};

const OUT_OF_MEMORY: &str = "running queries need more memory than engine.memory_size_mb, which is 2: ask for fewer lines";
const LINES: usize = 3_000;

/// An API whose queries have two MiB together, over lines of a KiB whose every second word is unlike all others.
async fn small() -> Api {
    let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
    tables.migrate_create(false).await.unwrap();
    let wal = Arc::new(Wal::new(Root::memory()));
    let line = |number: usize| format!("id=v{number} pad={}", "x".repeat(1_000));
    append_lines(&wal, (0..LINES).map(line).collect()).await;
    Api::over_engine(
        tables,
        wal,
        EngineConfig { memory_bytes: 2 << 20, batch_size: 128, ..EngineConfig::default() },
        LokiConfig::default(),
    )
}

#[tokio::test]
async fn sorting_more_lines_than_memory_holds_is_refused_and_the_server_lives() {
    let api = small().await;
    for direction in ["forward", "backward"] {
        let reply = api.range(r#"{service_name="api"}"#, &[("limit", "5000"), ("direction", direction)]).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(reply.body.starts_with(OUT_OF_MEMORY), "{}", reply.body);
        let few = api.range(r#"{service_name="api"}"#, &[("limit", "10"), ("direction", direction)]).await.result();
        assert_eq!(few[0]["values"].as_array().map(Vec::len), Some(10));
    }
}

#[tokio::test]
async fn top_k_and_sort_over_many_series_answer_or_name_the_bound() {
    let api = small().await;
    let by = "sum by (id) (count_over_time({service_name=\"api\"} | logfmt [1h]))";
    for query in [format!("topk(2, {by})"), format!("sort_desc({by})"), format!("topk by (id) (1, {by})"), format!("count({by})")]
    {
        let reply = api.instant(&query).await;
        match reply.status.as_u16() {
            200 => {}
            400 => assert!(reply.body.starts_with(OUT_OF_MEMORY), "{}", reply.body),
            other => panic!("{other} {}", reply.body),
        }
    }
    let count = api.instant(&format!("count({by})")).await.result();
    assert_eq!(count[0]["value"][1], LINES.to_string().as_str());
}
