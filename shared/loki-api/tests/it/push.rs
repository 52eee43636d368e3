//! Lines that agents push come back as they were sent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use icegate_loki_api::LokiConfig;
use icegate_model::{RandomIds, SystemClock};
use icegate_otlp_api::{Bounds, Ingest};
use icegate_storage::Root;
use icegate_tables::Tables;
use icegate_wal::{Wal, Writer, WriterConfig, WriterTask};
use serde_json::{Value, json};

use crate::api::{Api, Reply, TENANT, TRACE};

/// An API of nothing yet that takes lines in.
pub(crate) async fn taking() -> (Api, WriterTask) {
    taking_with(LokiConfig::default()).await
}

/// The same with a configuration.
pub(crate) async fn taking_with(answers: LokiConfig) -> (Api, WriterTask) {
    let tables = Arc::new(Tables::memory(Root::memory(), Arc::new(SystemClock), Arc::new(RandomIds)));
    tables.migrate_create(false).await.unwrap();
    let wal = Arc::new(Wal::new(Root::memory()));
    let config = WriterConfig { flush_interval: Duration::from_millis(1), ..WriterConfig::default() };
    let metrics = icegate_wal::Metrics::default();
    let (writer, task) = Writer::start(Arc::clone(&wal), config, Arc::new(SystemClock), Arc::new(RandomIds), metrics);
    let ingest = Ingest::new(writer, Arc::new(SystemClock), Bounds::default(), icegate_otlp_api::Metrics::default());
    let api = Api::over(tables, wal, answers);
    (api.merge(icegate_otlp_api::loki_router(Arc::new(ingest))), task)
}

impl Api {
    pub(crate) async fn push(&self, body: &Value) -> Reply {
        let request =
            Request::post("/loki/api/v1/push").header("X-Scope-OrgID", TENANT).header("Content-Type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test]
async fn pushed_lines_come_back_with_their_labels_and_metadata() {
    let (api, _task) = taking().await;
    let values = json!([
        ["1704067200000000001", "level=warn msg=\"up\"", {"trace_id": TRACE, "user.id": "u1"}],
        ["1704067200000000002", "plain", {"http_status": "500", "empty": ""}],
    ]);
    let body = json!({"streams": [{"stream": {"app": "shop", "env": "dev", "empty": ""}, "values": values}]});
    for _ in 0..2 {
        // The second is a repetition, which is stored once.
        assert_eq!(api.push(&body).await.status, 204);
    }
    let labels = json!({"app": "shop", "env": "dev", "service_name": "shop"});
    let categorized = [("X-Scope-OrgID", TENANT), ("X-Loki-Response-Encoding-Flags", "categorize-labels")];
    let params =
        [("query", r#"{app="shop", env=~"d.*"}"#), ("start", "1704067200"), ("end", "1704070800"), ("direction", "forward")];
    let reply = api.get_with("/loki/api/v1/query_range", &params, &categorized).await;
    assert_eq!(
        reply.result(),
        json!([{"stream": labels, "values": [
            ["1704067200000000001", "level=warn msg=\"up\"",
                {"structuredMetadata": {"detected_level": "warn", "trace_id": TRACE, "user_id": "u1"}}],
            ["1704067200000000002", "plain", {"structuredMetadata": {"detected_level": "unknown", "http_status": "500"}}],
        ]}])
    );
    assert_eq!(api.get("/loki/api/v1/labels", &[]).await.json()["data"], json!(["app", "env", "service_name"]));
    assert_eq!(api.get("/loki/api/v1/series", &[]).await.json()["data"], json!([labels]));
    let of_trace = api.range(&format!(r#"{{trace_id="{TRACE}"}}"#), &[]).await.result();
    assert_eq!(of_trace[0]["values"], json!([["1704067200000000001", "level=warn msg=\"up\""]]));
    let count = api.instant(r#"sum by (env) (count_over_time({app="shop"} | http_status >= 500 [1h]))"#).await.result();
    assert_eq!((&count[0]["metric"], &count[0]["value"][1]), (&json!({"env": "dev"}), &json!("1")));
}

#[tokio::test]
async fn a_server_that_takes_nothing_in_says_so() {
    let api = Api::new().await;
    for path in ["/loki/api/v1/push", "/api/prom/push", "/otlp/v1/logs"] {
        let reply = api.send(Request::post(path).body(Body::from("{}")).unwrap()).await;
        let text = "this server answers queries only: send logs to one that takes them in (icegate run or icegate ingest run)";
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (501, text), "{path}");
    }
}
